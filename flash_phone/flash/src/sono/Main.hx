package sono;

import flash.Lib;
import flash.display.StageAlign;
import flash.display.StageScaleMode;
import sono.view.PhoneView;

class Main {
	static function main():Void {
		start(Phone.new);
	}

	/** Wires the phone to its face and to the page. */
	static function start(makePhone:Settings -> Phone):Phone {
		final stage = Lib.current.stage;
		stage.scaleMode = StageScaleMode.NO_SCALE;
		stage.align = StageAlign.TOP_LEFT;
		final settings = new Settings(cast Lib.current.loaderInfo.parameters);
		final phone = makePhone(settings);
		final bridge = new Bridge(phone, settings.callback);
		final view = settings.visible ? new PhoneView(phone, settings) : null;
		if (view != null) Lib.current.addChild(view);
		phone.onEvent = (event, details) -> {
			if (view != null) view.show(event, details);
			bridge.tell(event, details);
		};
		bridge.tell("ready", {});
		if (settings.username != "") phone.register(settings.username, blank(settings.registrar), blank(settings.password));
		if (settings.connects) phone.connect();
		return phone;
	}

	static function blank(text:String):Null<String> {
		return text == "" ? null : text;
	}
}
