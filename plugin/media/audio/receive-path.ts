import { frameDuration, splitPacket } from 'speex-wasm';
import { type ClientCodec, isSequenceHeader } from '../../call/client-audio.js';
import type { RtpPacket } from '../rtp/rtp.js';
import { distance32 } from '../rtp/serial.js';
import { type AudioTools, effortToPlay } from './audio-tools.js';
import { type AudioCodec, flvOctet, flvSpeexOctet, type ProgramCodec, programCodec } from './flv-audio.js';
import { isStereo, opusDuration, opusHeader, opusSequenceStart } from './opus.js';
import { G711ToSpeex, SpeexToG711, type Transcoding } from './transcoding.js';

/** Longest packet of G.711 taken, in octets: 200 ms, the most that RFC 3551 section 4.2 asks receivers for. */
const maxG711 = 1600;

/** Milliseconds after which the message that opens a stream comes again. */
const openingPeriod = 5_000;

type Law = 'pcmu' | 'pcma';

export interface BodySink {
  /** Takes the body of an FLV audio tag, its timestamp in milliseconds; false when nobody plays it. */
  take(body: Uint8Array, timestamp: number): boolean;
}

/** Makes messages of one codec of what the far end sends in one format. */
export interface ReceivePath {
  /** Whether messages are in another codec than packets. */
  readonly transcodes: boolean;
  /** Frames made up for packets that never arrived. */
  readonly concealed: number;
  /**
   * @param packet becomes the path's own: messages are built in place where they can be
   * @param place gives the packet's timestamp for the client, in milliseconds; called once for each that is not malformed
   * @param lost whether packets before it are missing: a gap in time without that is silence
   * @returns false when it is malformed
   */
  write(packet: RtpPacket, place: () => number, lost: boolean): boolean;
  /** Gives back what it holds. Nothing is taken any more. */
  free(): void;
}

export interface ReceivePathOptions {
  readonly from: AudioCodec;
  readonly to: ClientCodec;
  readonly tools: AudioTools;
  readonly sink: BodySink;
  /** What makes the messages has failed for good. Never from within a method of the path. */
  readonly failed: (reason: string) => void;
}

/** Undefined when nothing here makes `to` of `from`. */
export function receivePath(options: ReceivePathOptions): ReceivePath | undefined {
  const { from, to, tools, sink } = options;
  if (effortToPlay(from, to, tools) === undefined) return undefined;
  const program = programCodec(to, from);
  if (program !== undefined) return foreignPath(options, program);
  if (from === 'opus') return opusPath(sink);
  if (from === 'speex')
    return to === 'speex' ? new SpeexPath(sink) : speexToG711(options, to === 'pcma' ? 'pcma' : 'pcmu');
  return to === 'speex' ? g711ToSpeex(options, from) : g711Path(from, sink);
}

const nothing = (): void => {};

/** Speex as it is, each frame in a message of its own. */
class SpeexPath implements ReceivePath {
  readonly transcodes = false;
  readonly concealed = 0;
  readonly #sink: BodySink;

  constructor(sink: BodySink) {
    this.#sink = sink;
  }

  write(packet: RtpPacket, place: () => number): boolean {
    const split = splitPacket(payloadOf(packet));
    if (!split.ok) return false;
    let timestamp = place();
    if (split.frames.length === 1) {
      this.#sink.take(inPlace(packet, [flvSpeexOctet]), timestamp);
      return true;
    }
    for (const frame of split.frames) {
      this.#sink.take(withOctet(flvSpeexOctet, frame), timestamp);
      timestamp = (timestamp + frameDuration) % 2 ** 32;
    }
    return true;
  }

  free(): void {}
}

/** The client takes whichever law comes. */
function g711Path(law: Law, sink: BodySink): ReceivePath {
  return {
    transcodes: false,
    concealed: 0,
    free: nothing,
    write: (packet, place) => {
      if (!isG711(packet)) return false;
      sink.take(inPlace(packet, [flvOctet[law]]), place());
      return true;
    },
  };
}

function opusPath(sink: BodySink): ReceivePath {
  const open = opener(sink);
  return {
    transcodes: false,
    concealed: 0,
    free: nothing,
    write: (packet, place) => {
      const payload = payloadOf(packet);
      if (opusDuration(payload) === undefined) return false;
      const timestamp = place();
      open(opusSequenceStart(isStereo(payload) ? 2 : 1), timestamp);
      sink.take(inPlace(packet, opusHeader), timestamp);
      return true;
    },
  };
}

function g711ToSpeex({ tools, sink }: ReceivePathOptions, law: Law): ReceivePath {
  const codec = new G711ToSpeex(needed(tools), 16000);
  const speex = (frame: Uint8Array, timestamp: number) => sink.take(withOctet(flvSpeexOctet, frame), timestamp);
  return {
    transcodes: true,
    get concealed() {
      return codec.concealed;
    },
    write: (packet, place, lost) => {
      if (!isG711(packet)) return false;
      codec.write(payloadOf(packet), law, place(), speex, lost);
      return true;
    },
    free: () => codec.free(),
  };
}

function speexToG711({ tools, sink }: ReceivePathOptions, law: Law): ReceivePath {
  const codec = new SpeexToG711(needed(tools), law, frameDuration);
  const g711 = (octets: Uint8Array, timestamp: number) => sink.take(withOctet(flvOctet[law], octets), timestamp);
  return {
    transcodes: true,
    get concealed() {
      return codec.concealed;
    },
    write: (packet, place, lost) => {
      const payload = payloadOf(packet);
      return splitPacket(payload).ok && codec.write(payload, place(), g711, lost);
    },
    free: () => codec.free(),
  };
}

function foreignPath({ from, tools, sink, failed }: ReceivePathOptions, to: ProgramCodec): ReceivePath | undefined {
  if (from === 'opus') return undefined;
  const open = opener(sink);
  let header = to === 'opus' ? opusSequenceStart(1) : undefined;
  const deliver = (body: Uint8Array, timestamp: number): void => {
    if (isSequenceHeader(body)) header = body;
    else sink.take(body, timestamp);
  };
  const stream = tools.foreign?.encode(to, {
    take: (body, timestamp) => {
      if (header !== undefined) open(header, timestamp);
      deliver(body, timestamp);
    },
    failed,
  });
  return {
    concealed: 0,
    transcodes: true,
    write: (packet, place) => {
      const known = from === 'speex' ? splitPacket(payloadOf(packet)).ok : isG711(packet);
      return known && (stream?.write(inPlace(packet, [flvOctet[from]]), place()) ?? false);
    },
    free: () => stream?.close(),
  };
}

/**
 * Hands on the message that opens a stream: before the first that somebody plays, and from time to time for players that
 * join later.
 */
function opener(sink: BodySink): BodySink['take'] {
  let opened: number | undefined;
  return (header, timestamp) => {
    if (opened !== undefined && distance32(timestamp, opened) < openingPeriod) return true;
    const taken = sink.take(header, timestamp);
    if (taken) opened = timestamp;
    return taken;
  };
}

function isG711({ start, end }: RtpPacket): boolean {
  return end > start && end - start <= maxG711;
}

function payloadOf({ bytes, start, end }: RtpPacket): Uint8Array {
  return bytes.subarray(start, end);
}

/** The payload behind what an FLV tag has before it, which takes the place of the RTP header's end: no copy. */
function inPlace({ bytes, start, end }: RtpPacket, header: ArrayLike<number>): Uint8Array {
  const from = start - header.length;
  bytes.set(header, from);
  return bytes.subarray(from, end);
}

function withOctet(octet: number, frame: Uint8Array): Uint8Array {
  const body = new Uint8Array(frame.length + 1);
  body[0] = octet;
  body.set(frame, 1);
  return body;
}

function needed({ transcoding }: AudioTools): Transcoding {
  if (transcoding === undefined) throw new Error('there is no Speex codec');
  return transcoding;
}
