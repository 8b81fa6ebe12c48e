import type { ClientAudio } from '../client-audio.js';
import type { Direction, SessionDescription } from '../session-description.js';
import type { ClientFrame, ClientPort, ClientVideo, FramePlayer } from './client.js';
import type { Tone, toneDigits } from './tone.js';

/** Makes the media of calls. */
export interface MediaPort {
  /**
   * Takes what one call needs (sockets, ports). Frames for the client go to `player`, which owns their payload from
   * then on; `lost` is called at most once, when the media fails for good, and never from within a method of the session.
   * @throws MediaError with code `NoPorts` when every RTP port is in use, `Io` when a socket cannot be opened,
   * `NoCommonCodec` when what the client sends cannot be carried, `NoServer` when no media server takes the call.
   */
  open(options: MediaOptions): Promise<MediaSession>;
}

export interface MediaOptions {
  readonly callId: string;
  /** Decides what is offered, and in which order. Default: nothing is known. */
  readonly client?: ClientAudio;
  readonly player: FramePlayer;
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
