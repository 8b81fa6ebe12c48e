import type { ProgramCodec } from './flv-audio.js';

/** What turns codecs that the far end does not speak into samples and back: another program, some milliseconds later. */
export interface ForeignCodecs {
  decodes(codec: ProgramCodec): boolean;
  encodes(codec: ProgramCodec): boolean;
  /** Takes messages of a codec that `decodes` says; gives {@link foreignRate} Hz, mono. */
  decode(codec: ProgramCodec, output: ForeignOutput<Int16Array>): ForeignStream;
  /** Takes messages of Speex or G.711; gives messages of the codec. */
  encode(codec: ProgramCodec, output: ForeignOutput<Uint8Array>): ForeignStream;
}

/** Hz of what is decoded. */
export const foreignRate = 16_000;

export interface ForeignOutput<T> {
  /** @param timestamp milliseconds, modulo 2^32, on the scale of the messages that went in */
  readonly take: (data: T, timestamp: number) => void;
  /** Nothing comes any more. Never from within a method of the stream. */
  readonly failed: (reason: string) => void;
}

/** One direction of one call. */
export interface ForeignStream {
  /**
   * @param body of an FLV audio tag
   * @returns false when it was dropped, because what went in before has not been taken yet
   */
  write(body: Uint8Array, timestamp: number): boolean;
  /** Nothing comes out any more. A second call does nothing. */
  close(): void;
}

/** How often one call may start a stream: more is a client that changes its codec to and fro. */
const maxStreams = 16;

/** The codecs for one call, which starts no more than 16 streams in all: each is a program. */
export function forOneCall(codecs: ForeignCodecs): ForeignCodecs {
  let started = 0;
  const start = (open: () => ForeignStream, failed: (reason: string) => void): ForeignStream => {
    if (++started <= maxStreams) return open();
    queueMicrotask(() =>
      failed(`the client has changed its codec too often: ${maxStreams} times FFmpeg was started for it`),
    );
    return { write: () => false, close: () => {} };
  };
  return {
    decodes: (codec) => codecs.decodes(codec),
    encodes: (codec) => codecs.encodes(codec),
    decode: (codec, output) => start(() => codecs.decode(codec, output), output.failed),
    encode: (codec, output) => start(() => codecs.encode(codec, output), output.failed),
  };
}
