import type { CallStatus } from '../../../plugin/call/status.js';

export { CallStatus } from '../../../plugin/call/status.js';

/** Who calls. Texts from callers are anything: they are set as text, never as markup. */
export interface Party {
  /** The user that was called. */
  readonly uri: string;
  /** The caller's address. */
  readonly from: string;
  /** What the caller says is the name. */
  readonly displayName?: string;
}

/** What a phone tells. The names and details are those of the Flash phone. */
export interface SonoPhoneEvents {
  /** The gateway is reached. */
  connected: Record<never, never>;
  /** It is not, or not any more; `retryMs` says when the phone tries again, absent when it does not. */
  disconnected: { readonly reason: string; readonly retryMs?: number };
  /** The SIP address at which this phone can be called. */
  registered: { readonly uri: string };
  registrationLost: { readonly reason: string };
  /** On 0 after a call that failed, the SIP status and the reason in words. */
  status: { readonly status: CallStatus; readonly sipStatus?: number; readonly reason?: string };
  /** Somebody calls. */
  incoming: Party;
  /** Somebody else calls during a call. */
  waiting: Party;
  /** The call is with this party now; the other one, if there still is one, is held. */
  switched: Party;
  /** The call that waited, or the one that was held, is over. */
  waitingEnded: { readonly from: string; readonly reason?: string };
  /** By this phone (`local`), by the far end (`remote`); `reason` says why a wish of this phone was not granted. */
  hold: { readonly held: boolean; readonly local: boolean; readonly remote: boolean; readonly reason?: string };
  dtmf: { readonly digit: string; readonly duration: number };
  transferred: { readonly uri: string };
  /** The far end could not be transferred: the call goes on. */
  transferFailed: { readonly reason: string };
  message: { readonly from: string; readonly text: string };
  /** Once a second in a call. */
  quality: CallQuality;
  /** Ten times a second in a call, 0-100. */
  level: { readonly microphone: number; readonly speaker: number };
  /** Something that was asked for was refused, or cannot be; `command` names the method where it was one. */
  error: { readonly code: string; readonly description: string; readonly command?: string };
}

export interface CallQuality {
  /** Part of the last second's frames that never came, 0-1. */
  readonly loss: number;
  /** Part that came too late to be played. */
  readonly late: number;
  /** Milliseconds by which frames come unevenly. */
  readonly jitterMs: number;
  /** Milliseconds that wait to be played. */
  readonly bufferMs: number;
  /** Milliseconds to the gateway and back; absent until measured. */
  readonly roundTripMs?: number;
}

/** What the gateway refused, or this phone could not do: becomes the event `error`. */
export class SonoPhoneError extends Error {
  override readonly name = 'SonoPhoneError';
  readonly code: string;
  /** The method that was called. */
  readonly command: string | undefined;

  constructor(code: string, description: string, { command, ...options }: ErrorOptions & { command?: string } = {}) {
    super(description, options);
    this.code = code;
    this.command = command;
  }
}
