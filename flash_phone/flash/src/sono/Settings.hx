package sono;

/** What the page says in FlashVars. */
class Settings {
	/** RTMP address of the gateway. */
	public final url:String;
	/** False in invisible mode (`ui=none`): the page is the face. */
	public final visible:Bool;
	/** JavaScript function that gets every event, as its name and its details in JSON, percent-encoded. */
	public final callback:String;
	/** speex, pcmu or pcma; the last two need Flash Player 11. */
	public final codec:String;
	/** Whether to send the camera: H.264, from Flash Player 11 on. */
	public final camera:Bool;
	/** Whether to connect at once. */
	public final connects:Bool;
	public final username:String;
	public final registrar:String;
	public final password:String;
	/** Called at once after the connection, where given. */
	public final dial:String;

	public function new(variables:Dynamic<String>) {
		final text = (name:String, otherwise:String) -> {
			final value:Null<String> = Reflect.field(variables, name);
			return value == null ? otherwise : value;
		};
		url = text("url", "rtmp://localhost/sono");
		visible = text("ui", "full") != "none";
		callback = functionName(text("callback", ""));
		codec = text("codec", "speex");
		camera = text("camera", "false") == "true";
		connects = text("connect", visible ? "true" : "false") == "true";
		username = text("username", "");
		registrar = text("registrar", "");
		password = text("password", "");
		dial = text("dial", "");
	}

	/** A name is called in the page, so that it must be nothing but a name. */
	static function functionName(name:String):String {
		return ~/^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/.match(name) ? name : "";
	}
}
