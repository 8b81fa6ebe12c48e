package sono;

import flash.events.StatusEvent;
import flash.media.Camera;
import flash.media.Microphone;
import flash.media.SoundCodec;
import flash.media.SoundTransform;
import flash.net.NetStream;

/** Microphone, camera and loudspeaker. */
class Devices {
	/** Is told when the person, or the machine, allows no microphone. */
	public var onDenied:(code:String, description:String) -> Void = (_, _) -> {};

	/** 0-100 */
	public var gain(default, set):Int = 60;

	/** 0-1 */
	public var volume(default, set):Float = 0.8;

	public var muted(default, set):Bool = false;

	final settings:Settings;
	var microphone:Null<Microphone>;
	var playing:Null<NetStream>;

	public function new(settings:Settings) {
		this.settings = settings;
	}

	/** 0-100, what the microphone hears. */
	public var level(get, never):Float;

	function get_level():Float {
		return microphone == null || muted ? 0 : Math.max(0, microphone.activityLevel);
	}

	/** Sends what the microphone hears, and what the camera sees, on a stream that publishes. */
	public function attach(stream:NetStream):Void {
		if (microphone == null) microphone = open();
		if (microphone == null) {
			onDenied("Microphone.NotFound", "there is no microphone");
			return;
		}
		if (microphone.muted) onDenied("Microphone.Denied", "the microphone is not allowed");
		stream.attachAudio(microphone);
		if (settings.camera) attachCamera(stream);
	}

	public function listen(stream:NetStream):Void {
		playing = stream;
		stream.soundTransform = new SoundTransform(volume);
	}

	function open():Null<Microphone> {
		final opened = enhanced();
		if (opened == null) return null;
		opened.addEventListener(StatusEvent.STATUS, event -> {
			if (event.code == "Microphone.Muted") onDenied("Microphone.Denied", "the microphone is not allowed");
		});
		configure(opened);
		return opened;
	}

	/** With echo cancellation where the player has it (10.3, not on every system). */
	function enhanced():Null<Microphone> {
		final withEcho:Null<Microphone> = try Microphone.getEnhancedMicrophone() catch (_:Any) null;
		if (withEcho != null) return withEcho;
		final plain = Microphone.getMicrophone();
		if (plain != null) plain.setUseEchoSuppression(true);
		return plain;
	}

	function configure(opened:Microphone):Void {
		opened.gain = muted ? 0 : gain;
		opened.setSilenceLevel(0);
		if (settings.codec != "speex") {
			// Before Flash Player 11 there is no G.711: assigning it throws, and Speex it is.
			try {
				Reflect.setProperty(opened, "codec", settings.codec);
				opened.rate = 8;
				return;
			} catch (_:Any) {}
		}
		opened.codec = SoundCodec.SPEEX;
		opened.rate = 16;
		opened.encodeQuality = 8;
		opened.framesPerPacket = 1;
	}

	function attachCamera(stream:NetStream):Void {
		final camera = Camera.getCamera();
		final h264:Null<Dynamic> = definition("flash.media.H264VideoStreamSettings");
		if (camera == null || h264 == null) return;
		final video:Dynamic = Type.createInstance(h264, []);
		video.setProfileLevel("baseline", "3.1");
		Reflect.setProperty(stream, "videoStreamSettings", video);
		camera.setMode(640, 480, 30);
		camera.setQuality(64000, 0);
		camera.setKeyFrameInterval(48);
		stream.attachCamera(camera);
	}

	/** A class that only newer players have. */
	static function definition(name:String):Null<Dynamic> {
		return try flash.Lib.current.loaderInfo.applicationDomain.getDefinition(name) catch (_:Any) null;
	}

	function set_gain(value:Int):Int {
		gain = value;
		if (microphone != null && !muted) microphone.gain = value;
		return value;
	}

	function set_volume(value:Float):Float {
		volume = value;
		if (playing != null) playing.soundTransform = new SoundTransform(value);
		return value;
	}

	/** Silence is still sent, so that the far end does not think that nobody is there. */
	function set_muted(value:Bool):Bool {
		muted = value;
		if (microphone != null) microphone.gain = value ? 0 : gain;
		return value;
	}
}
