package sono.view;

import flash.display.Sprite;
import flash.events.KeyboardEvent;
import flash.text.TextField;
import flash.text.TextFieldType;
import flash.ui.Keyboard;

/** A line to type in, under its name. */
class Field extends Sprite {
	public var value(get, set):String;

	final input = new TextField();

	public function new(title:String, breadth:Float, entered:Void -> Void, secret:Bool = false) {
		super();
		final name = new TextField();
		name.defaultTextFormat = Style.format(11, Style.faint);
		name.selectable = false;
		name.mouseEnabled = false;
		name.width = breadth;
		name.height = 16;
		name.text = title;
		addChild(name);
		input.type = TextFieldType.INPUT;
		input.defaultTextFormat = Style.format(15);
		input.border = true;
		input.borderColor = Style.line;
		input.background = true;
		input.backgroundColor = Style.paper;
		input.displayAsPassword = secret;
		input.maxChars = 255;
		input.y = 16;
		input.width = breadth;
		input.height = 24;
		input.addEventListener(KeyboardEvent.KEY_DOWN, event -> if (event.keyCode == Keyboard.ENTER) entered());
		addChild(input);
	}

	function get_value():String {
		return StringTools.trim(input.text);
	}

	function set_value(text:String):String {
		input.text = text;
		return text;
	}
}
