package sono.view;

import flash.display.Sprite;
import flash.text.TextField;

/** The phone's face. */
class PhoneView extends Sprite {
	static inline final breadth = 296;

	final phone:Phone;
	final headline = text(16, true, 22);
	final detail = text(11, false, 30);
	final destination:Field;
	final call:Button;
	final end:Button;
	final mute:Button;
	final hold:Button;
	final transfer:Button;
	final settingsButton:Button;
	final panel:RegisterPanel;
	final microphone:Level;
	final log = new CallLog(breadth, 74);
	var address = "";
	var party = "";
	var direction = "to";
	var ringing = false;
	/** Whether somebody else calls during the call: accepted, that holds the other. */
	var waiting = false;
	var held = false;
	var answered = false;

	public function new(phone:Phone, settings:Settings) {
		super();
		this.phone = phone;
		x = 12;
		destination = new Field("Number or SIP address", breadth, dial);
		call = new Button("Call", 146, 36, Style.call, dial);
		end = new Button("Hang up", 146, 36, Style.end, hangup);
		mute = new Button("Mute", 96, 26, Style.plain, () -> setMuted(!phone.devices.muted));
		hold = new Button("Hold", 96, 26, Style.plain, () -> phone.hold(!held));
		transfer = new Button("Transfer", 96, 26, Style.plain, () -> phone.transfer(destination.value));
		microphone = new Level("Microphone", breadth, phone.devices.gain / 100, value -> phone.devices.gain = Std.int(value * 100));
		final speaker = new Level("Loudspeaker", breadth, phone.devices.volume, value -> phone.devices.volume = value);
		settingsButton = new Button("...", 36, 22, Style.plain, () -> panel.visible = true);
		panel = new RegisterPanel(breadth, 236, settings, (user, registrar, password) -> {
			if (user == "") phone.register() else phone.register(user, registrar, password);
		}, () -> panel.visible = false);
		panel.visible = false;

		place(headline, 0, 8);
		place(detail, 0, 32);
		place(settingsButton, breadth - 36, 8);
		place(destination, 0, 58);
		place(new KeyPad(press), 0, 106);
		place(call, 0, 254);
		place(end, 150, 254);
		place(mute, 0, 296);
		place(hold, 100, 296);
		place(transfer, 200, 296);
		place(microphone, 0, 330);
		place(speaker, 0, 352);
		place(log, 0, 378);
		place(panel, 0, 58);
		say("Connecting", settings.url);
		refresh();
	}

	/** What the phone has told. */
	public function show(event:PhoneEvent, details:Dynamic):Void {
		switch (event) {
			case Connected:
				say("Connected", "");
			case Disconnected:
				say("No gateway", details.reason);
			case Registered:
				address = details.uri;
				say("Ready", 'I am $address');
			case RegistrationLost:
				say("Not registered", details.reason);
			case Incoming:
				ringing = true;
				direction = "from";
				party = nameOf(details);
				say("Call for you", party);
			case Status:
				changed(details);
			case Hold:
				held = details.held;
				hold.caption = held ? "Resume" : "Hold";
				say(held ? "On hold" : "Connected", party);
			case Dtmf:
				say(headline.text, '${details.digit} pressed at the other end');
			case Transferred:
				say("Transferred", details.uri);
			case TransferFailed:
				say("Not transferred", details.reason);
			case Waiting:
				waiting = true;
				say("Call waiting", nameOf(details));
			case WaitingEnded:
				waiting = false;
				say("Connected", party);
			case Switched:
				waiting = false;
				party = nameOf(details);
				say("Connected", party);
			case Message:
				say('Message from ${details.from}', details.text);
			case Level:
				microphone.heard = details.microphone / 100;
			case Error:
				say("That did not work", details.description);
		}
		refresh();
	}

	static function nameOf(caller:Dynamic):String {
		return caller.displayName == null ? caller.from : '${caller.displayName} (${caller.from})';
	}

	function changed(details:Dynamic):Void {
		switch ((details.status : CallStatus)) {
			case InProgress:
				say("Calling", party);
			case ConnectStreams:
				ringing = false;
			case Connected:
				answered = true;
				say("Connected", party);
			case Disconnecting:
				say("Hanging up", party);
			case NotConnected:
				final outcome = answered ? "ended" : details.reason == null ? "not answered" : details.reason;
				log.add(direction, party, outcome);
				say(answered ? "Call ended" : "Not connected", outcome);
				ringing = waiting = answered = held = false;
				hold.caption = "Hold";
				setMuted(false);
				microphone.heard = 0;
		}
	}

	function dial():Void {
		if (ringing || waiting) {
			phone.accept();
			return;
		}
		direction = "to";
		party = destination.value;
		phone.dial(party);
	}

	function hangup():Void {
		if (ringing) phone.reject() else phone.hangup();
	}

	function press(digit:String):Void {
		if (answered) phone.sendDTMF(digit) else destination.value += digit;
	}

	function setMuted(muted:Bool):Void {
		phone.mute(muted);
		mute.caption = muted ? "Unmute" : "Mute";
	}

	function refresh():Void {
		final calling = phone.status != NotConnected;
		call.caption = ringing || waiting ? "Accept" : "Call";
		end.caption = ringing ? "Reject" : "Hang up";
		call.enabled = phone.isConnected && (ringing || waiting || !calling);
		end.enabled = ringing || calling;
		mute.enabled = hold.enabled = transfer.enabled = answered;
	}

	function say(what:String, more:String):Void {
		headline.text = what;
		detail.text = more == null ? "" : more;
	}

	function place(child:flash.display.DisplayObject, left:Float, top:Float):Void {
		child.x = left;
		child.y = top;
		addChild(child);
	}

	static function text(size:Int, bold:Bool, rise:Float):TextField {
		final field = new TextField();
		field.defaultTextFormat = Style.format(size, bold ? Style.text : Style.faint, bold);
		field.width = breadth - (bold ? 40 : 0);
		field.height = rise;
		field.wordWrap = true;
		field.multiline = true;
		return field;
	}
}
