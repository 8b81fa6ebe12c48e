import type { PublishRequest, RpcCall } from 'rtmp-server-ts';
import type { Caller, CallNotice, CallStatusUpdate, Credentials, RegistrarAddress } from '../../call/ports.js';
import type { CallsNotice } from '../line-client.js';

/** What a person is told who calls or registers while there is no SIP server. */
export const noServer = 'the SIP server cannot be reached; try again in a moment';

/** What any client can do with its line, whatever its API calls it. */
export interface PhoneLine {
  /** The SIP address of this client: the registered one, or made up; none while there is no SIP server. */
  readonly address: string | undefined;
  /** Where to register an address of this domain, or of none in particular, when the client does not say where. */
  home(domain: string | undefined): RegistrarAddress | undefined;
  /**
   * Gives the client its made-up address in place of what it was registered as, at once; none while there is no SIP server.
   * Where a registrar is configured it learns of the address too: `lost` tells when it does not want to, or not any more.
   */
  registerMadeUp(lost: (reason: string) => void): string | undefined;
  /**
   * Registers the client in place of what it was registered as. Rejects, with words for a person, when the registrar
   * refuses; `lost` is called when a registration that succeeded is lost for good.
   */
  register(wish: RegistrationWish, lost: (reason: string) => void): Promise<void>;
  unregister(): void;
  /** Whether {@link dial} would be refused. */
  check(destination: string): DialOutcome;
  dial(destination: string, wish?: CallWish): DialOutcome;
  /** Ends the call, or the attempt at one; without a call it does nothing. With a held one besides, that goes on. */
  hangup(): void;
  /** Answers the incoming call, also one that waits beside another, which is held then; without one it does nothing. */
  accept(wish?: CallWish): void;
  /** Refuses the incoming call with a final SIP status, 400-699; without one it does nothing. */
  decline(sipStatus: number): void;
  /** Whether somebody may ring while there is a call that is answered. Default false: they find the line busy. */
  callWaiting(on: boolean): void;
  /** Exchanges the call and the held one; the outcome is told as `switched`. */
  swap(): Refusal | undefined;
  /** Presses keys in the call, each for `ms` milliseconds; the refusal is for a person. */
  sendDtmf(digits: string, ms: number): Refusal | undefined;
  /** Holds the call, or ends that; the outcome is told as a notice. */
  hold(held: boolean): Refusal | undefined;
  /** Passes the far end on to this address; the outcome is told as a notice. */
  transfer(destination: string): Refusal | undefined;
  /** Sends a text to an address. Rejects with words for a person. */
  sendMessage(destination: string, text: string): Promise<void>;
}

/** Why nothing was done, in words for a person. */
export interface Refusal {
  readonly description: string;
}

export interface RegistrationWish {
  /** `sip:user@domain`. */
  readonly address: string;
  /** SIP URI of the registrar. */
  readonly registrar: string;
  readonly credentials?: Credentials;
}

export interface CallWish {
  /** Offers, or accepts, video also if the client sends none yet. Default false. */
  readonly video?: boolean;
}

/** `undefined` when the call is being set up. */
export type DialOutcome = DialRefusal | undefined;

export interface DialRefusal extends Refusal {
  readonly code: 'existing' | 'failed';
}

/** The API of one kind of client: its commands become calls on the line, what the line tells becomes pushes. */
export interface Dialect {
  /** A command on the NetConnection that RTMP itself does not define; false when this API does not know it. */
  command(call: RpcCall): boolean;
  status(update: CallStatusUpdate): void;
  /** The client is being called. */
  incoming(caller: Caller): void;
  /** Something happens in the call. */
  notice(notice: CallNotice): void;
  /** Something becomes of two calls at a time: only an API that turns call waiting on needs it. */
  calls?(notice: CallsNotice): void;
  /** The client starts to send on one of its streams. Answers the request. */
  publish(request: PublishRequest): void;
  /** What it sends is known: metadata or media have come, or none for a while. */
  published?(): void;
  /** It has stopped. */
  unpublish(): void;
  /** The far end asks for a key frame. */
  keyFrameWanted?(): void;
}
