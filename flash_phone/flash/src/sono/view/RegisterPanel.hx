package sono.view;

import flash.display.Sprite;

/** Who to be called as, and where. */
class RegisterPanel extends Sprite {
	public function new(breadth:Float, rise:Float, settings:Settings, register:(String, Null<String>, Null<String>) -> Void, close:Void -> Void) {
		super();
		graphics.beginFill(0xF4F5F7);
		graphics.drawRect(-12, 0, breadth + 24, rise);
		final submit = () -> {
			register(username.value, blank(registrar.value), blank(password.value));
			close();
		};
		username = new Field("User name, or nothing for a made-up address", breadth, submit);
		registrar = new Field("Registrar, for example sip:example.com", breadth, submit);
		password = new Field("Password", breadth, submit, true);
		username.value = settings.username;
		registrar.value = settings.registrar;
		for (index => field in [username, registrar, password]) {
			field.y = 8 + index * 48;
			addChild(field);
		}
		final done = new Button("Register", breadth / 2 - 4, 34, Style.call, submit);
		final back = new Button("Back", breadth / 2 - 4, 34, Style.plain, close);
		done.y = back.y = 164;
		back.x = breadth / 2 + 4;
		addChild(done);
		addChild(back);
	}

	final username:Field;
	final registrar:Field;
	final password:Field;

	static function blank(text:String):Null<String> {
		return text == "" ? null : text;
	}
}
