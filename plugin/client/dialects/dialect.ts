import type { PublishRequest, RpcCall } from 'rtmp-server-ts';
import type { Caller, CallStatusUpdate } from '../../call/ports.js';

/** What any client can do with its line, whatever its API calls it. */
export interface PhoneLine {
  /** The SIP address of this client. */
  readonly address: string;
  dial(destination: string): DialOutcome;
  /** Ends the call, or the attempt at one; without a call it does nothing. */
  hangup(): void;
  /** Answers the incoming call; without one it does nothing. */
  accept(): void;
  /** Refuses the incoming call with a final SIP status, 400-699; without one it does nothing. */
  decline(sipStatus: number): void;
}

/** `undefined` when the call is being set up. */
export type DialOutcome = DialRefusal | undefined;

export interface DialRefusal {
  readonly code: 'existing' | 'failed';
  /** For people. */
  readonly description: string;
}

/** The API of one kind of client: its commands become calls on the line, what the line tells becomes pushes. */
export interface Dialect {
  /** A command on the NetConnection that RTMP itself does not define; false when this API does not know it. */
  command(call: RpcCall): boolean;
  status(update: CallStatusUpdate): void;
  /** The client is being called. */
  incoming(caller: Caller): void;
  /** The client starts to send on one of its streams. Answers the request. */
  publish(request: PublishRequest): void;
  /** It has stopped. */
  unpublish(): void;
}
