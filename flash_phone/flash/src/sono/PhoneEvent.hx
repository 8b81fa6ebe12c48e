package sono;

/** What a phone tells, by the names of the JavaScript API. */
enum abstract PhoneEvent(String) to String {
	/** The gateway is reached. */
	var Connected = "connected";
	/** {reason, retryMs}: the gateway is not there any more; retryMs says when the phone tries again, absent when it does not. */
	var Disconnected = "disconnected";
	/** {uri}: the address at which this phone can be called. */
	var Registered = "registered";
	/** {reason} */
	var RegistrationLost = "registrationLost";
	/** {status, sipStatus, reason}: Sono.Call.Status, 0-4. */
	var Status = "status";
	/** {uri, from, displayName} */
	var Incoming = "incoming";
	/** {held}: by the far end, or as asked. */
	var Hold = "hold";
	/** {digit, duration} */
	var Dtmf = "dtmf";
	/** {uri} */
	var Transferred = "transferred";
	/** {from, text} */
	var Message = "message";
	/** {microphone}: 0-100, ten times a second while there is a call. */
	var Level = "level";
	/** {code, description}: something that was asked for was refused. */
	var Error = "error";
}
