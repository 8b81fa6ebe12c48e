import type { ClientAudio } from '../client-audio.js';
import type { CallStatus } from '../status.js';
import type { Tone } from './tone.js';

/** One audio or video message between the client and its call: the body of an FLV tag. */
export interface ClientFrame {
  readonly kind: 'audio' | 'video';
  /** Milliseconds, unsigned, wraps at 2^32. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** Plays what the far end says. */
export interface FramePlayer {
  /** Hands a frame to the client; false when it was dropped: nobody plays, or the client reads too slowly. */
  play(frame: ClientFrame): boolean;
}

/** The RTMP leg, as the call sees it. */
export interface ClientPort extends FramePlayer {
  /** Tells the client where its call stands. */
  status(update: CallStatusUpdate): void;
  /** Tells the client that it is being called. */
  incoming(caller: Caller): void;
  /** Tells the client what happens in its call. */
  notice(notice: CallNotice): void;
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
