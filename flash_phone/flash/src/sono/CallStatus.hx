package sono;

/** The codes of Sono.Call.Status. */
enum abstract CallStatus(Int) from Int to Int {
	var NotConnected = 0;
	var InProgress = 1;
	var Connected = 2;
	var Disconnecting = 3;
	var ConnectStreams = 4;
}
