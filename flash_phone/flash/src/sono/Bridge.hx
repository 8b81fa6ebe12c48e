package sono;

import flash.external.ExternalInterface;

/** The phone in the hands of the page: its methods can be called from JavaScript, its events call a function there. */
class Bridge {
	final callback:String;

	public function new(phone:Phone, callback:String) {
		this.callback = callback;
		if (!ExternalInterface.available) return;
		final methods:Array<{name:String, run:haxe.Constraints.Function}> = [
			{name: "connect", run: phone.connect},
			{name: "disconnect", run: phone.disconnect},
			{name: "register", run: phone.register},
			{name: "unregister", run: phone.unregister},
			{name: "dial", run: phone.dial},
			{name: "accept", run: phone.accept},
			{name: "reject", run: phone.reject},
			{name: "hangup", run: phone.hangup},
			{name: "sendDTMF", run: phone.sendDTMF},
			{name: "hold", run: phone.hold},
			{name: "callWaiting", run: phone.callWaiting},
			{name: "swap", run: phone.swap},
			{name: "mute", run: phone.mute},
			{name: "transfer", run: phone.transfer},
			{name: "sendMessage", run: phone.sendMessage},
		];
		for (method in methods) ExternalInterface.addCallback(method.name, method.run);
	}

	/**
	 * Hands an event to the page. Players put arguments into JavaScript text and do not escape all that needs it: what a
	 * caller named himself would be run. Percent-encoded nothing needs escaping.
	 */
	public function tell(event:String, details:Dynamic):Void {
		if (callback == "" || !ExternalInterface.available) return;
		ExternalInterface.call(callback, event, StringTools.urlEncode(Details.json(details)));
	}
}
