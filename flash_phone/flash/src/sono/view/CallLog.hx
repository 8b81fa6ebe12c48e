package sono.view;

import flash.display.Sprite;
import flash.net.SharedObject;
import flash.text.TextField;

/** The last calls, kept on this computer. */
class CallLog extends Sprite {
	static inline final kept = 20;

	final list = new TextField();
	var calls:Array<String> = [];
	var store:Null<SharedObject>;

	public function new(breadth:Float, rise:Float) {
		super();
		list.defaultTextFormat = Style.format(11, Style.faint);
		list.multiline = true;
		list.width = breadth;
		list.height = rise;
		addChild(list);
		// Not to be had where the person forbids it: then the log lasts as long as the page.
		store = try SharedObject.getLocal("sono-calls") catch (_:Any) null;
		if (store != null && Std.isOfType(store.data.calls, Array)) calls = store.data.calls;
		draw();
	}

	public function add(direction:String, party:String, outcome:String):Void {
		final now = Date.now();
		calls.unshift('${DateTools.format(now, "%H:%M")}  $direction $party  $outcome');
		calls = calls.slice(0, kept);
		draw();
		if (store == null) return;
		store.data.calls = calls;
		try
			store.flush()
		catch (_:Any)
			store = null;
	}

	function draw():Void {
		list.text = calls.join("\n");
	}
}
