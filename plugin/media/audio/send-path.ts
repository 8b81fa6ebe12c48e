import { frameDuration, splitPacket } from 'speex-wasm';
import type { ClientCodec } from '../../call/client-audio.js';
import { type AudioTools, effortToSend } from './audio-tools.js';
import { type AudioCodec, isForeign, type ProgramCodec } from './flv-audio.js';
import type { ForeignStream } from './foreign.js';
import { convert } from './g711.js';
import { readOpusMessage } from './opus.js';
import { g711Packetizer } from './packetizer.js';
import { G711ToSpeex, SamplesToG711, SamplesToSpeex, SpeexToG711, type Transcoding } from './transcoding.js';

export interface PayloadSink {
  /** The payload of an RTP packet: its first timestamp on the client's scale, and its length, in milliseconds. */
  take(payload: Uint8Array, timestamp: number, duration: number): void;
}

/** Makes payloads of one format of what a client sends in one codec. */
export interface SendPath {
  /** Whether payloads are in another codec than messages. */
  readonly transcodes: boolean;
  /** Frames made up for what the client left out. */
  readonly concealed: number;
  /**
   * @param body of an FLV audio tag in the path's codec
   * @returns false when it is malformed
   */
  write(body: Uint8Array, timestamp: number): boolean;
  /** Gives back what it holds. Nothing is taken any more. */
  free(): void;
}

export interface SendPathOptions {
  readonly from: ClientCodec;
  readonly to: AudioCodec;
  /** Hz of `to`. */
  readonly clockRate: number;
  /** Milliseconds of a packet of G.711; a packet of Speex is always one frame. */
  readonly packetDuration: number;
  readonly tools: AudioTools;
  /** What has to be read before the first message: AAC's sequence header. */
  readonly header?: Uint8Array;
  readonly sink: PayloadSink;
  /** What makes the payloads has failed for good. Never from within a method of the path. */
  readonly failed: (reason: string) => void;
}

/** Undefined when nothing here makes `to` of `from`. */
export function sendPath(options: SendPathOptions): SendPath | undefined {
  const { from, to, tools, sink, packetDuration } = options;
  if (effortToSend(from, to, tools) === undefined) return undefined;
  if (isForeign(from) || (from === 'opus' && to !== 'opus')) return foreignPath(options, from);
  if (from === 'opus' || to === 'opus') return opusPath(sink);
  if (from !== 'speex') {
    return to === 'speex' ? g711ToSpeex(options, from) : g711Path(from, to, packetDuration, sink);
  }
  return to === 'speex' ? new SpeexPath(sink) : speexToG711(options, to);
}

const nothing = (): void => {};

/** Speex as it is, each frame in a packet of its own. */
class SpeexPath implements SendPath {
  readonly transcodes = false;
  readonly concealed = 0;
  readonly #sink: PayloadSink;

  constructor(sink: PayloadSink) {
    this.#sink = sink;
  }

  write(body: Uint8Array, timestamp: number): boolean {
    const split = splitPacket(body.subarray(1));
    if (!split.ok) return false;
    let start = timestamp;
    for (const frame of split.frames) {
      this.#sink.take(frame, start, frameDuration);
      start += frameDuration;
    }
    return true;
  }

  free(): void {}
}

function opusPath(sink: PayloadSink): SendPath {
  return {
    transcodes: false,
    concealed: 0,
    free: nothing,
    write: (body, timestamp) => {
      const message = readOpusMessage(body);
      if (message?.kind === 'packet') sink.take(message.packet, timestamp, message.duration);
      return message !== undefined;
    },
  };
}

function g711Path(from: 'pcmu' | 'pcma', to: 'pcmu' | 'pcma', duration: number, sink: PayloadSink): SendPath {
  const packetizer = g711Packetizer(duration);
  return {
    transcodes: from !== to,
    concealed: 0,
    free: nothing,
    write: (body, timestamp) => {
      packetizer.write(convert(body.subarray(1), from, to), timestamp, (octets, start) =>
        sink.take(octets, start, duration),
      );
      return true;
    },
  };
}

function speexToG711({ tools, packetDuration, sink }: SendPathOptions, to: 'pcmu' | 'pcma'): SendPath {
  const codec = new SpeexToG711(needed(tools), to, packetDuration);
  const packet = (octets: Uint8Array, start: number) => sink.take(octets, start, packetDuration);
  return {
    transcodes: true,
    get concealed() {
      return codec.concealed;
    },
    write: (body, timestamp) => codec.write(body.subarray(1), timestamp, packet),
    free: () => codec.free(),
  };
}

function g711ToSpeex({ tools, clockRate, sink }: SendPathOptions, from: 'pcmu' | 'pcma'): SendPath {
  const codec = new G711ToSpeex(needed(tools), speexRate(clockRate));
  const packet = (frame: Uint8Array, start: number) => sink.take(frame, start, frameDuration);
  return {
    transcodes: true,
    get concealed() {
      return codec.concealed;
    },
    write: (body, timestamp) => {
      codec.write(body.subarray(1), from, timestamp, packet);
      return true;
    },
    free: () => codec.free(),
  };
}

function foreignPath(options: SendPathOptions, from: ProgramCodec): SendPath {
  const { to, clockRate, packetDuration, tools, sink, failed } = options;
  let header = from === 'aac' ? options.header : undefined;
  const g711 = to === 'pcmu' || to === 'pcma' ? new SamplesToG711(to, packetDuration) : undefined;
  const speex = g711 === undefined ? new SamplesToSpeex(needed(tools), speexRate(clockRate)) : undefined;
  const duration = g711 === undefined ? frameDuration : packetDuration;
  const packet = (payload: Uint8Array, start: number) => sink.take(payload, start, duration);
  const stream: ForeignStream | undefined = tools.foreign?.decode(from, {
    take: (samples, timestamp) => (g711 ?? speex)?.write(samples, timestamp, packet),
    failed,
  });
  return {
    concealed: 0,
    transcodes: true,
    write: (body, timestamp) => {
      const opus = from === 'opus' ? readOpusMessage(body)?.kind : 'packet';
      if (opus !== 'packet') return opus !== undefined;
      if (header !== undefined) stream?.write(header, timestamp);
      header = undefined;
      return stream?.write(body, timestamp) ?? false;
    },
    free: () => {
      stream?.close();
      speex?.free();
    },
  };
}

const speexRate = (clockRate: number): 8000 | 16000 => (clockRate === 8000 ? 8000 : 16000);

function needed({ transcoding }: AudioTools): Transcoding {
  if (transcoding === undefined) throw new Error('there is no Speex codec');
  return transcoding;
}
