import { SpeexCodec, type SpeexEncoder, type SpeexModule } from 'speex-wasm';
import { compress } from '../../../plugin/media/audio/g711.js';
import { Resampler } from './resampler.js';

/** FLV's audio byte: Speex, always told as 44 kHz, 16 bit, mono; and mu-law. */
const flvByte = { speex: 0xb2, pcmu: 0x82 } as const;
/** libspeex's quality, as Flash phones of this API use it: 27.8 kb/s. */
const quality = 8;

/** From the microphone's samples to FLV audio messages of 20 ms: Speex wideband, or mu-law where there is no Speex. */
export class Sender {
  readonly #encoder: SpeexEncoder | undefined;
  readonly #resampler: Resampler;
  readonly #frame: Float32Array;
  #filled = 0;

  /** @param sampleRate Hz of the samples that come */
  constructor(sampleRate: number, speex: SpeexModule | undefined) {
    this.#encoder = speex && new SpeexCodec(speex).createEncoder({ sampleRate: 16_000, quality });
    const rate = this.#encoder ? 16_000 : 8_000;
    this.#resampler = new Resampler(sampleRate, rate);
    this.#frame = new Float32Array(rate / 50);
  }

  /** @returns the messages that are full now */
  process(samples: Float32Array): Uint8Array[] {
    const messages: Uint8Array[] = [];
    for (const sample of this.#resampler.process(samples)) {
      this.#frame[this.#filled++] = sample;
      if (this.#filled < this.#frame.length) continue;
      this.#filled = 0;
      messages.push(this.#encode());
    }
    return messages;
  }

  #encode(): Uint8Array {
    const samples = Int16Array.from(this.#frame, (value) =>
      Math.max(-32768, Math.min(32767, Math.round(value * 32768))),
    );
    if (this.#encoder === undefined) return message(flvByte.pcmu, compress('pcmu', samples));
    return message(flvByte.speex, this.#encoder.encode(samples) ?? new Uint8Array());
  }
}

function message(byte: number, body: Uint8Array): Uint8Array {
  const whole = new Uint8Array(1 + body.length);
  whole[0] = byte;
  whole.set(body, 1);
  return whole;
}
