import type { ClientAudio } from './client-audio.js';
import type { Direction, SessionDescription } from './session-description.js';
import type { CallStatus } from './status.js';
import type { Termination } from './termination.js';

/** One audio or video message between the client and its call: the body of an FLV tag. */
export interface ClientFrame {
  readonly kind: 'audio' | 'video';
  /** Milliseconds, unsigned, wraps at 2^32. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** The RTMP leg, as the call sees it. */
export interface ClientPort {
  /** Tells the client where its call stands. */
  status(update: CallStatusUpdate): void;
  /** Tells the client that it is being called. */
  incoming(caller: Caller): void;
  /** Tells the client what happens in its call. */
  notice(notice: CallNotice): void;
  /** Hands a frame to the client; false when it was dropped: nobody plays, or the client reads too slowly. */
  play(frame: ClientFrame): boolean;
  /** What the client sends and can play, as far as that is known once it had the chance to show it. */
  audio(): Promise<ClientAudio>;
  /** Whether the client wants video in its call, and what is known of the video that it sends; undefined for a call without. */
  video?(): ClientVideo | undefined;
  /** The far end asks for a key frame. */
  keyFrameWanted?(): void;
}

/** The video of a client. */
export interface ClientVideo {
  /** The last AVC sequence header that it published, as an FLV video message. */
  readonly sequenceHeader?: Uint8Array;
  /** What it published since a key frame, while that is no longer ago than a second: a far end can begin with it at once. */
  readonly recent?: readonly ClientFrame[];
}

/** What happens in a call besides its status. */
export type CallNotice =
  /** The far end has pressed a key. */
  | { readonly type: 'dtmf'; readonly tone: Tone }
  /** Who holds the call now; `reason` says why a wish of the client did not come true. */
  | { readonly type: 'hold'; readonly local: boolean; readonly remote: boolean; readonly reason?: string }
  /** The call goes on with somebody else: the client, or the far end, has asked for it. */
  | { readonly type: 'transferred'; readonly uri: string }
  | { readonly type: 'transfer-failed'; readonly reason: string }
  | { readonly type: 'message'; readonly message: TextMessage };

/** One key of a telephone's keypad. */
export interface Tone {
  /** One of {@link toneDigits}. */
  readonly digit: string;
  /** Milliseconds. */
  readonly duration: number;
}

/** In the order of their event codes (RFC 4733 section 3.2). */
export const toneDigits = '0123456789*#ABCD';

export interface TextMessage {
  /** The sender's SIP address. */
  readonly from: string;
  readonly text: string;
}

export interface Caller {
  /** User that was called. */
  readonly called: string;
  /** The caller's SIP address. */
  readonly from: string;
  /** The caller's name, as the caller gave it: may hold any text. */
  readonly displayName?: string;
  /** Whether the caller offers video. */
  readonly video?: boolean;
}

export interface CallStatusUpdate {
  readonly status: CallStatus;
  /** Final SIP status, where a SIP response ended the call. */
  readonly sipStatus?: number;
  readonly reason?: string;
}

/** Places outgoing calls. */
export interface SignallingPort {
  /**
   * Reads what a person dialled.
   * @param from The caller's SIP address: a number without a domain is meant in the caller's, unless configured otherwise.
   */
  resolve(dialled: string, from: string): DialTarget;
  /** Sends an INVITE. Never throws: what goes wrong arrives as a `failed` event, and exactly one of `failed` and `ended` is the last. */
  invite(request: InviteRequest, listener: (event: SignallingEvent) => void): OutgoingInvite;
}

/** The SIP URI to call, or why there can be no call, in words for a person. */
export type DialTarget = { readonly uri: string } | { readonly refusal: string };

export interface InviteRequest {
  readonly callId: string;
  /** A SIP URI as {@link SignallingPort.resolve} gave it. */
  readonly uri: string;
  /** The caller's SIP address. */
  readonly from: string;
  /** For a server that wants to know who calls. */
  readonly credentials?: Credentials;
  readonly offer: SessionDescription;
  /** Who asked for this call, and the dialog that it is to take over, where it is made for a transfer. */
  readonly referral?: Referral;
}

/** What a REFER asks for: a call to somebody else in the place of the present one (RFC 3515). */
export interface Referral {
  /** SIP URI, without the headers that it had. */
  readonly uri: string;
  /** Value of the Replaces header that the new INVITE is to have (RFC 3891). */
  readonly replaces?: string;
  /** Value of Referred-By (RFC 3892). */
  readonly referredBy?: string;
}

/** The SIP side of an answered call. Before the answer its methods do nothing. */
export interface CallLeg {
  /** Ends the call: `ended` follows. */
  bye(reason?: string): void;
  /** Offers other media, by re-INVITE: `changed` or `unchanged` follows. One offer at a time. */
  change(offer: SessionDescription): void;
  /** Says yes to the far end's `offered`: with an answer, or with an offer where it made none. */
  acceptChange(description: SessionDescription): void;
  /** Says no to it, with a final status, 400-699. */
  refuseChange(sipStatus: number): void;
  /** Presses keys as {@link MediaSession.sendDtmf}, by INFO. */
  sendDtmf(digits: string, ms: number): void;
  /** Asks the far end for a key frame, by INFO (RFC 5168). */
  requestKeyFrame(): void;
  /** Asks the far end to call this SIP URI instead: `transferred` or `transfer-failed` follows. */
  transfer(uri: string): void;
  /** Says yes to the far end's `referred`; the outcome is to be told. */
  acceptReferral(): void;
  refuseReferral(sipStatus: number): void;
  /** Tells the far end the final response that the call had which it asked for. */
  reportReferral(sipStatus: number, reason: string): void;
}

export interface OutgoingInvite extends CallLeg {
  /** Gives up before the answer: `failed` follows, or `answered` when the answer crossed it. */
  cancel(): void;
}

/** Somebody calls. Whoever takes it listens first, then rings and answers, or rejects. */
export interface IncomingInvite extends CallLeg {
  readonly callId: string;
  readonly caller: Caller;
  /** Absent when the caller wants to hear an offer. */
  readonly offer: SessionDescription | undefined;
  /** `failed` follows when the caller gives up. */
  listen(listener: (event: SignallingEvent) => void): void;
  ring(): void;
  /** Accepts, with an answer, or with an offer where the caller made none: `established` follows, or `failed`. */
  answer(description: SessionDescription): void;
  reject(sipStatus: number): void;
}

/** What becomes of an INVITE and its call. */
export type CallSetupEvent =
  | { readonly type: 'provisional'; readonly status: number; readonly reason: string }
  /** The far end's description before its answer: it may send, and wants to be heard. */
  | { readonly type: 'early'; readonly answer: SessionDescription }
  | { readonly type: 'answered'; readonly answer: SessionDescription }
  /** `answer` is there when the offer was ours. */
  | { readonly type: 'established'; readonly answer?: SessionDescription }
  | { readonly type: 'failed'; readonly termination: Termination }
  | { readonly type: 'ended'; readonly termination: Termination };

/** What happens within an answered call. */
export type InCallEvent =
  /** The answer to {@link CallLeg.change}. */
  | { readonly type: 'changed'; readonly answer: SessionDescription }
  /** The far end has refused it: the call goes on as before. */
  | { readonly type: 'unchanged'; readonly reason: string }
  /** The far end wants other media, or, without `offer`, to hear what we offer. */
  | { readonly type: 'offered'; readonly offer?: SessionDescription }
  /** The far end's answer to an offer that it had asked for. */
  | { readonly type: 'described'; readonly answer: SessionDescription }
  | { readonly type: 'tone'; readonly tone: Tone }
  /** The far end asks for a key frame. */
  | { readonly type: 'key-frame-wanted' }
  | { readonly type: 'message'; readonly message: TextMessage }
  | { readonly type: 'transferred' }
  | { readonly type: 'transfer-failed'; readonly reason: string }
  /** The far end wants us to call somebody else. */
  | { readonly type: 'referred'; readonly referral: Referral }
  /** Somebody takes over the far end's side of the call (RFC 3891). */
  | { readonly type: 'replaced'; readonly invite: IncomingInvite };

export type SignallingEvent = CallSetupEvent | InCallEvent;

/** Sends texts outside of calls. */
export interface MessagePort {
  /** Resolves when the far end, or a server for it, has taken the text; rejects with words for a person. */
  sendMessage(request: TextRequest): Promise<void>;
}

export interface TextRequest {
  /** A SIP URI as {@link SignallingPort.resolve} gave it. */
  readonly uri: string;
  /** The sender's SIP address. */
  readonly from: string;
  readonly text: string;
  readonly credentials?: Credentials;
}

/** Keeps addresses registered. */
export interface RegistrationPort {
  /** Never throws: the first event is `registered` or `failed`; after `registered` there may be one `lost`. */
  register(request: RegistrationRequest, listener: (event: RegistrationEvent) => void): Registration;
}

export interface RegistrationRequest {
  /** The address to be called at, `sip:user@domain`. */
  readonly address: string;
  /** SIP URI of the registrar. */
  readonly registrar: string;
  /** User part of the Contact: what calls to this registration will be for. */
  readonly contactUser: string;
  readonly credentials?: Credentials;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface Registration {
  /** Un-registers. No event follows. */
  end(): void;
}

export type RegistrationEvent =
  | { readonly type: 'registered' }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'lost'; readonly reason: string };

/** Makes the media of calls. */
export interface MediaPort {
  /**
   * Takes what one call needs (sockets, ports). Frames for the client go to `play`, which owns their payload from then
   * on; `lost` is called at most once, when the media fails for good, and never from within a method of the session.
   * @throws MediaError with code `NoPorts` when every RTP port is in use, `Io` when a socket cannot be opened,
   * `NoCommonCodec` when what the client sends cannot be carried, `NoServer` when no media server takes the call.
   */
  open(options: MediaOptions): Promise<MediaSession>;
}

export interface MediaOptions {
  readonly callId: string;
  /** Decides what is offered, and in which order. Default: nothing is known. */
  readonly client?: ClientAudio;
  readonly play: (frame: ClientFrame) => boolean;
  readonly lost: (reason: string) => void;
  /** The far end has pressed a key, in RTP: once for each key, when it is let go. */
  readonly dtmf?: (tone: Tone) => void;
  /** The far end makes the first offer: {@link MediaSession.offer} is not asked for. */
  readonly incoming?: boolean;
  /** As {@link ClientPort.video}: asked when an offer or an answer is made. */
  readonly video?: () => ClientVideo | undefined;
  /** The far end asks for a key frame. */
  readonly keyFrameWanted?: () => void;
  /** A key frame is needed of a far end that has not said that it takes RTCP feedback. */
  readonly keyFrameNeeded?: () => void;
}

export interface MediaSession {
  /** The description to send in an INVITE. */
  readonly offer: SessionDescription;
  /**
   * Applies the far end's answer and starts the flow in both directions; a further answer changes it.
   * Rejects with a MediaError: `NoCommonCodec` when the answer has nothing we can serve.
   */
  accept(answer: SessionDescription): Promise<void>;
  /**
   * Whether an offer can be answered; nothing is started.
   * @throws MediaError with code `NoCommonCodec`
   */
  check(offer: SessionDescription): void;
  /**
   * Starts the flow in both directions as the far end's offer says; a further offer changes it, and leaves it as it was
   * when it cannot be answered. Held, the answer says that we do not want to hear anything.
   * Resolves to the description to answer with; rejects with a MediaError.
   */
  answer(offer: SessionDescription, held?: boolean): Promise<SessionDescription>;
  /**
   * What to offer within the call: the media as they are, in another direction. `anew` is for somebody else than the far
   * end so far: everything that we speak.
   */
  reoffer(direction: Direction, anew?: boolean): SessionDescription;
  /**
   * Presses keys, of {@link toneDigits}, one after the other, each for `ms` milliseconds, in RTP (RFC 4733). False when
   * the far end does not take them so: nothing was done. Keys beyond what may wait are dropped.
   */
  sendDtmf(digits: string, ms: number): boolean;
  /** A frame that the client published. Anything unusable is counted and dropped. */
  write(frame: ClientFrame): void;
  /** A player needs a key frame of the far end. Absent in engines without video. */
  requestKeyFrame?(): void;
  /** Stops the flow and gives the ports back. A second call does nothing. Returns what was measured. */
  close(): MediaReport;
}

/** Figures of one call, both directions, for the log. */
export type MediaReport = Readonly<Record<string, number | string>>;

export type MediaErrorCode = 'NoPorts' | 'Io' | 'NoCommonCodec' | 'NoServer';

export class MediaError extends Error {
  override readonly name = 'MediaError';
  readonly code: MediaErrorCode;

  constructor(code: MediaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
