import { SpeexCodec, type SpeexDecoder, type SpeexModule, splitPacket } from 'speex-wasm';
import { expand } from '../../../plugin/media/audio/g711.js';
import { type Frame, frameMs, JitterBuffer, type JitterStatistics } from './jitter-buffer.js';
import { Resampler } from './resampler.js';

const internalRate = 16_000;
const frameSize = internalRate / 50;
/** Octets of 20 ms of G.711. */
const g711Frame = 160;
/** Below this level, of 1, nothing is being said. */
const quietLevel = 0.01;
/** A frame that is repeated for want of another is that much softer each time. */
const fade = 0.6;

/** From FLV audio messages to the samples to be played: taken apart, buffered, decoded, brought to the output's rate. */
export class Receiver {
  readonly #buffer = new JitterBuffer();
  readonly #decoder: SpeexDecoder | undefined;
  readonly #upsampler = new Resampler(8_000, internalRate);
  readonly #resampler: Resampler;
  #last: { readonly codec: Frame['codec']; samples: Float32Array } = {
    codec: 'pcmu',
    samples: new Float32Array(frameSize),
  };
  #ready: Float32Array = new Float32Array();
  #unsupported = 0;

  /** @param sampleRate Hz of the output */
  constructor(sampleRate: number, speex: SpeexModule | undefined) {
    this.#decoder = speex && new SpeexCodec(speex).createDecoder({ sampleRate: internalRate });
    this.#resampler = new Resampler(internalRate, sampleRate);
  }

  /** Messages in a format that cannot be played here. */
  get unsupported(): number {
    return this.#unsupported;
  }

  get statistics(): JitterStatistics {
    return this.#buffer.statistics;
  }

  /** @param message an FLV audio message @param now milliseconds of the output's clock */
  insert(message: Uint8Array, timestamp: number, now: number): void {
    const frames = this.#frames(message, timestamp);
    if (frames.length === 0) this.#unsupported++;
    for (const frame of frames) this.#buffer.insert(frame, now);
  }

  /** Fills the block with what is to be heard. */
  fill(block: Float32Array): void {
    while (this.#ready.length < block.length) {
      const more = this.#resampler.process(this.#turn());
      const joined = new Float32Array(this.#ready.length + more.length);
      joined.set(this.#ready);
      joined.set(more, this.#ready.length);
      this.#ready = joined;
    }
    block.set(this.#ready.subarray(0, block.length));
    this.#ready = this.#ready.subarray(block.length);
  }

  #frames(message: Uint8Array, timestamp: number): Frame[] {
    const body = message.subarray(1);
    const at = (index: number) => timestamp + index * frameMs;
    switch ((message[0] ?? 0) >> 4) {
      case 11: {
        const split = splitPacket(body);
        if (this.#decoder === undefined || !split.ok) return [];
        return split.frames.map((data, index) => ({ codec: 'speex', data, timestamp: at(index) }));
      }
      case 8:
      case 7: {
        const codec = (message[0] ?? 0) >> 4 === 8 ? 'pcmu' : 'pcma';
        const count = Math.min(50, Math.ceil(body.length / g711Frame));
        return Array.from({ length: count }, (_, index) => ({
          codec,
          data: body.subarray(index * g711Frame, (index + 1) * g711Frame),
          timestamp: at(index),
        }));
      }
      default:
        return [];
    }
  }

  /** The next 20 ms at 16 kHz. */
  #turn(): Float32Array {
    const turn = this.#buffer.next(peak(this.#last.samples) < quietLevel);
    if (turn.kind === 'frame') this.#last = { codec: turn.frame.codec, samples: this.#decode(turn.frame) };
    else if (turn.kind === 'conceal') this.#last = { ...this.#last, samples: this.#conceal() };
    else this.#last = { ...this.#last, samples: new Float32Array(frameSize) };
    return this.#last.samples;
  }

  #decode({ codec, data }: Frame): Float32Array {
    if (codec !== 'speex') return this.#upsampler.process(toFloats(expand(codec, data)));
    const decoded = this.#decoder?.decode(data);
    return decoded?.ok ? toFloats(decoded.samples) : new Float32Array(frameSize);
  }

  #conceal(): Float32Array {
    if (this.#last.codec === 'speex' && this.#decoder !== undefined) return toFloats(this.#decoder.conceal());
    return this.#last.samples.map((sample) => sample * fade);
  }
}

function toFloats(samples: Int16Array): Float32Array {
  return Float32Array.from(samples, (sample) => sample / 32768);
}

export function peak(samples: Float32Array): number {
  let most = 0;
  for (const sample of samples) most = Math.max(most, Math.abs(sample));
  return most;
}
