import type { Headers } from './message/headers.js';
import type { SipMessage } from './message/message.js';
import type { Protocol } from './transport/types.js';

/** What sits above the transactions and dialogs: an application on the control port, or one of the numbers. */
export interface TransactionUser {
  /** False once it has gone; its dialogs then answer 481. */
  readonly alive: boolean;
  receive(event: UserEvent): void;
}

/** A request or response shown to a transaction user. */
export interface UserEvent {
  /** `application`: a request the server itself has sent in a dialog of the user. */
  readonly source: 'network' | 'application';
  readonly message: SipMessage;
  /** The message as received, but with the source address in a request's top Via. */
  readonly text: string;
  /** Size of the message on the wire. */
  readonly bytes: number;
  /** Empty for an ACK, as the drachtio server has it; `unknown` where nothing was sent. */
  readonly protocol: Protocol | '' | 'unknown';
  /** Address and port of the peer; empty and 0 for a response made up here. */
  readonly address: string;
  readonly port: number;
  /** Answers to a request name it; a response carries the id given when its request was sent. */
  readonly transactionId: string;
  /** Empty outside dialogs. */
  readonly dialogId: string;
  /** Where the request came in; only on requests outside a dialog. */
  readonly receivedOn?: { readonly address: string; readonly port: number };
}

export interface OutgoingRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: Headers;
  readonly body: string;
  /** Set in a request inside a dialog. */
  readonly dialogId?: string;
  /** Set in a CANCEL: the INVITE it cancels. */
  readonly transactionId?: string;
  /** URI of the next hop where it is not the Request-URI; no Route header is made of it. */
  readonly nextHop?: string;
}

export interface OutgoingResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: string;
}

export interface Sent {
  readonly ok: true;
  readonly text: string;
  readonly bytes: number;
  readonly protocol: Protocol | '' | 'unknown';
  /** Of a request: our address; of a response: the peer's. */
  readonly address: string;
  readonly port: number;
  readonly transactionId: string;
  /** Of a response to a request that makes or is in an INVITE or SUBSCRIBE dialog; else empty. */
  readonly dialogId: string;
}

export interface NotSent {
  readonly ok: false;
  readonly reason: string;
}

export type SendResult = Sent | NotSent;
