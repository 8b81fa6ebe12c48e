package sono;

import flash.events.AsyncErrorEvent;
import flash.events.IOErrorEvent;
import flash.events.NetStatusEvent;
import flash.events.TimerEvent;
import flash.net.NetConnection;
import flash.net.NetStream;
import flash.utils.Timer;

/** The two streams of a call: what the microphone hears, and what the far end says. */
class CallStreams {
	/** Is told ten times a second, while they are open, how loud the microphone is. */
	public var onLevel:(microphone:Float) -> Void = _ -> {};

	public var onFailed:(code:String, description:String) -> Void = (_, _) -> {};

	final devices:Devices;
	final levels = new Timer(100);
	var publishing:Null<NetStream>;
	var playing:Null<NetStream>;

	public function new(devices:Devices) {
		this.devices = devices;
		levels.addEventListener(TimerEvent.TIMER, _ -> onLevel(devices.level));
	}

	/** In the place of those that were open. Their names mean nothing to the gateway. */
	public function open(connection:NetConnection):Void {
		close();
		final sends = stream(connection);
		final hears = stream(connection);
		sends.publish("dummy", "live");
		devices.attach(sends);
		// What is late is dropped by the gateway; a buffer here would only add to the delay.
		hears.bufferTime = 0;
		devices.listen(hears);
		hears.play("dummy", "live");
		publishing = sends;
		playing = hears;
		levels.start();
	}

	public function close():Void {
		levels.stop();
		for (open in [publishing, playing]) if (open != null) open.close();
		publishing = null;
		playing = null;
	}

	function stream(connection:NetConnection):NetStream {
		final made = new NetStream(connection);
		made.client = {onMetaData: _ -> {}};
		made.addEventListener(AsyncErrorEvent.ASYNC_ERROR, _ -> {});
		made.addEventListener(IOErrorEvent.IO_ERROR, event -> onFailed("Stream.Failed", event.text));
		made.addEventListener(NetStatusEvent.NET_STATUS, event -> if (event.info.code == "NetStream.Play.Stop") close());
		return made;
	}
}
