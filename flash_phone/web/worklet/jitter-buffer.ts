/** 20 ms of one codec, as it was received. */
export interface Frame {
  /** Milliseconds of the sender's clock. */
  readonly timestamp: number;
  readonly codec: 'speex' | 'pcmu' | 'pcma';
  readonly data: Uint8Array;
}

/** What to play for the next 20 ms. */
export type Turn =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** One is missing: make up for it. */
  | { readonly kind: 'conceal' }
  /** Nothing is being said, or nothing has come for so long that there is nothing to go on from. */
  | { readonly kind: 'silence' };

export interface JitterStatistics {
  /** Frames that were played. */
  readonly played: number;
  /** Frames that never came: the gateway had nothing for their place in time. */
  readonly lost: number;
  /** Frames that were not there when their turn came, or came in such a heap that they were dropped. */
  readonly late: number;
  /** Milliseconds by which frames come unevenly. */
  readonly jitterMs: number;
  /** Milliseconds that wait to be played. */
  readonly bufferMs: number;
}

export const frameMs = 20;
/** The buffer holds no more than this: beyond it a call is no conversation, and the oldest is dropped. */
const longestMs = 500;
/** Frames pass the page on their way here, and pages are never quite on time. */
const shortestTargetMs = 40;
const longestTargetMs = 300;
/** Frames whose arrival is remembered: 4 s. */
const remembered = 200;
/** Frames that are made up in a row before there is silence. */
const concealed = 5;
/** A surplus is kept for this many frames in the hope of a pause in speech, in which nobody hears it go. */
const patience = 100;

/**
 * Keeps as much audio back as arrivals are uneven, so that each 20 ms have something to play. RTMP never reorders; frames that
 * the far end's network lost show as gaps in the timestamps. Deterministic: times are given.
 */
export class JitterBuffer {
  readonly #queue: Frame[] = [];
  /** Arrival minus timestamp, of the last frames. */
  readonly #transits: number[] = [];
  /** Milliseconds by which arrivals are uneven. */
  #spread = 0;
  #playing = false;
  /** Timestamp that is to be played next. */
  #next = 0;
  /** Frames made up in a row since the buffer ran dry. */
  #stoodStill = 0;
  #lostInRow = 0;
  #surplusFor = 0;
  #played = 0;
  #lost = 0;
  #late = 0;

  /** @param now milliseconds of the listener's clock */
  insert(frame: Frame, now: number): void {
    const transit = now - frame.timestamp;
    const previous = this.#transits.at(-1);
    // A new stream, or a clock that was set: what was learnt of the old one does not help.
    if (previous !== undefined && Math.abs(transit - previous) > 5_000) this.#restart();
    this.#transits.push(transit);
    if (this.#transits.length > remembered) this.#transits.shift();
    this.#spread = spreadOf(this.#transits);
    this.#queue.push(frame);
    if (this.#queue.length * frameMs > longestMs) {
      while (this.#queue.length * frameMs > this.#targetMs) this.#drop();
    }
  }

  /** Called each 20 ms. @param quiet whether nobody is heard at the moment, so that a frame more or less goes unnoticed */
  next(quiet: boolean): Turn {
    if (!this.#playing) {
      if (this.#queue.length * frameMs < this.#targetMs) return { kind: 'silence' };
      this.#playing = true;
      this.#next = this.#queue[0]?.timestamp ?? 0;
      this.#stoodStill = 0;
    }
    this.#shorten(quiet);
    const head = this.#queue[0];
    if (head === undefined) return this.#underrun();
    const gap = head.timestamp - this.#next;
    // Its place may have been filled already, while nobody knew whether it comes late or never.
    const missing = gap - this.#stoodStill * frameMs;
    if (missing >= frameMs / 2 && gap <= longestMs) return this.#missing();
    this.#queue.shift();
    this.#next = head.timestamp + frameMs;
    this.#stoodStill = 0;
    this.#lostInRow = 0;
    this.#played++;
    return { kind: 'frame', frame: head };
  }

  get statistics(): JitterStatistics {
    return {
      played: this.#played,
      lost: this.#lost,
      late: this.#late,
      jitterMs: Math.round(this.#spread),
      bufferMs: this.#queue.length * frameMs,
    };
  }

  /** One frame in hand, and what uneven arrivals take. */
  get #targetMs(): number {
    const wanted = frameMs * Math.ceil((frameMs + this.#spread) / frameMs);
    return Math.max(shortestTargetMs, Math.min(longestTargetMs, wanted));
  }

  #underrun(): Turn {
    if (this.#stoodStill === concealed) {
      this.#playing = false;
      return { kind: 'silence' };
    }
    this.#late++;
    this.#stoodStill++;
    return { kind: 'conceal' };
  }

  /** What waits keeps its place; what is missing before it was lost on its way to the gateway. */
  #missing(): Turn {
    this.#lost++;
    this.#next += frameMs;
    return this.#lostInRow++ < concealed ? { kind: 'conceal' } : { kind: 'silence' };
  }

  #shorten(quiet: boolean): void {
    this.#surplusFor = this.#queue.length * frameMs > this.#targetMs + frameMs ? this.#surplusFor + 1 : 0;
    if (this.#surplusFor > 0 && (this.#surplusFor > patience || (quiet && this.#surplusFor > 10))) {
      this.#queue.shift();
      this.#next = this.#queue[0]?.timestamp ?? this.#next;
      this.#surplusFor = 0;
    }
  }

  #drop(): void {
    this.#queue.shift();
    this.#late++;
    this.#next = this.#queue[0]?.timestamp ?? this.#next;
  }

  #restart(): void {
    this.#transits.length = 0;
    this.#queue.length = 0;
    this.#playing = false;
  }
}

/** How much later than the fastest all but the latest few arrive. */
function spreadOf(transits: readonly number[]): number {
  const sorted = Float64Array.from(transits).sort();
  return (sorted[Math.floor((sorted.length - 1) * 0.97)] ?? 0) - (sorted[0] ?? 0);
}
