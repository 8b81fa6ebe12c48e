import { type FromWorklet, type ProcessorOptions, processorName, type ToWorklet } from './messages.js';
import { peak, Receiver } from './receiver.js';
import { Sender } from './sender.js';

/** What is used of AudioWorkletGlobalScope, which TypeScript's types do not describe. */
declare const sampleRate: number;
declare const currentTime: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: unknown): void;

/** Both directions of a call. Runs on the audio thread: a page that is hidden or busy does not hold it up. */
class PhoneProcessor extends AudioWorkletProcessor {
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  #blocks = 0;
  #levels = { microphone: 0, speaker: 0 };
  #closed = false;

  constructor({ processorOptions }: { processorOptions: ProcessorOptions }) {
    super();
    this.#sender = new Sender(sampleRate, processorOptions.speex);
    this.#receiver = new Receiver(sampleRate, processorOptions.speex);
    this.port.onmessage = ({ data }: { data: ToWorklet }) => {
      if (data.kind === 'close') this.#closed = true;
      else this.#receiver.insert(data.message, data.timestamp, currentTime * 1000);
    };
  }

  process([input = []]: Float32Array[][], [output = []]: Float32Array[][]): boolean {
    const [heard] = output;
    if (heard === undefined) return !this.#closed;
    // Without a microphone there is no input: the far end gets silence.
    const said = input[0] ?? new Float32Array(heard.length);
    for (const message of this.#sender.process(said)) this.#tell({ kind: 'audio', message });
    this.#receiver.fill(heard);
    for (const channel of output.slice(1)) channel.set(heard);
    this.#levels.microphone = Math.max(this.#levels.microphone, peak(said));
    this.#levels.speaker = Math.max(this.#levels.speaker, peak(heard));
    this.#report(Math.round(sampleRate / heard.length));
    return !this.#closed;
  }

  #report(blocksPerSecond: number): void {
    this.#blocks++;
    if (this.#blocks % Math.round(blocksPerSecond / 10) === 0) {
      this.#tell({ kind: 'level', ...this.#levels });
      this.#levels = { microphone: 0, speaker: 0 };
    }
    if (this.#blocks % blocksPerSecond === 0) {
      this.#tell({ kind: 'statistics', ...this.#receiver.statistics, unsupported: this.#receiver.unsupported });
    }
  }

  #tell(message: FromWorklet): void {
    this.port.postMessage(message);
  }
}

registerProcessor(processorName, PhoneProcessor);
