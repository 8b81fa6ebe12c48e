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
	/** {uri, from, displayName}: somebody else calls during a call. */
	var Waiting = "waiting";
	/** {uri, from, displayName}: the call is with this party now; the other one, if there still is one, is held. */
	var Switched = "switched";
	/** {from, reason}: the call that waited, or the one that was held, is over. */
	var WaitingEnded = "waitingEnded";
	/** {held, local, remote, reason}: by this phone, by the far end; reason says why what was asked for was not granted. */
	var Hold = "hold";
	/** {digit, duration} */
	var Dtmf = "dtmf";
	/** {uri} */
	var Transferred = "transferred";
	/** {reason}: the call goes on. */
	var TransferFailed = "transferFailed";
	/** {from, text} */
	var Message = "message";
	/** {microphone}: 0-100, ten times a second while there is a call. */
	var Level = "level";
	/** {code, description, command}: something that was asked for was refused; the method, where it was one. */
	var Error = "error";
}
