import type { RtmpConnection } from 'rtmp-server-ts/browser';
import type { CallQuality } from './events.js';

interface Counts {
  readonly played: number;
  readonly lost: number;
  readonly late: number;
  readonly jitterMs: number;
  readonly bufferMs: number;
}

const nothing = { played: 0, lost: 0, late: 0 };

/** What each second of a call was like. */
export class QualityMeter {
  #before: Pick<Counts, 'played' | 'lost' | 'late'> = nothing;
  #roundTripMs: number | undefined;
  #measuring = false;

  /** @param counts since the call began */
  second(counts: Counts): CallQuality {
    const before = this.#before;
    this.#before = counts;
    const played = counts.played - before.played;
    const lost = counts.lost - before.lost;
    const late = counts.late - before.late;
    const all = Math.max(1, played + lost + late);
    return {
      loss: lost / all,
      late: late / all,
      jitterMs: counts.jitterMs,
      bufferMs: counts.bufferMs,
      ...(this.#roundTripMs !== undefined && { roundTripMs: this.#roundTripMs }),
    };
  }

  /** Asks what every RTMP server answers at once, and takes the time. */
  async measure(connection: RtmpConnection): Promise<void> {
    if (this.#measuring) return;
    this.#measuring = true;
    const asked = performance.now();
    await connection.call('getStreamLength', '').catch(() => {});
    this.#roundTripMs = Math.round(performance.now() - asked);
    this.#measuring = false;
  }

  reset(): void {
    this.#before = nothing;
    this.#roundTripMs = undefined;
  }
}
