package sono;

/**
 * The details of an event as JSON, in ASCII. Haxe's own printer takes characters outside of the first 65536 apart on
 * Flash, and Flash Player has a printer from version 11 on only.
 */
class Details {
	/** What a peer sent that is no text, number or truth value is null: it may even contain itself. */
	public static function json(details:Dynamic):String {
		final fields = [for (name in Reflect.fields(details)) quote(name) + ":" + scalar(Reflect.field(details, name))];
		return "{" + fields.join(",") + "}";
	}

	static function scalar(value:Dynamic):String {
		return if (Std.isOfType(value, String)) quote(value)
			else if (Std.isOfType(value, Bool)) value ? "true" : "false"
			else if (Std.isOfType(value, Float) && Math.isFinite(value)) Std.string(value)
			else "null";
	}

	static function quote(text:String):String {
		final quoted = new StringBuf();
		quoted.add('"');
		for (index in 0...text.length) {
			final code = text.charCodeAt(index);
			// Percent-encoding would leave the apostrophe as it is.
			final special = code == '"'.code || code == "'".code || code == "\\".code;
			if (code >= 0x20 && code < 0x7F && !special) quoted.addChar(code) else quoted.add("\\u" + StringTools.hex(code, 4));
		}
		quoted.add('"');
		return quoted.toString();
	}
}
