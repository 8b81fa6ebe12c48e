import flash.external.ExternalInterface;
import sono.Phone;

/**
 * The Flash phone, and a method by which the page says what a gateway would: a player without RTMP has none. What the phone asks of
 * a gateway at an HTTP address goes there as Flash Remoting, over which a NetConnection never calls itself connected.
 */
class Probe extends Phone {
	static function main():Void {
		final phone = @:privateAccess sono.Main.start(Probe.new);
		ExternalInterface.addCallback("gatewayTells", (info:Dynamic) -> @:privateAccess phone.receive(info));
	}

	override function get_isConnected():Bool {
		return super.get_isConnected() || (connection != null && StringTools.startsWith(url, "http:"));
	}
}
