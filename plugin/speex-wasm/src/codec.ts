import { inspectPacket, type SpeexFault } from './frames.js';
import { instantiate, type SpeexExports, type SpeexModule } from './module.js';

/** Hz. */
export type SpeexRate = 8000 | 16000 | 32000;

export interface EncoderOptions {
  readonly sampleRate: SpeexRate;
  /** 0-10, 10 the best and largest. Default 8. */
  readonly quality?: number;
  /** 1-10: how much is searched for the best parameters, hence processor time. Default 3. */
  readonly complexity?: number;
  /** Whether each frame's size follows what is in it. Default false. */
  readonly vbr?: boolean;
  /** Whether frames of silence need not be sent: those that `encode` returns undefined for. Default false. */
  readonly dtx?: boolean;
  /** Whether what lies below speech is filtered out first. Default true. */
  readonly highPass?: boolean;
}

export interface DecoderOptions {
  readonly sampleRate: SpeexRate;
  /** Whether the filter that makes coding noise less audible is on. Default true. */
  readonly enhance?: boolean;
  /** Whether what lies below speech is filtered out. Default true. */
  readonly highPass?: boolean;
}

export type SpeexDecoded =
  | {
      readonly ok: true;
      /** All frames of the packet, one after the other. */
      readonly samples: Int16Array;
    }
  | { readonly ok: false; readonly fault: SpeexFault | 'too-long' };

/** Longest packet that is decoded, in octets. */
export const maxPacket = 8192;

/** Numbers of libspeex's control requests (speex.h). */
const request = { enhance: 0, quality: 4, vbr: 12, complexity: 16, vad: 30, dtx: 34, highPass: 44 } as const;

const bandOf: Readonly<Record<SpeexRate, number>> = { 8000: 0, 16000: 1, 32000: 2 };

/**
 * libspeex in one WebAssembly memory, which its encoders and decoders share: each takes 3 to 6 kB there until `free`.
 */
export class SpeexCodec {
  readonly #memory: SpeexMemory;

  constructor(module: SpeexModule) {
    this.#memory = new SpeexMemory(instantiate(module));
  }

  /** Octets of memory taken. It grows with the most encoders and decoders that lived at a time, and never shrinks. */
  get memory(): number {
    return this.#memory.exports.memory.buffer.byteLength;
  }

  /** @throws RangeError when an option is out of its range */
  createEncoder(options: EncoderOptions): SpeexEncoder {
    return new SpeexEncoder(this.#memory, options);
  }

  /** @throws RangeError when the sample rate is none of Speex */
  createDecoder(options: DecoderOptions): SpeexDecoder {
    return new SpeexDecoder(this.#memory, options);
  }
}

/** The buffers that every call's input and output go through. */
class SpeexMemory {
  readonly exports: SpeexExports;
  readonly #packetAt: number;
  readonly #samplesAt: number;
  #buffer: ArrayBuffer | undefined;
  #packet = new Uint8Array();
  #samples = new Int16Array();

  constructor(exports: SpeexExports) {
    this.exports = exports;
    this.#packetAt = exports.packet();
    this.#samplesAt = exports.samples();
  }

  get packet(): Uint8Array {
    this.#refresh();
    return this.#packet;
  }

  /** As long as a frame of the highest rate. */
  get samples(): Int16Array {
    this.#refresh();
    return this.#samples;
  }

  /** A memory that grew has another buffer. */
  #refresh(): void {
    const { buffer } = this.exports.memory;
    if (buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.#packet = new Uint8Array(buffer, this.#packetAt, maxPacket);
    this.#samples = new Int16Array(buffer, this.#samplesAt, 640);
  }
}

export class SpeexEncoder {
  /** Samples of a frame of 20 ms. */
  readonly frameSize: number;
  readonly #memory: SpeexMemory;
  #state: number;

  constructor(memory: SpeexMemory, options: EncoderOptions) {
    const { sampleRate, quality = 8, complexity = 3, vbr = false, dtx = false, highPass = true } = options;
    inRange('quality', quality, 0, 10);
    inRange('complexity', complexity, 1, 10);
    this.frameSize = frameSizeOf(sampleRate);
    this.#memory = memory;
    this.#state = allocated(memory.exports.createEncoder(bandOf[sampleRate]));
    const set = (name: keyof typeof request, value: number) =>
      memory.exports.controlEncoder(this.#state, request[name], value);
    set('quality', quality);
    set('complexity', complexity);
    if (vbr) {
      set('vbr', 1);
      memory.exports.setVbrQuality(this.#state, quality);
    }
    if (!highPass) set('highPass', 0);
    // Discontinuous transmission wants to know where the silence is; VBR finds out by itself.
    if (dtx && !vbr) set('vad', 1);
    if (dtx) set('dtx', 1);
  }

  /**
   * Encodes one frame.
   *
   * @returns a packet of its own memory, padded with the terminator; undefined when it need not be sent (`dtx`)
   * @throws RangeError when `samples` is not one frame; Error after `free`
   */
  encode(samples: Int16Array): Uint8Array | undefined {
    if (samples.length !== this.frameSize) {
      throw new RangeError(`a frame is ${this.frameSize} samples, not ${samples.length}`);
    }
    const state = living(this.#state);
    this.#memory.samples.set(samples);
    const length = this.#memory.exports.encode(state);
    return length < 0 ? undefined : this.#memory.packet.slice(0, length);
  }

  /** Gives its memory back. A second call does nothing. */
  free(): void {
    if (this.#state !== 0) this.#memory.exports.destroyEncoder(this.#state);
    this.#state = 0;
  }
}

export class SpeexDecoder {
  /** Samples of a frame of 20 ms. */
  readonly frameSize: number;
  readonly #memory: SpeexMemory;
  #state: number;

  constructor(memory: SpeexMemory, { sampleRate, enhance = true, highPass = true }: DecoderOptions) {
    this.frameSize = frameSizeOf(sampleRate);
    this.#memory = memory;
    this.#state = allocated(memory.exports.createDecoder(bandOf[sampleRate]));
    memory.exports.controlDecoder(this.#state, request.enhance, enhance ? 1 : 0);
    memory.exports.controlDecoder(this.#state, request.highPass, highPass ? 1 : 0);
  }

  /**
   * Decodes all frames of a packet. Any band goes: layers above the decoder's are left out, a lower band is widened. No
   * packet throws.
   *
   * @throws Error after `free`
   */
  decode(packet: Uint8Array): SpeexDecoded {
    const state = living(this.#state);
    if (packet.length > maxPacket) return { ok: false, fault: 'too-long' };
    const layout = inspectPacket(packet);
    if (!layout.ok) return layout;
    this.#memory.packet.set(packet);
    this.#memory.exports.open(packet.length);
    const samples = new Int16Array(layout.ends.length * this.frameSize);
    for (let at = 0; at < samples.length; at += this.frameSize) {
      if (this.#memory.exports.decode(state) !== 0) return { ok: false, fault: 'invalid-mode' };
      samples.set(this.#frame(), at);
    }
    return { ok: true, samples };
  }

  /**
   * What was probably in a frame that did not arrive; fades to silence when there are several.
   *
   * @throws Error after `free`
   */
  conceal(): Int16Array {
    this.#memory.exports.conceal(living(this.#state));
    return this.#frame().slice();
  }

  /** Gives its memory back. A second call does nothing. */
  free(): void {
    if (this.#state !== 0) this.#memory.exports.destroyDecoder(this.#state);
    this.#state = 0;
  }

  #frame(): Int16Array {
    return this.#memory.samples.subarray(0, this.frameSize);
  }
}

function frameSizeOf(sampleRate: SpeexRate): number {
  if (bandOf[sampleRate] === undefined) throw new RangeError(`sampleRate is 8000, 16000 or 32000, not ${sampleRate}`);
  return sampleRate / 50;
}

function inRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} is a whole number from ${min} to ${max}, not ${value}`);
  }
}

function allocated(state: number): number {
  if (state === 0) throw new Error('no memory for another Speex codec');
  return state;
}

function living(state: number): number {
  if (state === 0) throw new Error('this Speex codec was freed');
  return state;
}
