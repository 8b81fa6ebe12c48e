package sono.view;

import flash.display.Sprite;

/** Twelve keys. */
class KeyPad extends Sprite {
	public function new(pressed:String -> Void) {
		super();
		for (index => digit in "123456789*0#".split("")) {
			final key = new Button(digit, 96, 32, Style.key, () -> pressed(digit));
			key.x = (index % 3) * 100;
			key.y = Std.int(index / 3) * 36;
			addChild(key);
		}
	}
}
