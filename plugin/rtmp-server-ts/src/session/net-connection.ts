import type { AmfObject, AmfValue } from '../amf/values.js';
import type { BufferList } from '../bytes/buffer-list.js';
import type { RawMessage } from '../chunk/raw-message.js';
import { RtmpError, type RtmpErrorCode } from '../errors/rtmp-error.js';
import { TypedEmitter } from '../events/typed-emitter.js';
import type { RtmpeType } from '../handshake/constants.js';
import { ServerHandshake } from '../handshake/server-handshake.js';
import type { CommandMessage } from '../message/command.js';
import type { DataMessage } from '../message/data.js';
import type { AudioMessage, VideoMessage } from '../message/media.js';
import type { Clock } from './clock.js';
import { CommandBacklog } from './command-backlog.js';
import { CONNECT_PRELUDE, connectAnswer } from './connect-answer.js';
import { type CommandTarget, handleConnectionCommand } from './connection-commands.js';
import { Endpoint, type EndpointHandler } from './endpoint.js';
import type { RtmpLimits } from './limits.js';
import { asRtmpError } from './link.js';
import type { StreamHost } from './net-stream.js';
import { connectRequest, refuseUnreadable, rpcCall } from './requests.js';
import { errorInfo, statusInfo } from './status.js';
import type { MessageSink } from './stream-output.js';
import { StreamTable } from './stream-table.js';
import { TokenBucket } from './token-bucket.js';
import type { Transport } from './transport.js';
import type {
  AcceptOptions,
  ConnectRequest,
  RtmpSession,
  RtmpSessionEvents,
  RtmpStream,
  SessionCloseReason,
  SessionCounters,
  SessionProtocol,
} from './types.js';

export interface ConnectionHost {
  readonly clock: Clock;
  readonly limits: RtmpLimits;
  /** `fmsVer` of the answer to connect. */
  readonly fmsVersion: string;
  /** Of the answer to RTMPE's handshake; undefined for that of the question. */
  readonly rtmpeType?: RtmpeType | undefined;
  handshakeDone(session: RtmpSession): void;
  /** Something was refused and the session goes on. */
  refused(session: RtmpSession, code: RtmpErrorCode, message: string, cause?: unknown): void;
  closed(session: RtmpSession, reason: SessionCloseReason): void;
}

/** In `connecting` only the connect command may come; in `deciding` the program has it and commands wait. */
type State = 'handshake' | 'connecting' | 'deciding' | 'open';

/** The server's side of a NetConnection. */
export class NetConnection
  extends TypedEmitter<RtmpSessionEvents>
  implements RtmpSession, CommandTarget, StreamHost, EndpointHandler
{
  readonly id = crypto.randomUUID();
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #host: ConnectionHost;
  readonly #endpoint: Endpoint;
  readonly #streams: StreamTable;
  readonly #commandRate: TokenBucket;
  readonly #backlog: CommandBacklog;
  #state: State = 'handshake';
  /** Whether the client has said that it heeds a request to connect anew. */
  #canReconnect = false;

  constructor(transport: Transport, host: ConnectionHost) {
    super();
    const { clock, limits } = host;
    this.#host = host;
    this.remoteAddress = transport.remoteAddress;
    this.remotePort = transport.remotePort;
    this.#streams = new StreamTable(limits.streams);
    this.#commandRate = new TokenBucket(clock, limits.commandsPerSecond, limits.commandBurst);
    this.#backlog = new CommandBacklog(limits);
    const handshake = (input: BufferList) => new ServerHandshake(input, { rtmpeType: host.rtmpeType });
    this.#endpoint = new Endpoint(transport, { role: 'server', clock, limits, handshake }, this);
  }

  get protocol(): SessionProtocol {
    return this.#endpoint.protocol;
  }

  get streams(): ReadonlyMap<number, RtmpStream> {
    return this.#streams.all;
  }

  /** For streams; see {@link StreamHost}. */
  get endpoint(): MessageSink {
    return this.#endpoint;
  }

  get counters(): SessionCounters {
    return this.#endpoint.counters;
  }

  /** @param openedAt when the connection began, by the clock */
  start(openedAt: number): void {
    const { clock, limits } = this.#host;
    const left = Math.max(0, openedAt + limits.handshakeTimeout - clock.now());
    this.#endpoint.setDeadline(left, 'handshake.timeout', `no complete handshake in ${limits.handshakeTimeout} ms`);
    this.#endpoint.start();
  }

  push(name: string, ...args: AmfValue[]): void {
    this.#endpoint.push(name, args);
  }

  status(info: AmfObject): void {
    this.push('onStatus', info);
  }

  call(name: string, ...args: AmfValue[]): Promise<AmfValue[]> {
    return this.#endpoint.call(name, args);
  }

  requestReconnect({
    tcUrl,
    description = 'The server asks to connect anew.',
  }: {
    readonly tcUrl?: string;
    readonly description?: string;
  } = {}): boolean {
    if (!this.#canReconnect || !this.#endpoint.active) return false;
    const more = tcUrl === undefined ? {} : { tcUrl };
    this.status(statusInfo('NetConnection.Connect.ReconnectRequest', description, more));
    return true;
  }

  close(reason = 'closed by the server'): void {
    this.#close({ code: 'server', message: reason }, statusInfo('NetConnection.Connect.Closed', reason));
  }

  /** For streams; see {@link StreamHost}. */
  reportListenerFailure(error: unknown, event: string): void {
    const message = `a listener of ${event} failed`;
    if (this.#endpoint.active) this.failed(new RtmpError('session.listener', message, { cause: error }));
    else this.#host.refused(this, 'session.listener', message, error);
  }

  result(transactionId: number, ...values: AmfValue[]): void {
    this.#endpoint.commands.result(transactionId, ...values);
  }

  createStream(transactionId: number): void {
    const stream = this.#streams.create(this);
    if (stream === undefined) {
      const message = `more than ${this.#host.limits.streams} streams`;
      this.#host.refused(this, 'session.streams', message);
      this.#endpoint.commands.error(transactionId, errorInfo('NetConnection.Call.Failed', message));
      return;
    }
    this.result(transactionId, stream.id);
    this.emit('stream', stream);
  }

  deleteStream(id: number): void {
    this.#streams.delete(id);
  }

  unpublish(name: string): void {
    this.#streams.publishing(name)?.endPublish();
  }

  settleCall(answer: CommandMessage): void {
    this.#endpoint.settleCall(answer);
  }

  protected override listenerFailed(error: unknown, event: string): void {
    this.reportListenerFailure(error, event);
  }

  #isOpen(): boolean {
    return this.#state === 'open' && this.#endpoint.active;
  }

  /** For the endpoint, as all that is public and follows; see {@link EndpointHandler}. */
  handshakeDone(): void {
    this.#state = 'connecting';
    const { connectTimeout } = this.#host.limits;
    this.#endpoint.setDeadline(connectTimeout, 'connect.timeout', `no connect command in ${connectTimeout} ms`);
    this.#host.handshakeDone(this);
  }

  media(message: AudioMessage | VideoMessage | DataMessage): boolean {
    if (!this.#isOpen()) return false;
    if (message.type === 'data' && message.streamId === 0) return this.emit('data', message);
    return this.#streams.get(message.streamId)?.handleMedia(message) ?? false;
  }

  command(message: CommandMessage, size: number): void {
    this.#checkRate();
    if (this.#state === 'open') this.#command(message);
    else if (this.#state === 'deciding') this.#backlog.add(message, size);
    else if (message.name === 'connect') this.#connect(message);
    else throw new RtmpError('connect.expected', `the first command is ${message.name}, it must be connect`);
  }

  #checkRate(): void {
    if (this.#commandRate.take()) return;
    throw new RtmpError('command.rate', `more than ${this.#host.limits.commandsPerSecond} commands a second`);
  }

  #connect(message: CommandMessage): void {
    const { transactionId } = message;
    this.#state = 'deciding';
    this.#endpoint.stopDeadline();
    this.#endpoint.startHeartbeat();
    const request: ConnectRequest = connectRequest(message, {
      accept: (options) => this.#accept(transactionId, request, options),
      reject: (description, information = {}) => {
        if (!this.#isDeciding()) return;
        const info = errorInfo('NetConnection.Connect.Rejected', description, information);
        this.#endpoint.commands.rejected(transactionId, info);
        this.#close({ code: 'connect.rejected', message: description });
      },
    });
    if (!this.emit('connect', request)) request.reject('No application takes connections.');
  }

  #isDeciding(): boolean {
    return this.#state === 'deciding' && this.#endpoint.active;
  }

  #accept(transactionId: number, request: ConnectRequest, options?: AcceptOptions): void {
    if (!this.#isDeciding()) return;
    const { properties, information, encoding } = connectAnswer(this.#host.fmsVersion, request, options);
    this.#state = 'open';
    for (const message of CONNECT_PRELUDE) this.#endpoint.control(message);
    const { commands } = this.#endpoint;
    commands.connected(transactionId, properties, information);
    commands.encoding = encoding;
    this.#canReconnect = request.enhanced?.capsEx?.reconnect === true;
    // After the listener that accepts has returned and has added its other listeners.
    queueMicrotask(() => this.#runBacklog());
  }

  #runBacklog(): void {
    try {
      for (const message of this.#backlog.takeAll()) {
        if (this.#isOpen()) this.#command(message);
      }
    } catch (error) {
      this.failed(asRtmpError(error));
    }
  }

  #command(message: CommandMessage): void {
    const { name, transactionId, streamId } = message;
    if (this.#streams.get(streamId)?.handleCommand(message)) return;
    if (handleConnectionCommand(this, message)) return;
    const { commands } = this.#endpoint;
    const call = rpcCall(message, commands);
    if (name !== 'connect' && streamId === 0 && this.emit('call', call)) return;
    commands.error(transactionId, errorInfo('NetConnection.Call.Failed', `Method ${name} is not known.`));
  }

  control(): boolean {
    return true;
  }

  /** A command with arguments that cannot be read fails alone; before connect was read there is nothing to go on with. */
  unsupported(raw: RawMessage, error: RtmpError): void {
    if (!this.#isOpen()) throw error;
    this.#checkRate();
    this.#host.refused(this, error.code, error.message);
    refuseUnreadable(raw, error, this.#endpoint.commands);
  }

  failed({ code, message, cause }: RtmpError): void {
    this.#close({ code, message, cause }, errorInfo('NetConnection.Connect.Closed', message));
  }

  /** @param farewell told to a client that has sent its connect command */
  #close(reason: SessionCloseReason, farewell?: AmfObject): void {
    const connected = this.#state === 'deciding' || this.#state === 'open';
    this.#endpoint.close(reason, connected ? farewell : undefined);
  }

  closed(reason: SessionCloseReason): void {
    this.#streams.close();
    this.emit('close', reason);
    this.#host.closed(this, reason);
  }
}
