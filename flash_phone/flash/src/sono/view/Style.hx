package sono.view;

import flash.text.TextFormat;

/** Colours and letters of the phone's face. */
class Style {
	public static inline final text = 0x1B1F24;
	public static inline final faint = 0x5B6470;
	public static inline final line = 0xC5CBD3;
	public static inline final paper = 0xFFFFFF;
	public static inline final key = 0xE6EAEF;
	public static inline final call = 0x1A7F37;
	public static inline final end = 0xC62828;
	public static inline final plain = 0x3B5B8C;

	public static function format(size:Int, color:Int = text, bold:Bool = false):TextFormat {
		return new TextFormat("_sans", size, color, bold);
	}
}
