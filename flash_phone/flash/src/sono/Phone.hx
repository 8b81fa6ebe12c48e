package sono;

import flash.events.AsyncErrorEvent;
import flash.events.IOErrorEvent;
import flash.events.NetStatusEvent;
import flash.events.SecurityErrorEvent;
import flash.events.TimerEvent;
import flash.net.NetConnection;
import flash.net.ObjectEncoding;
import flash.net.Responder;
import flash.utils.Timer;

/** The phone without a face: one connection to the gateway, one call. */
class Phone {
	/** Gets every event with its details. */
	public var onEvent:(event:PhoneEvent, details:Dynamic) -> Void = (_, _) -> {};

	public final devices:Devices;

	/** Where the call stands. */
	public var status(default, null):CallStatus = NotConnected;

	/** Milliseconds before the next attempt to connect: doubled after each failure, up to the longest. */
	static inline final firstRetryMs = 1000;

	static inline final longestRetryMs = 30000;

	final settings:Settings;
	final streams:CallStreams;
	var connection:Null<NetConnection>;
	var url:Null<String>;
	var registration:Array<Dynamic> = [];
	var callsWait = false;
	var retryMs = firstRetryMs;
	var retry:Null<Timer>;

	public function new(settings:Settings) {
		this.settings = settings;
		devices = new Devices(settings);
		devices.onDenied = (code, description) -> fail(code, description);
		streams = new CallStreams(devices);
		streams.onLevel = level -> onEvent(Level, {microphone: level});
		streams.onFailed = (code, description) -> fail(code, description);
	}

	/** Connects, and again after each loss of the connection until `disconnect`. */
	public function connect(?address:String):Void {
		disconnect();
		url = address == null ? settings.url : address;
		open();
	}

	public function disconnect():Void {
		url = null;
		if (retry != null) retry.stop();
		drop();
	}

	/** Without arguments the gateway makes up an address; it answers with `registered`. Takes the place of what was registered. */
	public function register(?username:String, ?registrar:String, ?credentials:Dynamic):Void {
		registration = [username, registrar, credentials];
		while (registration.length > 0 && registration[registration.length - 1] == null) registration.pop();
		if (isConnected) sendRegistration();
	}

	public function unregister():Void {
		registration = [];
		command("unregister");
	}

	public function dial(uri:String):Void {
		command("dial", [uri]);
	}

	public function accept():Void {
		command("accept");
	}

	public function reject(?sipStatus:Float):Void {
		command("reject", sipStatus == null ? [] : [sipStatus]);
	}

	public function hangup():Void {
		command("hangup");
	}

	public function sendDTMF(digits:String, ?ms:Float):Void {
		command("sendDTMF", ms == null ? [digits] : [digits, ms]);
	}

	public function hold(held:Bool):Void {
		command("hold", [held]);
	}

	/** Whether a second caller is announced during a call, or told that the line is busy. */
	public function callWaiting(allowed:Bool):Void {
		callsWait = allowed;
		if (isConnected) command("callWaiting", [allowed]);
	}

	/** Talks to the one who is held, and holds the one who was talked to. */
	public function swap():Void {
		command("swap");
	}

	public function mute(muted:Bool):Void {
		devices.muted = muted;
	}

	public function transfer(uri:String):Void {
		command("transfer", [uri]);
	}

	public function sendMessage(uri:String, text:String):Void {
		command("sendMessage", [uri, text]);
	}

	public var isConnected(get, never):Bool;

	function get_isConnected():Bool {
		return connection != null && connection.connected;
	}

	function open():Void {
		final opened = new NetConnection();
		connection = opened;
		opened.objectEncoding = ObjectEncoding.AMF0;
		// RTMP, and where that does not get through RTMPS and RTMPT.
		opened.proxyType = "best";
		opened.client = {onBWDone: () -> {}, close: () -> {}};
		opened.addEventListener(NetStatusEvent.NET_STATUS, event -> if (connection == opened) receive(event.info));
		opened.addEventListener(IOErrorEvent.IO_ERROR, event -> lost(event.text));
		opened.addEventListener(SecurityErrorEvent.SECURITY_ERROR, event -> lost(event.text));
		opened.addEventListener(AsyncErrorEvent.ASYNC_ERROR, _ -> {});
		try
			opened.connect(url)
		catch (error:Any)
			lost('the address $url cannot be used: $error');
	}

	function receive(info:Dynamic):Void {
		switch (info.code : String) {
			case "NetConnection.Connect.Success":
				retryMs = firstRetryMs;
				onEvent(Connected, {});
				if (callsWait) command("callWaiting", [true]);
				sendRegistration();
			case "NetConnection.Connect.Closed":
				lost("the gateway closed the connection");
			case "NetConnection.Connect.Failed":
				lost('no gateway answers at $url');
			case "NetConnection.Connect.Rejected" | "NetConnection.Connect.InvalidApp" | "NetConnection.Connect.AppShutdown":
				lost(info.description == null ? "the gateway refuses the connection" : info.description);
			case "Sono.Call.Status":
				changed(info);
			case "Sono.Call.Incoming":
				onEvent(Incoming, party(info));
			case "Sono.Call.Waiting":
				onEvent(Waiting, party(info));
			case "Sono.Call.Switched":
				onEvent(Switched, party(info));
			case "Sono.Call.WaitingEnded":
				onEvent(WaitingEnded, {from: info.from, reason: info.reason});
			case "Sono.Call.Hold":
				onEvent(Hold, {held: info.held, local: info.local, remote: info.remote, reason: info.reason});
			case "Sono.Call.DTMF":
				onEvent(Dtmf, {digit: info.digit, duration: info.duration});
			case "Sono.Call.Transferred":
				onEvent(Transferred, {uri: info.uri});
			case "Sono.Call.TransferFailed":
				onEvent(TransferFailed, {reason: info.reason});
			case "Sono.Message":
				onEvent(Message, {from: info.from, text: info.text});
			case "Sono.Registration.Lost":
				onEvent(RegistrationLost, {reason: info.reason});
			default:
		}
	}

	static function party(info:Dynamic):Dynamic {
		return {uri: info.uri, from: info.from, displayName: info.displayName};
	}

	function changed(info:Dynamic):Void {
		status = info.status_code;
		switch (status) {
			case ConnectStreams:
				if (connection != null) streams.open(connection);
			case NotConnected | Disconnecting:
				streams.close();
			default:
		}
		onEvent(Status, {status: info.status_code, sipStatus: info.sip_status, reason: info.reason});
	}

	function sendRegistration():Void {
		final answered = (info:Dynamic) -> {
			onEvent(Registered, {uri: info.uri});
			if (settings.dial != "" && status == NotConnected) dial(settings.dial);
		};
		call("register", new Responder(answered, info -> fail(info.code, info.description, "register")), registration);
	}

	function command(name:String, ?arguments:Array<Dynamic>):Void {
		if (!isConnected)
			fail("NotConnected", 'no gateway is connected; $name needs one', name);
		else
			call(name, new Responder(_ -> {}, info -> fail(info.code, info.description, name)), arguments == null ? [] : arguments);
	}

	function call(name:String, responder:Responder, arguments:Array<Dynamic>):Void {
		final all:Array<Dynamic> = [name, responder];
		Reflect.callMethod(connection, Reflect.field(connection, "call"), all.concat(arguments));
	}

	function fail(code:String, description:String, ?command:String):Void {
		onEvent(Error, {code: code, description: description, command: command});
	}

	/** A lost connection has lost its call too. */
	function lost(reason:String):Void {
		final calling = status != NotConnected;
		drop();
		if (calling) {
			status = NotConnected;
			onEvent(Status, {status: 0, reason: reason});
		}
		if (url == null) {
			onEvent(Disconnected, {reason: reason});
			return;
		}
		final wait = retryMs;
		retryMs = Std.int(Math.min(longestRetryMs, retryMs * 2));
		retry = new Timer(wait, 1);
		retry.addEventListener(TimerEvent.TIMER, _ -> if (url != null) open());
		retry.start();
		onEvent(Disconnected, {reason: reason, retryMs: wait});
	}

	function drop():Void {
		streams.close();
		final closing = connection;
		connection = null;
		if (closing != null) closing.close();
	}
}
