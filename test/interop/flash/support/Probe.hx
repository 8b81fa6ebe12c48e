import flash.external.ExternalInterface;

/** The Flash phone, and a method by which the page says what a gateway would: a player without RTMP has none. */
class Probe {
	static function main():Void {
		final phone = @:privateAccess sono.Main.start();
		ExternalInterface.addCallback("gatewayTells", (info:Dynamic) -> @:privateAccess phone.receive(info));
	}
}
