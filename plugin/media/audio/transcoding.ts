import { frameDuration, type SpeexCodec, type SpeexDecoder, type SpeexEncoder, widenPacket } from 'speex-wasm';
import { Concealer } from './concealer.js';
import { compress, expand, g711Rate, type Law } from './g711.js';
import { g711Packetizer, Packetizer, type TakePacket } from './packetizer.js';
import { Downsampler } from './resampler.js';

/** What turns Speex into G.711 and back. */
export interface Transcoding {
  readonly codec: SpeexCodec;
  /** 0-10. Default 8. */
  readonly quality?: number;
  /**
   * 1-10. Default 2: of telephone speech at quality 8, 3, libspeex's own default, takes 40 % more time for the same spectral
   * distance of 4.8 dB, and 10 three and a half times as much for 4.7.
   */
  readonly complexity?: number;
}

/** Milliseconds of missing audio that are made up; a longer gap stays one: the other side was silent. */
const maxConcealed = 100;

/** How many frames to make up before audio of this timestamp, when some may have been lost. */
function missingFrames(packetizer: Packetizer<Uint8Array>, timestamp: number, lost: boolean): number {
  const gap = lost ? packetizer.gapBefore(timestamp) : 0;
  return gap > maxConcealed ? 0 : Math.round(gap / frameDuration);
}

/**
 * Speex of any band to G.711 packets of one length. Only the narrowband part is decoded: the codec's own filters have
 * split it off already. Deterministic; holds memory of the codec until `free`.
 */
export class SpeexToG711 {
  /** Frames made up. */
  concealed = 0;
  readonly #law: Law;
  readonly #decoder: SpeexDecoder;
  readonly #packetizer: Packetizer<Uint8Array>;
  /** Timestamp at which the audio so far ends. */
  #end = 0;

  constructor({ codec }: Transcoding, law: Law, packetDuration: number) {
    this.#law = law;
    this.#decoder = codec.createDecoder({ sampleRate: 8000, highPass: false });
    this.#packetizer = g711Packetizer(packetDuration);
  }

  /**
   * @param lost whether a gap in time may be a loss, and not silence
   * @returns false when the packet is no Speex
   */
  write(packet: Uint8Array, timestamp: number, take: TakePacket, lost = true): boolean {
    const missing = missingFrames(this.#packetizer, timestamp, lost);
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
    const octets = compress(this.#law, samples);
    this.#packetizer.write(octets, timestamp, take);
    this.#end = (timestamp + octets.length / g711Rate) % 2 ** 32;
  }
}

/** What is known of a source of one law. */
interface G711Source {
  readonly law: Law;
  readonly packetizer: Packetizer<Uint8Array>;
  readonly concealer: Concealer;
}

/**
 * G.711 in pieces of any length to Speex packets of one frame. There is nothing above 4 kHz to encode: a wideband packet
 * is a narrowband one under an empty layer. Deterministic; holds memory of the codec until `free`.
 */
export class G711ToSpeex {
  /** Frames made up. */
  concealed = 0;
  readonly #encoder: SpeexEncoder;
  readonly #wideband: boolean;
  readonly #samples = new Int16Array(frameDuration * g711Rate);
  #source: G711Source | undefined;
  /** Timestamp at which the audio so far ends. */
  #end = 0;

  constructor({ codec, quality = 8, complexity = 2 }: Transcoding, sampleRate: 8000 | 16000) {
    this.#encoder = codec.createEncoder({ sampleRate: 8000, quality, complexity, highPass: false });
    this.#wideband = sampleRate === 16000;
  }

  /** @param lost whether a gap in time may be a loss, and not silence */
  write(octets: Uint8Array, law: Law, timestamp: number, take: TakePacket, lost = true): void {
    if (this.#source?.law !== law) {
      this.#source = { law, packetizer: g711Packetizer(frameDuration), concealer: new Concealer(law) };
    }
    const { packetizer, concealer } = this.#source;
    const missing = missingFrames(packetizer, timestamp, lost);
    for (let frame = 0; frame < missing; frame++) this.#write(this.#source, concealer.conceal(), this.#end, take);
    this.concealed += missing;
    concealer.heard(octets);
    this.#write(this.#source, octets, timestamp, take);
  }

  free(): void {
    this.#encoder.free();
  }

  #write({ law, packetizer }: G711Source, octets: Uint8Array, timestamp: number, take: TakePacket): void {
    packetizer.write(octets, timestamp, (frame, start) => {
      const samples = expand(law, frame, this.#samples);
      const packet = this.#encoder.encode(samples);
      if (packet !== undefined) take(this.#wideband ? widenPacket(packet) : packet, start);
    });
    this.#end = (timestamp + octets.length / g711Rate) % 2 ** 32;
  }
}

/** Samples of 16 kHz in pieces of any length to G.711 packets of one length. Deterministic. */
export class SamplesToG711 {
  readonly #law: Law;
  readonly #frames = new Packetizer<Int16Array>(frameDuration, new Int16Array(frameDuration * 16));
  readonly #downsampler = new Downsampler();
  readonly #packetizer: Packetizer<Uint8Array>;

  constructor(law: Law, packetDuration: number) {
    this.#law = law;
    this.#packetizer = g711Packetizer(packetDuration);
  }

  write(samples: Int16Array, timestamp: number, take: TakePacket): void {
    this.#frames.write(samples, timestamp, (frame, start) => {
      this.#packetizer.write(compress(this.#law, this.#downsampler.process(frame)), start, take);
    });
  }
}

/** Samples of 16 kHz in pieces of any length to Speex packets of one frame. Deterministic; holds memory until `free`. */
export class SamplesToSpeex {
  readonly #frames = new Packetizer<Int16Array>(frameDuration, new Int16Array(frameDuration * 16));
  readonly #downsampler: Downsampler | undefined;
  readonly #encoder: SpeexEncoder;

  constructor({ codec, quality = 8, complexity = 2 }: Transcoding, sampleRate: 8000 | 16000) {
    this.#encoder = codec.createEncoder({ sampleRate, quality, complexity });
    this.#downsampler = sampleRate === 8000 ? new Downsampler() : undefined;
  }

  write(samples: Int16Array, timestamp: number, take: TakePacket): void {
    this.#frames.write(samples, timestamp, (frame, start) => {
      const packet = this.#encoder.encode(this.#downsampler?.process(frame) ?? frame);
      if (packet !== undefined) take(packet, start);
    });
  }

  free(): void {
    this.#encoder.free();
  }
}
