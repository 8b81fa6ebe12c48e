import type { SpeexEncoderFactory } from '../options.js';
import { compress } from './g711.js';
import type { MediaDescription } from './sdp.js';
import { FRAME_MS, renderFrame, TUNE_FRAMES } from './tune.js';

/** One encoding of the tune. */
export interface MusicFormat {
  /** As in rtpmap. */
  readonly name: string;
  /** The payload type where the offer is ours. */
  readonly payloadType: number;
  /** RTP clock: the sample rate. */
  readonly clockRate: number;
  readonly tune: EncodedTune;
}

/** RTP timestamp units of one frame. */
export function frameTicks(format: MusicFormat): number {
  return (format.clockRate * FRAME_MS) / 1000;
}

/** The tune in one codec: each frame is encoded when the first call comes to it and then kept for all. */
export class EncodedTune {
  readonly #encode: (samples: Int16Array) => Uint8Array;
  readonly #sampleRate: number;
  readonly #frames: Uint8Array[] = [];

  constructor(sampleRate: number, encode: (samples: Int16Array) => Uint8Array) {
    this.#sampleRate = sampleRate;
    this.#encode = encode;
  }

  /** Any index: the tune goes round. Every call starts at 0, so an encoder with a memory gets the frames in their order. */
  frame(index: number): Uint8Array {
    const wanted = index % TUNE_FRAMES;
    for (let next = this.#frames.length; next <= wanted; next++)
      this.#frames.push(this.#encode(renderFrame(next, this.#sampleRate)));
    return this.#frames[wanted] ?? new Uint8Array();
  }
}

/** What music can be sent in, in the order in which it is offered. */
export function musicFormats(speexEncoder: SpeexEncoderFactory | undefined): readonly MusicFormat[] {
  return [
    ...(speexEncoder ? [speexFormat(speexEncoder, 16_000, 97), speexFormat(speexEncoder, 8_000, 98)] : []),
    g711Format('PCMU', 0),
    g711Format('PCMA', 8),
  ];
}

function speexFormat(factory: SpeexEncoderFactory, clockRate: 8_000 | 16_000, payloadType: number): MusicFormat {
  let encoder: ReturnType<SpeexEncoderFactory> | undefined;
  const encode = (samples: Int16Array) => {
    encoder ??= factory(clockRate);
    return encoder.encode(samples) ?? new Uint8Array();
  };
  return { name: `speex/${clockRate}`, payloadType, clockRate, tune: new EncodedTune(clockRate, encode) };
}

function g711Format(law: 'PCMU' | 'PCMA', payloadType: number): MusicFormat {
  const tune = new EncodedTune(8_000, (samples) => compress(law, samples));
  return { name: `${law}/8000`, payloadType, clockRate: 8_000, tune };
}

/** The first format of a medium that music has, with the payload type it was given there. */
export function chooseFormat(
  media: MediaDescription,
  formats: readonly MusicFormat[],
): { readonly format: MusicFormat; readonly payloadType: number } | undefined {
  for (const text of media.formats) {
    const payloadType = /^\d{1,3}$/.test(text) ? Number(text) : 128;
    const name = rtpmapOf(media, text) ?? formats.find((format) => format.payloadType === payloadType)?.name;
    // Only numbers below 96 mean something without an rtpmap (RFC 3551 section 3).
    if (payloadType > 127 || (payloadType > 95 && !rtpmapOf(media, text))) continue;
    const format = formats.find((other) => other.name.toLowerCase() === name?.toLowerCase());
    if (format) return { format, payloadType };
  }
  return undefined;
}

function rtpmapOf(media: MediaDescription, payloadType: string): string | undefined {
  const prefix = `rtpmap:${payloadType} `;
  const line = media.formatLines.find((text) => text.startsWith(prefix));
  // A channel count of 1 is the same as none.
  return line?.slice(prefix.length).trim().replace(/\/1$/, '');
}
