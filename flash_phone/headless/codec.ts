import { parseFlvAudioTag } from 'rtmp-server-ts';
import { SpeexCodec, type SpeexDecoder, type SpeexModule } from 'speex-wasm';
import { compress, expand } from '../../plugin/media/audio/g711.js';
import { Downsampler, Upsampler } from '../../plugin/media/audio/resampler.js';

export const codecs = ['speex', 'pcmu', 'pcma'] as const;
export type Codec = (typeof codecs)[number];

/** Hz of everything that is said and heard. */
export const sampleRate = 16_000;
/** Milliseconds of one frame, which is one RTMP message. */
export const frameMs = 20;
/** Samples of a frame. */
export const frameSize = (sampleRate * frameMs) / 1000;

/** First octet of an FLV audio tag's body, as Flash Player writes it (FLV specification E.4.2.1). */
const flvOctet: Readonly<Record<Codec, number>> = { speex: 0xb2, pcmu: 0x82, pcma: 0x72 };

/** A frame as the body of an RTMP audio message. */
export type Encode = (frame: Int16Array) => Uint8Array;

export function createEncoder(codec: Codec, module: SpeexModule): Encode {
  const octet = flvOctet[codec];
  if (codec === 'speex') {
    const encoder = new SpeexCodec(module).createEncoder({ sampleRate });
    return (frame) => Buffer.concat([Buffer.of(octet), encoder.encode(frame) ?? new Uint8Array()]);
  }
  const halve = new Downsampler();
  return (frame) => Buffer.concat([Buffer.of(octet), compress(codec, halve.process(frame))]);
}

/** Takes what the gateway may send: Speex and G.711, whatever was sent itself. */
export class Decoder {
  readonly #speex: SpeexDecoder;
  readonly #double = new Upsampler();

  constructor(module: SpeexModule) {
    this.#speex = new SpeexCodec(module).createDecoder({ sampleRate });
  }

  /** @returns undefined when it is no audio, or of another codec */
  decode(body: Uint8Array): Int16Array | undefined {
    const codec = parseFlvAudioTag(body)?.codec;
    const payload = body.subarray(1);
    if (codec === 'speex') {
      const decoded = this.#speex.decode(payload);
      return decoded.ok ? decoded.samples : undefined;
    }
    if (codec !== 'pcmu' && codec !== 'pcma') return undefined;
    return payload.length === 0 ? undefined : this.#double.process(expand(codec, payload)).slice();
  }
}
