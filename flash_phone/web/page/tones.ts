/** Hz of the rows and columns of a key pad (ITU-T Q.23). */
const rows = [697, 770, 852, 941];
const columns = [1209, 1336, 1477];
const layout = '123456789*0#';

/** The sounds of a phone. A loop plays by itself, so a hidden page rings on. */
export class Tones {
  #context: AudioContext | undefined;
  #playing: AudioBufferSourceNode | undefined;

  /** Somebody calls: two notes in turn, twice, then a pause. */
  ring(): void {
    this.#loop(3, [
      [0, 0.4, [480, 620]],
      [0.6, 1, [480, 620]],
    ]);
  }

  /** What the caller hears while it rings over there. */
  ringBack(): void {
    this.#loop(5, [[0.8, 1.8, [425]]]);
  }

  /** What is heard in a call while somebody else calls (ITU-T E.180 section 10), too short to talk over. */
  waiting(): void {
    this.#loop(6, [
      [0, 0.2, [425]],
      [0.4, 0.6, [425]],
    ]);
  }

  busy(): void {
    this.#play(
      2,
      [0, 1, 2].map((at) => [at * 0.6, at * 0.6 + 0.3, [425]] as const),
      false,
    );
  }

  key(digit: string): void {
    const at = layout.indexOf(digit);
    const context = this.#open();
    if (at < 0 || context === undefined) return;
    const buffer = render(context, 0.12, [[0, 0.1, [rows[Math.floor(at / 3)] ?? 0, columns[at % 3] ?? 0]]]);
    start(context, buffer, false);
  }

  stop(): void {
    this.#playing?.stop();
    this.#playing = undefined;
  }

  #loop(seconds: number, beeps: readonly Beep[]): void {
    this.#play(seconds, beeps, true);
  }

  #play(seconds: number, beeps: readonly Beep[], loop: boolean): void {
    this.stop();
    const context = this.#open();
    if (context !== undefined) this.#playing = start(context, render(context, seconds, beeps), loop);
  }

  /** Browsers keep it silent until the page was clicked once: then a call is announced by title and screen reader only. */
  #open(): AudioContext | undefined {
    this.#context ??= globalThis.AudioContext && new AudioContext();
    void this.#context?.resume();
    return this.#context;
  }
}

/** From, to, in seconds, and frequencies. */
type Beep = readonly [number, number, readonly number[]];

function render(context: AudioContext, seconds: number, beeps: readonly Beep[]): AudioBuffer {
  const rate = context.sampleRate;
  const buffer = context.createBuffer(1, Math.round(seconds * rate), rate);
  const samples = buffer.getChannelData(0);
  for (const [from, to, tones] of beeps) {
    for (let at = Math.round(from * rate); at < Math.min(to * rate, samples.length); at++) {
      const edge = Math.min(1, (at / rate - from) * 100, (to - at / rate) * 100);
      for (const hz of tones)
        samples[at] = (samples[at] ?? 0) + (0.12 * edge * Math.sin((2 * Math.PI * hz * at) / rate)) / tones.length;
    }
  }
  return buffer;
}

function start(context: AudioContext, buffer: AudioBuffer, loop: boolean): AudioBufferSourceNode {
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.loop = loop;
  source.connect(context.destination);
  source.start();
  return source;
}
