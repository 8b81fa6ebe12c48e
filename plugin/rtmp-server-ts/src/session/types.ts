import type { AmfObject, AmfValue } from '../amf/values.js';
import type { RtmpErrorCode } from '../errors/rtmp-error.js';
import type { TypedEmitter } from '../events/typed-emitter.js';
import type { DataMessage } from '../message/data.js';
import type { AudioMessage, VideoMessage } from '../message/media.js';
import type { EnhancedCapabilities } from './enhanced-capabilities.js';
import type { TransportProtocol } from './transport.js';

/** Why a session ended. Every {@link RtmpErrorCode} can be one; the other codes are the ordinary ends. */
export interface SessionCloseReason {
  /** Stable. `client`, `server`: that side ended it in an orderly way; `transport`: the connection broke. */
  readonly code: 'client' | 'server' | 'transport' | RtmpErrorCode;
  /** For people. */
  readonly message: string;
  readonly cause?: unknown;
}

/** As in the client's URL. */
export type SessionProtocol = TransportProtocol | 'rtmpe' | 'rtmpte';

export interface SessionCounters {
  /** With the handshake. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Messages that came for a stream that does not publish, or of a type that nobody asks for. */
  readonly messagesIgnored: number;
  /** Audio messages not sent because the client reads too slowly. */
  readonly audioDropped: number;
  readonly videoDropped: number;
  /** The last answered ping's round trip in milliseconds; -1 before. */
  readonly roundTripTime: number;
}

export type RtmpSessionEvents = {
  /** The client's connect command. Nothing else is dispatched before accept(). */
  connect: [request: ConnectRequest];
  /** A command on the NetConnection that the session does not handle itself. */
  call: [call: RpcCall];
  /** A stream made by createStream. */
  stream: [stream: RtmpStream];
  /** Data on the NetConnection, message stream 0. */
  data: [data: DataMessage];
  /** Exactly once, after the streams' own events. */
  close: [reason: SessionCloseReason];
};

/** The NetConnection of one client. Methods do nothing once it is closed. */
export interface RtmpSession extends TypedEmitter<RtmpSessionEvents> {
  /** Unguessable. */
  readonly id: string;
  /** RTMPE is told from RTMP when the handshake is done. */
  readonly protocol: SessionProtocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly streams: ReadonlyMap<number, RtmpStream>;
  readonly counters: SessionCounters;
  /** Sends a command that wants no answer: transaction id 0, null command object, message stream 0. @throws RtmpError `amf.*` */
  push(name: string, ...args: AmfValue[]): void;
  /** push('onStatus', info): a NetStatusEvent at the client's NetConnection. */
  status(info: AmfObject): void;
  /**
   * Calls a method of the client object.
   * @returns the arguments of its `_result`
   * @throws RtmpCallError `call.failed` with the client's `_error`; RtmpError `call.closed` when the session ends before, `call.timeout`
   * when there is none in time, `call.pending` when too many wait
   */
  call(name: string, ...args: AmfValue[]): Promise<AmfValue[]>;
  /**
   * Asks the client to connect anew: here, or to `tcUrl`, which may be relative. It goes on until it has (Enhanced RTMP v2, Reconnect
   * Request), so close() must wait.
   * @returns false, with nothing sent, when the client has not said in connect that it heeds this
   */
  requestReconnect(options?: { readonly tcUrl?: string; readonly description?: string }): boolean;
  /** Sends what is queued (at most `closeTimeout`), then ends. The client is told with NetConnection.Connect.Closed. */
  close(reason?: string): void;
}

export interface ConnectRequest {
  readonly commandObject: AmfObject;
  /** `app`, `tcUrl` and `flashVer` are empty when the client did not send them. */
  readonly app: string;
  readonly tcUrl: string;
  readonly flashVer: string;
  /** With 3, commands and data go to the client in their AMF3 form, the answer to connect apart. */
  readonly objectEncoding: 0 | 3;
  /** Bit masks of what the client can play. */
  readonly audioCodecs?: number;
  readonly videoCodecs?: number;
  /** What the client says of Enhanced RTMP, when it says anything. */
  readonly enhanced?: EnhancedCapabilities;
  /** The arguments after the command object. */
  readonly args: readonly AmfValue[];
  /**
   * Sends Window Acknowledgement Size, Set Peer Bandwidth, Set Chunk Size and `_result` with NetConnection.Connect.Success; then commands
   * that the client sent meanwhile are dispatched. Later and further calls do nothing.
   */
  accept(options?: AcceptOptions): void;
  /** Sends `_error` with NetConnection.Connect.Rejected and closes. */
  reject(description: string, information?: AmfObject): void;
}

export interface AcceptOptions {
  /** To add to, or to put in place of, the properties sent. */
  readonly properties?: AmfObject;
  /** To add to, or to put in place of, the information sent. With `objectEncoding: 0` the session keeps to AMF0. */
  readonly information?: AmfObject;
  /** What the program can do of Enhanced RTMP: told to a client that has said what it can do. */
  readonly enhanced?: EnhancedCapabilities;
}

/** A command of the client. Both answers do nothing when its transaction id is 0, and when it was answered already. */
export interface RpcCall {
  readonly name: string;
  readonly transactionId: number;
  readonly commandObject: AmfValue;
  readonly args: readonly AmfValue[];
  /** `_result(transactionId, null, ...values)` */
  result(...values: AmfValue[]): void;
  /** `_error(transactionId, null, info)` */
  error(info: AmfObject): void;
}

export type RtmpStreamEvents = {
  publish: [request: PublishRequest];
  play: [request: PlayRequest];
  /** Audio, video and data come only while the stream is published. */
  audio: [message: AudioMessage];
  video: [message: VideoMessage];
  data: [message: DataMessage];
  pause: [pause: { readonly paused: boolean /** Milliseconds. */; readonly position: number }];
  /** Milliseconds. Without a listener the client gets NetStream.Seek.Failed. */
  seek: [position: number];
  receiveAudio: [wanted: boolean];
  receiveVideo: [wanted: boolean];
  /** An accepted publish ended: by the client, by a new publish or play on the stream, or with the connection. Exactly once for each. */
  unpublish: [];
  /** An accepted play ended; as for `unpublish`, or by stopPlay(). */
  stop: [];
  /** deleteStream or the connection's end. */
  close: [];
};

/** A NetStream. It publishes or it plays. Methods do nothing once it is closed. */
export interface RtmpStream extends TypedEmitter<RtmpStreamEvents> {
  /** The message stream id, 1 and up. The id of a deleted stream is used again. */
  readonly id: number;
  /** The name of the accepted publish. */
  readonly publishing: string | undefined;
  /** The name of the accepted play. */
  readonly playing: string | undefined;
  /**
   * @param timestamp milliseconds, modulo 2^32
   * @param payload an FLV audio tag's body; it is not copied and must not change afterwards
   * @returns false when it was dropped: the stream is not playing, paused, or without receiveAudio, or the client reads too slowly
   */
  sendAudio(timestamp: number, payload: Uint8Array): boolean;
  /** As {@link sendAudio}. After a dropped message the next one that makes a picture again is a key frame. */
  sendVideo(timestamp: number, payload: Uint8Array): boolean;
  /** A data message with the timestamp of the last audio or video, never dropped. @throws RtmpError `amf.*` */
  sendData(name: string, ...values: AmfValue[]): void;
  /** onStatus on this stream. @throws RtmpError `amf.*` */
  status(info: AmfObject): void;
  /** Ends an accepted play from this side: StreamEOF and NetStream.Play.Stop. */
  stopPlay(info?: AmfObject): void;
}

interface StreamRequest {
  readonly name: string;
  /** Sends StreamBegin and the Start status; `info` is added to it. A request that was overtaken or answered cannot be accepted. */
  accept(info?: AmfObject): void;
  /** onStatus with level `error`, e.g. NetStream.Publish.BadName or NetStream.Play.StreamNotFound. */
  reject(code: string, description: string): void;
}

export interface PublishRequest extends StreamRequest {
  /** `live`, `record` or `append`; other texts are handed on. */
  readonly type: string;
}

export interface PlayRequest extends StreamRequest {
  /** Seconds, or -2 (live, else recorded) and -1 (live), as the client says it: FFmpeg says -2000. */
  readonly start: number;
  /** Seconds; -1 is to the end. */
  readonly duration: number;
  /** Whether what played before is to end. It does in any case. */
  readonly reset: boolean;
}
