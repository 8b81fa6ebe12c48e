import type { AmfObject, AmfValue } from '../amf/values.js';
import type { TypedEmitter } from '../events/typed-emitter.js';
import type { DataMessage } from '../message/data.js';
import type { AudioMessage, VideoMessage } from '../message/media.js';
import type { RpcCall, SessionCloseReason, SessionCounters, SessionProtocol } from '../session/types.js';

export type RtmpConnectionEvents = {
  /** A command of the server: a push (transaction id 0, no answer wanted) or a call, to be answered. Without a listener it gets `_error`. */
  call: [call: RpcCall];
  /** onStatus on the NetConnection, e.g. NetConnection.Connect.Closed. */
  status: [info: AmfObject];
  /** Data on the NetConnection, message stream 0. */
  data: [data: DataMessage];
  /** Exactly once, after the streams' own events. */
  close: [reason: SessionCloseReason];
};

/** A client's NetConnection. Methods do nothing, and promises reject, once it is closed. */
export interface RtmpConnection extends TypedEmitter<RtmpConnectionEvents> {
  /** As asked for, or by what the fallback came to. */
  readonly url: string;
  readonly protocol: SessionProtocol;
  /** The server's; its name where the transport does not tell: in a browser, and through an HTTP tunnel. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** First object of the answer to connect: `fmsVer`, `capabilities` and what the server adds. */
  readonly properties: AmfObject;
  /** Second object: NetConnection.Connect.Success. */
  readonly information: AmfObject;
  readonly streams: ReadonlyMap<number, RtmpClientStream>;
  readonly counters: SessionCounters;
  /**
   * @returns the arguments of `_result`
   * @throws RtmpCallError `call.failed` with the server's `_error`; RtmpError `call.closed`, `call.timeout`, `call.pending`, `amf.*`
   */
  call(name: string, ...args: AmfValue[]): Promise<AmfValue[]>;
  /** A command that wants no answer: transaction id 0. @throws RtmpError `amf.*` */
  push(name: string, ...args: AmfValue[]): void;
  /** @throws as {@link call}; RtmpError `session.streams` when there are too many, `call.answer` when the server's answer makes no sense */
  createStream(): Promise<RtmpClientStream>;
  /** Sends what is queued (at most `closeTimeout`), then ends. */
  close(): void;
}

export type RtmpClientStreamEvents = {
  audio: [message: AudioMessage];
  video: [message: VideoMessage];
  data: [message: DataMessage];
  /** onStatus on this stream, those included that settle publish() and play(). */
  status: [info: AmfObject];
  /** The server ended what was played: StreamEOF or NetStream.Play.Stop. */
  end: [];
  /** close(), or the connection's end. */
  close: [];
};

export interface PlayOptions {
  /** Seconds into a recording; -2 (default) is live, else recorded; -1 is live only. */
  readonly start?: number;
  /** Seconds; -1 (default) is to the end. */
  readonly duration?: number;
  /** Whether what is played ends. Default true. */
  readonly reset?: boolean;
}

/** A client's NetStream. It publishes or it plays. */
export interface RtmpClientStream extends TypedEmitter<RtmpClientStreamEvents> {
  /** The message stream id that the server gave. */
  readonly id: number;
  /** The name of the publish that the server has accepted. */
  readonly publishing: string | undefined;
  /** The name of the play that the server has accepted. */
  readonly playing: string | undefined;
  /**
   * @param type `live` (default), `record` or `append`
   * @returns the information object of NetStream.Publish.Start
   * @throws RtmpCallError `stream.refused` with the server's status; RtmpError `stream.closed`, `call.timeout`
   */
  publish(name: string, type?: string): Promise<AmfObject>;
  /** @returns the information object of NetStream.Play.Start @throws as {@link publish} */
  play(name: string, options?: PlayOptions): Promise<AmfObject>;
  /**
   * @param timestamp milliseconds, modulo 2^32
   * @param payload an FLV audio tag's body; it is not copied and must not change afterwards
   * @returns false when it was dropped: the stream is not publishing, or the server reads too slowly
   */
  sendAudio(timestamp: number, payload: Uint8Array): boolean;
  /** As {@link sendAudio}. After a dropped message the next one that makes a picture again is a key frame. */
  sendVideo(timestamp: number, payload: Uint8Array): boolean;
  /** A data message with the timestamp of the last audio or video, never dropped. @throws RtmpError `amf.*` */
  sendData(name: string, ...values: AmfValue[]): void;
  /** A command on this stream that wants no answer, such as receiveAudio, receiveVideo, pause or seek. @throws RtmpError `amf.*` */
  push(name: string, ...args: AmfValue[]): void;
  /** Ends publishing or playing (closeStream); the stream can be used again. */
  stop(): void;
  /** deleteStream. */
  close(): void;
}
