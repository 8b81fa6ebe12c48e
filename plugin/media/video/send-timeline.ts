import { distance32 } from '../rtp/serial.js';

/** RTP clock of video (RFC 6184 section 8.2.1) in ticks per millisecond. */
export const ticksPerMs = 90;

/** Milliseconds that a timestamp may run ahead of the clock by which messages arrive before it is not believed. */
const maxAhead = 10_000;

/** A timestamp that goes back this many milliseconds belongs to a stream that starts anew. */
const restartThreshold = 1_000;

/**
 * Maps the timestamps of RTMP video, which say when a picture is decoded, to RTP timestamps, which say when it is shown.
 * Where the source starts anew the RTP timestamps run on by the time that passed.
 */
export class VideoSendTimeline {
  /** RTP time of the last picture's decoding, not wrapped. */
  #ticks: number;
  #timestamp: number | undefined;
  #arrival = 0;

  /** @param start RTP timestamp of the first picture. */
  constructor(start: number) {
    this.#ticks = start;
  }

  place(timestamp: number, compositionTime: number, arrival: number): number {
    if (this.#timestamp !== undefined) {
      const elapsed = arrival - this.#arrival;
      const step = distance32(timestamp, this.#timestamp);
      const restarted = step < -restartThreshold || step > elapsed + maxAhead;
      this.#ticks += (restarted ? Math.max(1, Math.round(elapsed)) : step) * ticksPerMs;
    }
    this.#timestamp = timestamp;
    this.#arrival = arrival;
    return wrap(this.#ticks + compositionTime * ticksPerMs);
  }

  /**
   * The RTP timestamp of a moment, for a sender report.
   *
   * @param clientTime The RTMP timestamp of that moment as the client's audio tells it: both sources then report by one
   *   clock, which is what lips are synchronised by (RFC 3550 section 6.4.1). Without audio the last picture tells it.
   */
  at(now: number, clientTime: number | undefined): number {
    if (this.#timestamp === undefined) return wrap(this.#ticks);
    const byArrival = Math.max(0, now - this.#arrival);
    const byAudio =
      clientTime === undefined ? byArrival : distance32(Math.round(clientTime) % 2 ** 32, this.#timestamp);
    // The timestamps of one have started anew, those of the other not yet.
    const elapsed = Math.abs(byAudio - byArrival) > maxAhead ? byArrival : byAudio;
    return wrap(Math.floor(this.#ticks + elapsed * ticksPerMs));
  }
}

function wrap(ticks: number): number {
  return ((ticks % 2 ** 32) + 2 ** 32) % 2 ** 32;
}
