package sono.view;

import flash.display.Sprite;
import flash.events.FocusEvent;
import flash.events.MouseEvent;
import flash.text.TextField;
import flash.text.TextFieldAutoSize;

/** A button that mouse and keyboard press. */
class Button extends Sprite {
	public var enabled(default, set):Bool = true;
	public var caption(default, set):String;

	final label = new TextField();
	final breadth:Float;
	final rise:Float;
	final color:Int;

	public function new(caption:String, breadth:Float, rise:Float, color:Int, pressed:Void -> Void) {
		super();
		this.breadth = breadth;
		this.rise = rise;
		this.color = color;
		label.defaultTextFormat = Style.format(14, color == Style.key ? Style.text : Style.paper, true);
		label.autoSize = TextFieldAutoSize.LEFT;
		label.selectable = false;
		addChild(label);
		this.caption = caption;
		buttonMode = true;
		mouseChildren = false;
		tabEnabled = true;
		// With the keyboard too: a focused button is clicked by Enter and by the space bar.
		addEventListener(MouseEvent.CLICK, _ -> if (enabled) pressed());
		addEventListener(FocusEvent.FOCUS_IN, _ -> draw(true));
		addEventListener(FocusEvent.FOCUS_OUT, _ -> draw(false));
	}

	function draw(focused:Bool):Void {
		graphics.clear();
		if (focused) graphics.lineStyle(2, Style.text);
		graphics.beginFill(color);
		graphics.drawRoundRect(0, 0, breadth, rise, 8);
	}

	function set_caption(value:String):String {
		caption = value;
		name = value;
		label.text = value;
		label.x = (breadth - label.width) / 2;
		label.y = (rise - label.height) / 2;
		draw(false);
		return value;
	}

	function set_enabled(value:Bool):Bool {
		enabled = value;
		alpha = value ? 1 : 0.4;
		mouseEnabled = value;
		tabEnabled = value;
		return value;
	}
}
