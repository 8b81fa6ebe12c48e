import type { CallQuality } from '../src/events.js';
import type { SonoPhone } from '../src/sono-phone.js';
import { button, element, setText } from './dom.js';
import { duration } from './words.js';

/** What the call is like: levels, timer, quality, and who holds it. */
export class CallDisplay {
  /** Whether this side holds the call. */
  held = false;
  /** Milliseconds of performance.now() when the call was answered; undefined: it was not. */
  readonly #answeredAt: () => number | undefined;

  constructor(phone: SonoPhone, answeredAt: () => number | undefined) {
    this.#answeredAt = answeredAt;
    phone.on('level', ({ microphone, speaker }) => this.#level(microphone, speaker));
    phone.on('quality', (quality) => this.#quality(quality));
  }

  /** @param answered whether there is a call for which that means something */
  hold(local: boolean, remote: boolean, answered: boolean): void {
    this.held = local;
    button('hold').setAttribute('aria-pressed', String(local));
    const words = local ? 'On hold' : remote ? 'The other side holds the call' : 'Connected';
    if (answered) setText('call-state', words);
  }

  /** Before a call. */
  clear(): void {
    setText('timer', '');
    setText('quality-text', 'Measuring…');
    element('quality', HTMLElement).dataset.quality = 'none';
  }

  #level(microphone: number, speaker: number): void {
    element('said', HTMLMeterElement).value = microphone;
    element('heard', HTMLMeterElement).value = speaker;
    const since = this.#answeredAt();
    // Levels come from the audio thread, which no browser slows down: so does the timer.
    if (since !== undefined) setText('timer', duration((performance.now() - since) / 1000));
  }

  #quality({ loss, late, bufferMs, jitterMs, roundTripMs }: CallQuality): void {
    const missing = loss + late;
    const grade = missing < 0.02 && bufferMs < 200 ? 'good' : missing < 0.08 ? 'fair' : 'poor';
    element('quality', HTMLElement).dataset.quality = grade;
    const trip = roundTripMs === undefined ? '' : ` · ${roundTripMs} ms to the gateway`;
    setText('quality-text', `${grade[0]?.toUpperCase()}${grade.slice(1)} · ${bufferMs} ms buffered${trip}`);
    element('quality', HTMLElement).title = `${Math.round(missing * 100)} % missing, ${jitterMs} ms jitter`;
  }
}
