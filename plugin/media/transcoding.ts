import { frameDuration, type SpeexCodec, type SpeexDecoder, type SpeexEncoder } from 'speex-wasm';
import { Concealer } from './concealer.js';
import { compress, expand, g711Rate, type Law } from './g711.js';
import { G711Packetizer, type TakePacket } from './g711-packetizer.js';
import { Downsampler, Upsampler } from './resampler.js';

/** What turns Speex into G.711 and back. */
export interface Transcoding {
  readonly codec: SpeexCodec;
  /** 0-10. Default 8. */
  readonly quality?: number;
  /** 1-10. Default 2: from 3 on it costs more than is heard of a telephone's 3.4 kHz. */
  readonly complexity?: number;
}

/** Milliseconds of missing audio that are made up; a longer gap stays one: the other side was silent. */
const maxConcealed = 100;

/** How many frames to make up before audio of this timestamp. */
function missingFrames(packetizer: G711Packetizer, timestamp: number): number {
  const gap = packetizer.gapBefore(timestamp);
  return gap > maxConcealed ? 0 : Math.round(gap / frameDuration);
}

/** Speex of any band to G.711 packets of one length. Deterministic; holds memory of the codec until `free`. */
export class SpeexToG711 {
  /** Frames made up. */
  concealed = 0;
  readonly #law: Law;
  readonly #decoder: SpeexDecoder;
  readonly #downsampler = new Downsampler();
  readonly #packetizer: G711Packetizer;
  /** Timestamp at which the audio so far ends. */
  #end = 0;

  constructor({ codec }: Transcoding, law: Law, packetDuration: number) {
    this.#law = law;
    this.#decoder = codec.createDecoder({ sampleRate: 16000 });
    this.#packetizer = new G711Packetizer(packetDuration);
  }

  /** @returns false when the packet is no Speex */
  write(packet: Uint8Array, timestamp: number, take: TakePacket): boolean {
    const missing = missingFrames(this.#packetizer, timestamp);
    for (let frame = 0; frame < missing; frame++) this.#write(this.#decoder.conceal(), this.#end, take);
    this.concealed += missing;
    const decoded = this.#decoder.decode(packet);
    if (decoded.ok) this.#write(decoded.samples, timestamp, take);
    return decoded.ok;
  }

  free(): void {
    this.#decoder.free();
  }

  #write(samples: Int16Array, timestamp: number, take: TakePacket): void {
    const octets = compress(this.#law, this.#downsampler.process(samples));
    this.#packetizer.write(octets, timestamp, take);
    this.#end = (timestamp + octets.length / g711Rate) % 2 ** 32;
  }
}

/** G.711 in pieces of any length to Speex packets of one frame. Deterministic; holds memory of the codec until `free`. */
export class G711ToSpeex {
  /** Frames made up. */
  concealed = 0;
  readonly #encoder: SpeexEncoder;
  readonly #upsampler: Upsampler | undefined;
  readonly #concealer = new Concealer();
  #packetizer = new G711Packetizer(frameDuration);
  #law: Law | undefined;
  /** Timestamp at which the audio so far ends. */
  #end = 0;

  constructor({ codec, quality = 8, complexity = 2 }: Transcoding, sampleRate: 8000 | 16000) {
    this.#encoder = codec.createEncoder({ sampleRate, quality, complexity });
    this.#upsampler = sampleRate === 16000 ? new Upsampler() : undefined;
  }

  write(octets: Uint8Array, law: Law, timestamp: number, take: TakePacket): void {
    if (law !== this.#law) this.#packetizer = new G711Packetizer(frameDuration);
    this.#law = law;
    const missing = missingFrames(this.#packetizer, timestamp);
    for (let frame = 0; frame < missing; frame++) {
      this.#write(compress(law, this.#concealer.conceal()), law, this.#end, take);
    }
    this.concealed += missing;
    this.#concealer.heard(expand(law, octets));
    this.#write(octets, law, timestamp, take);
  }

  free(): void {
    this.#encoder.free();
  }

  #write(octets: Uint8Array, law: Law, timestamp: number, take: TakePacket): void {
    this.#packetizer.write(octets, timestamp, (frame, start) => {
      const samples = expand(law, frame);
      const packet = this.#encoder.encode(this.#upsampler?.process(samples) ?? samples);
      if (packet !== undefined) take(packet, start);
    });
    this.#end = (timestamp + octets.length / g711Rate) % 2 ** 32;
  }
}
