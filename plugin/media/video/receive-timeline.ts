import { distance32 } from '../rtp/serial.js';
import { ticksPerMs } from './send-timeline.js';

/** Milliseconds that a timestamp may be ahead of the clock, or behind the picture before, to be believed. */
const maxAhead = 10_000;
const maxBehind = 1_000;

/** Milliseconds that lip sync may move a picture; reports that ask for more contradict what arrives. */
const maxCorrection = 5_000;

export interface ReceiveTimelineOptions {
  /** RTMP timestamp for what arrives first at this moment of the clock. */
  readonly origin: (arrival: number) => number;
  /** RTMP timestamp that the audio has at the moment of this RTP timestamp, when the sender's reports tell. */
  readonly inAudioTime: (rtpTimestamp: number) => number | undefined;
}

/** Maps the RTP timestamps of video to RTMP's: in time with the audio, never back. */
export class VideoReceiveTimeline {
  readonly #options: ReceiveTimelineOptions;
  #rtpTimestamp: number | undefined;
  #arrival = 0;
  /** Milliseconds at which the last picture is shown, and decoded. */
  #shown = 0;
  #decoded = -1;

  constructor(options: ReceiveTimelineOptions) {
    this.#options = options;
  }

  /** The next picture comes from another source. */
  restart(): void {
    this.#rtpTimestamp = undefined;
  }

  /** Milliseconds of a picture's decoding, and from there to its being shown: below 0 where the sender reorders pictures. */
  place(rtpTimestamp: number, arrival: number): { readonly timestamp: number; readonly compositionTime: number } {
    this.#shown = this.#next(rtpTimestamp, arrival);
    const inAudioTime = this.#options.inAudioTime(rtpTimestamp);
    if (inAudioTime !== undefined && Math.abs(inAudioTime - this.#shown) < maxCorrection) this.#shown = inAudioTime;
    this.#rtpTimestamp = rtpTimestamp;
    this.#arrival = arrival;
    const shown = Math.max(0, Math.round(this.#shown));
    this.#decoded = Math.max(this.#decoded + 1, shown);
    return { timestamp: this.#decoded % 2 ** 32, compositionTime: shown - this.#decoded };
  }

  #next(rtpTimestamp: number, arrival: number): number {
    if (this.#decoded < 0) return this.#options.origin(arrival);
    const elapsed = arrival - this.#arrival;
    if (this.#rtpTimestamp === undefined) return this.#shown + Math.max(1, elapsed);
    const step = distance32(rtpTimestamp, this.#rtpTimestamp) / ticksPerMs;
    return this.#shown + (step < -maxBehind || step > elapsed + maxAhead ? Math.max(1, elapsed) : step);
  }
}
