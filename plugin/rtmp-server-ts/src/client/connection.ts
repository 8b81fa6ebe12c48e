import { type AmfObject, type AmfValue, amfProperties } from '../amf/values.js';
import type { BufferList } from '../bytes/buffer-list.js';
import type { RawMessage } from '../chunk/raw-message.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { TypedEmitter } from '../events/typed-emitter.js';
import type { Handshake } from '../handshake/handshake.js';
import type { CommandMessage } from '../message/command.js';
import type { DataMessage } from '../message/data.js';
import type { AudioMessage, VideoMessage } from '../message/media.js';
import type { UserControlMessage } from '../message/user-control.js';
import { CONNECTION_CHUNK_STREAM_ID } from '../session/chunk-stream-ids.js';
import type { Clock } from '../session/clock.js';
import { CommandBacklog } from '../session/command-backlog.js';
import { OUT_CHUNK_SIZE } from '../session/connect-answer.js';
import { Endpoint, type EndpointHandler } from '../session/endpoint.js';
import type { RtmpClientLimits } from '../session/limits.js';
import { asRtmpError } from '../session/link.js';
import { refuseUnreadable, rpcCall } from '../session/requests.js';
import { RtmpCallError } from '../session/rtmp-call-error.js';
import { errorInfo } from '../session/status.js';
import type { Transport } from '../session/transport.js';
import type { SessionCloseReason, SessionCounters, SessionProtocol } from '../session/types.js';
import { ClientStream, type ClientStreamHost } from './client-stream.js';
import type { RtmpClientStream, RtmpConnection, RtmpConnectionEvents } from './types.js';

export interface ConnectionOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly limits: RtmpClientLimits;
  handshake(input: BufferList): Handshake;
  /** The command object of connect. */
  readonly commandObject: AmfObject;
  readonly args: readonly AmfValue[];
}

/** Every server expects 1, and some look at nothing else. */
const CONNECT_TRANSACTION = 1;
const MAX_STREAM_ID = 0xffffffff;

export class ClientConnection extends TypedEmitter<RtmpConnectionEvents> implements RtmpConnection, EndpointHandler {
  readonly url: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #options: ConnectionOptions;
  readonly #endpoint: Endpoint;
  readonly #backlog: CommandBacklog;
  readonly #streams = new Map<number, ClientStream>();
  readonly #streamHost: ClientStreamHost;
  /** Calls of createStream that wait for their answer. */
  #creating = 0;
  #open = false;
  #properties: AmfObject = {};
  #information: AmfObject = {};
  #opened: { resolve(): void; reject(error: RtmpError): void } | undefined;

  constructor(transport: Transport, options: ConnectionOptions) {
    super();
    const { url, clock, limits, handshake } = options;
    this.url = url;
    this.remoteAddress = transport.remoteAddress;
    this.remotePort = transport.remotePort;
    this.#options = options;
    this.#backlog = new CommandBacklog(limits);
    this.#endpoint = new Endpoint(transport, { role: 'client', clock, limits, handshake }, this);
    this.#streamHost = {
      clock,
      limits,
      endpoint: this.#endpoint,
      deleteStream: (stream) => this.#deleteStream(stream),
      listenerFailed: (error, event) => this.listenerFailed(error, event),
    };
  }

  get protocol(): SessionProtocol {
    return this.#endpoint.protocol;
  }

  get properties(): AmfObject {
    return this.#properties;
  }

  get information(): AmfObject {
    return this.#information;
  }

  get streams(): ReadonlyMap<number, RtmpClientStream> {
    return this.#streams;
  }

  get counters(): SessionCounters {
    return this.#endpoint.counters;
  }

  /** Handshake and connect. @throws RtmpError, an RtmpCallError `connect.rejected` among them */
  async open(): Promise<void> {
    const { handshakeTimeout } = this.#options.limits;
    const opened = new Promise<void>((resolve, reject) => {
      this.#opened = { resolve, reject };
    });
    this.#endpoint.setDeadline(handshakeTimeout, 'handshake.timeout', `no handshake in ${handshakeTimeout} ms`);
    this.#endpoint.start();
    await opened;
  }

  call(name: string, ...args: AmfValue[]): Promise<AmfValue[]> {
    return this.#endpoint.call(name, args);
  }

  push(name: string, ...args: AmfValue[]): void {
    this.#endpoint.push(name, args);
  }

  async createStream(): Promise<RtmpClientStream> {
    const { streams } = this.#options.limits;
    if (this.#streams.size + this.#creating >= streams) {
      throw new RtmpError('session.streams', `${streams} streams are open`);
    }
    this.#creating += 1;
    const [id] = await this.call('createStream').finally(() => {
      this.#creating -= 1;
    });
    const valid = typeof id === 'number' && Number.isInteger(id) && id > 0 && id <= MAX_STREAM_ID;
    if (!valid || this.#streams.has(id)) {
      throw new RtmpError('call.answer', `createStream was answered with ${String(id)}, it must be a new stream's id`);
    }
    const stream = new ClientStream(id, this.#freeSlot(), this.#streamHost);
    this.#streams.set(id, stream);
    return stream;
  }

  close(): void {
    this.#endpoint.close({ code: 'client', message: 'close() was called' });
  }

  protected override listenerFailed(cause: unknown, event: string): void {
    this.failed(new RtmpError('session.listener', `a listener of ${event} failed`, { cause }));
  }

  #deleteStream(stream: ClientStream): void {
    this.#streams.delete(stream.id);
    this.push('deleteStream', stream.id);
    stream.ended();
  }

  /** For the endpoint, as all that is public and follows; see {@link EndpointHandler}. */
  handshakeDone(): void {
    const { commandObject, args, limits } = this.#options;
    const { connectTimeout } = limits;
    this.#endpoint.setDeadline(connectTimeout, 'connect.timeout', `connect was not answered in ${connectTimeout} ms`);
    const connect = this.#endpoint.commands.command('connect', CONNECT_TRANSACTION, commandObject, args);
    this.#endpoint.send(connect, CONNECTION_CHUNK_STREAM_ID);
  }

  command(message: CommandMessage, size: number): void {
    if (this.#open) this.#command(message);
    else if (!isAnswer(message)) this.#backlog.add(message, size);
    else if (message.transactionId === CONNECT_TRANSACTION) this.#connected(message);
  }

  #connected({ name, commandObject, args }: CommandMessage): void {
    this.#properties = amfProperties(commandObject) ?? {};
    this.#information = amfProperties(args[0]) ?? {};
    if (name === '_error' || this.#information.level === 'error') {
      const error = new RtmpCallError('connect', args, 'connect.rejected');
      this.#settle(error);
      this.#endpoint.close({ code: error.code, message: error.message });
      return;
    }
    this.#open = true;
    // AMF3 is used when both want it.
    const { commandObject: asked } = this.#options;
    if (asked.objectEncoding === 3 && this.#information.objectEncoding === 3) this.#endpoint.commands.encoding = 3;
    this.#endpoint.stopDeadline();
    this.#endpoint.startHeartbeat();
    this.#endpoint.control({ type: 'setChunkSize', chunkSize: OUT_CHUNK_SIZE });
    this.#settle();
    // What the server says next may have come with the answer; the program shall have had the time to add its listeners.
    this.#endpoint.hold();
    setTimeout(() => this.#release(), 0);
  }

  #release(): void {
    try {
      for (const message of this.#backlog.takeAll()) {
        if (this.#endpoint.active) this.#command(message);
      }
      this.#endpoint.release();
    } catch (error) {
      this.failed(asRtmpError(error));
    }
  }

  #command(message: CommandMessage): void {
    const { name, transactionId, streamId, args } = message;
    if (isAnswer(message)) this.#endpoint.settleCall(message);
    else if (streamId !== 0) this.#streams.get(streamId)?.handleCommand(message);
    else if (name === 'onStatus') this.emit('status', amfProperties(args[0]) ?? {});
    else if (!this.emit('call', rpcCall(message, this.#endpoint.commands))) {
      const info = errorInfo('NetConnection.Call.Failed', `Method ${name} is not known.`);
      this.#endpoint.commands.error(transactionId, info);
    }
  }

  media(message: AudioMessage | VideoMessage | DataMessage): boolean {
    if (message.type === 'data' && message.streamId === 0) return this.emit('data', message);
    const stream = message.streamId === 0 ? this.#onlyPlaying() : this.#streams.get(message.streamId);
    return stream?.handleMedia(message) ?? false;
  }

  /** node-media-server sends what a client plays on message stream 0. With several that play there is no telling whose it is. */
  #onlyPlaying(): ClientStream | undefined {
    const playing = [...this.#streams.values()].filter((stream) => stream.playing !== undefined);
    return playing.length === 1 ? playing[0] : undefined;
  }

  control(message: UserControlMessage): boolean {
    if (message.event === 'streamEof') this.#streams.get(message.eventStreamId)?.handleEof();
    return true;
  }

  /** As on the server: a call with arguments that cannot be read fails alone. */
  unsupported(raw: RawMessage, error: RtmpError): void {
    if (!this.#open) throw error;
    refuseUnreadable(raw, error, this.#endpoint.commands);
  }

  failed(error: RtmpError): void {
    const { code, message, cause } = error;
    this.#settle(error);
    this.#endpoint.close({ code, message, cause });
  }

  closed(reason: SessionCloseReason): void {
    const cause = reason.cause instanceof Error ? reason.cause : undefined;
    this.#settle(new RtmpError('connect.failed', `${this.url}: ${reason.message}`, { cause }));
    for (const stream of [...this.#streams.values()]) {
      this.#streams.delete(stream.id);
      stream.ended();
    }
    this.emit('close', reason);
  }

  #settle(error?: RtmpError): void {
    const opened = this.#opened;
    this.#opened = undefined;
    if (error === undefined) opened?.resolve();
    else opened?.reject(error);
  }

  #freeSlot(): number {
    const taken = new Set([...this.#streams.values()].map(({ slot }) => slot));
    let slot = 1;
    while (taken.has(slot)) slot += 1;
    return slot;
  }
}

function isAnswer({ name }: CommandMessage): boolean {
  return name === '_result' || name === '_error';
}
