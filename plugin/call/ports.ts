import type { ClientAudio } from './client-audio.js';
import type { SessionDescription } from './session-description.js';
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
}

export interface OutgoingInvite {
  /** Gives up before the answer: `failed` follows, or `answered` when the answer crossed it. */
  cancel(): void;
  /** Ends the answered call: `ended` follows. */
  bye(reason?: string): void;
}

/** Somebody calls. Whoever takes it listens first, then rings and answers, or rejects. */
export interface IncomingInvite {
  readonly callId: string;
  readonly caller: Caller;
  /** Absent when the caller wants to hear an offer. */
  readonly offer: SessionDescription | undefined;
  /** `failed` follows when the caller gives up. */
  listen(listener: (event: SignallingEvent) => void): void;
  ring(): void;
  /** Accepts: `established` follows, or `failed`. */
  answer(answer: SessionDescription): void;
  reject(sipStatus: number): void;
  /** Ends the accepted call, once it is established: `ended` follows. */
  bye(reason?: string): void;
}

export type SignallingEvent =
  | { readonly type: 'provisional'; readonly status: number; readonly reason: string }
  | { readonly type: 'answered'; readonly answer: SessionDescription }
  | { readonly type: 'established' }
  | { readonly type: 'failed'; readonly termination: Termination }
  | { readonly type: 'ended'; readonly termination: Termination };

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
   * `NoCommonCodec` when what the client sends cannot be carried.
   */
  open(options: MediaOptions): Promise<MediaSession>;
}

export interface MediaOptions {
  readonly callId: string;
  /** Decides what is offered, and in which order. Default: nothing is known. */
  readonly client?: ClientAudio;
  readonly play: (frame: ClientFrame) => boolean;
  readonly lost: (reason: string) => void;
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
   * Starts the flow in both directions as the far end's offer says.
   * Resolves to the description to answer with; rejects with a MediaError.
   */
  answer(offer: SessionDescription): Promise<SessionDescription>;
  /** A frame that the client published. Anything unusable is counted and dropped. */
  write(frame: ClientFrame): void;
  /** A player needs a key frame of the far end. Absent in engines without video. */
  requestKeyFrame?(): void;
  /** Stops the flow and gives the ports back. A second call does nothing. Returns what was measured. */
  close(): MediaReport;
}

/** Figures of one call, both directions, for the log. */
export type MediaReport = Readonly<Record<string, number | string>>;

export type MediaErrorCode = 'NoPorts' | 'Io' | 'NoCommonCodec';

export class MediaError extends Error {
  override readonly name = 'MediaError';
  readonly code: MediaErrorCode;

  constructor(code: MediaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
