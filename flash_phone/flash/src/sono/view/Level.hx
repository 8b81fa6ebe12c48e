package sono.view;

import flash.display.Sprite;
import flash.events.MouseEvent;
import flash.text.TextField;

/** How loud something is to be, set by dragging, and how loud it is. */
class Level extends Sprite {
	/** 0-1, what is heard now. */
	public var heard(default, set):Float = 0;

	static inline final start = 84;

	final breadth:Float;
	final changed:Float -> Void;
	var setting:Float;

	public function new(title:String, breadth:Float, setting:Float, changed:Float -> Void) {
		super();
		this.breadth = breadth - start;
		this.changed = changed;
		this.setting = setting;
		final name = new TextField();
		name.defaultTextFormat = Style.format(11, Style.faint);
		name.selectable = false;
		name.mouseEnabled = false;
		name.width = start;
		name.height = 16;
		name.text = title;
		addChild(name);
		draw();
		addEventListener(MouseEvent.MOUSE_DOWN, choose);
		addEventListener(MouseEvent.MOUSE_MOVE, event -> if (event.buttonDown) choose(event));
	}

	function choose(_:Any):Void {
		if (mouseX < start) return;
		setting = Math.max(0, Math.min(1, (mouseX - start) / breadth));
		changed(setting);
		draw();
	}

	function set_heard(value:Float):Float {
		heard = value;
		draw();
		return value;
	}

	function draw():Void {
		graphics.clear();
		graphics.beginFill(Style.key);
		graphics.drawRect(start, 2, breadth, 12);
		graphics.beginFill(Style.call);
		graphics.drawRect(start, 2, breadth * Math.min(1, heard), 12);
		graphics.beginFill(Style.plain);
		graphics.drawRect(start + breadth * setting - 2, 0, 4, 16);
	}
}
