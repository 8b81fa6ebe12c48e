import type { AmfObject, AmfValue } from '../amf/values.js';
import { CONTROL_CHUNK_STREAM_ID } from '../chunk/constants.js';
import type { RawMessage } from '../chunk/raw-message.js';
import { RtmpError, type RtmpErrorCode } from '../errors/rtmp-error.js';
import { TypedEmitter } from '../events/typed-emitter.js';
import type { AmfEncoding } from '../message/amf3-prefix.js';
import { type CommandMessage, decodeCommandHead } from '../message/command.js';
import type { DataMessage } from '../message/data.js';
import type { AudioMessage, VideoMessage } from '../message/media.js';
import type { RtmpMessage } from '../message/message.js';
import { MessageType } from '../message/message-type.js';
import type { UserControlMessage } from '../message/user-control.js';
import { CONNECTION_CHUNK_STREAM_ID } from './chunk-stream-ids.js';
import type { Clock } from './clock.js';
import { CommandBacklog } from './command-backlog.js';
import { CommandChannel } from './command-channel.js';
import { CONNECT_PRELUDE, connectAnswer } from './connect-answer.js';
import { type CommandTarget, handleConnectionCommand } from './connection-commands.js';
import { Heartbeat } from './heartbeat.js';
import type { RtmpLimits } from './limits.js';
import { asRtmpError, Link } from './link.js';
import { MediaGate } from './media-gate.js';
import type { StreamHost } from './net-stream.js';
import { PendingCalls } from './pending-calls.js';
import { connectRequest, rpcCall } from './requests.js';
import { errorInfo, statusInfo } from './status.js';
import { StreamTable } from './stream-table.js';
import { TokenBucket } from './token-bucket.js';
import type { Transport, TransportProtocol } from './transport.js';
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
  handshakeDone(session: RtmpSession): void;
  /** Something was refused and the session goes on. */
  refused(session: RtmpSession, code: RtmpErrorCode, message: string, cause?: unknown): void;
  closed(session: RtmpSession, reason: SessionCloseReason): void;
}

/**
 *     handshake -> connecting -> deciding -> open
 *         any of them -> closing -> closed
 *
 * In `connecting` only the connect command may come; in `deciding` the program has it and commands wait.
 */
type State = 'handshake' | 'connecting' | 'deciding' | 'open' | 'closing' | 'closed';

export class NetConnection extends TypedEmitter<RtmpSessionEvents> implements RtmpSession, CommandTarget, StreamHost {
  readonly id = crypto.randomUUID();
  readonly #protocol: TransportProtocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #host: ConnectionHost;
  readonly #link: Link;
  readonly #heartbeat: Heartbeat;
  readonly #commands = new CommandChannel((message) => this.send(message, CONNECTION_CHUNK_STREAM_ID));
  readonly #streams: StreamTable;
  readonly #pendingCalls: PendingCalls;
  readonly #commandRate: TokenBucket;
  readonly #backlog: CommandBacklog;
  readonly #mediaGate: MediaGate;
  #state: State = 'handshake';
  #reason: SessionCloseReason | undefined;
  /** Of the handshake, the connect command or the close, one after the other. */
  #deadline: unknown;
  #messagesIgnored = 0;
  /** Whether the client has said that it heeds a request to connect anew. */
  #canReconnect = false;

  constructor(transport: Transport, host: ConnectionHost) {
    super();
    const { clock, limits } = host;
    this.#host = host;
    this.#protocol = transport.protocol;
    this.remoteAddress = transport.remoteAddress;
    this.remotePort = transport.remotePort;
    this.#streams = new StreamTable(limits.streams);
    this.#pendingCalls = new PendingCalls(limits.pendingCalls);
    this.#commandRate = new TokenBucket(clock, limits.commandsPerSecond, limits.commandBurst);
    this.#backlog = new CommandBacklog(limits);
    this.#heartbeat = new Heartbeat(clock, limits, {
      sendPing: (pingTimestamp) => this.#control({ type: 'userControl', event: 'pingRequest', pingTimestamp }),
      timedOut: (silence) =>
        this.#fail(new RtmpError('session.ping-timeout', `no sign of the client for ${silence} ms`)),
    });
    this.#link = new Link(transport, limits, {
      handshakeDone: () => this.#handshakeDone(),
      received: () => this.#heartbeat.received(),
      message: (message, size) => this.#message(message, size),
      unsupported: (raw, error) => this.#unsupported(raw, error),
      violated: (error) => this.#fail(error),
      closed: (error) => this.#closed(error),
    });
    this.#mediaGate = new MediaGate(this.#link, this.#heartbeat, limits);
  }

  get protocol(): SessionProtocol {
    if (this.#link.encrypted && this.#protocol === 'rtmp') return 'rtmpe';
    if (this.#link.encrypted && this.#protocol === 'rtmpt') return 'rtmpte';
    return this.#protocol;
  }

  get streams(): ReadonlyMap<number, RtmpStream> {
    return this.#streams.all;
  }

  /** For streams; see {@link StreamHost}. */
  get encoding(): AmfEncoding {
    return this.#commands.encoding;
  }

  get counters(): SessionCounters {
    const { bytesIn, bytesOut, messagesIn, messagesOut } = this.#link;
    return {
      bytesIn,
      bytesOut,
      messagesIn,
      messagesOut,
      messagesIgnored: this.#messagesIgnored,
      audioDropped: this.#mediaGate.dropped.audio,
      videoDropped: this.#mediaGate.dropped.video,
      roundTripTime: this.#heartbeat.roundTripTime,
    };
  }

  /** @param openedAt when the connection began, by the clock */
  start(openedAt: number): void {
    const { clock, limits } = this.#host;
    const left = Math.max(0, openedAt + limits.handshakeTimeout - clock.now());
    this.#expireAfter(left, 'handshake.timeout', `no complete handshake in ${limits.handshakeTimeout} ms`);
    this.#link.start();
  }

  push(name: string, ...args: AmfValue[]): void {
    this.#commands.call(name, 0, ...args);
  }

  status(info: AmfObject): void {
    this.push('onStatus', info);
  }

  call(name: string, ...args: AmfValue[]): Promise<AmfValue[]> {
    if (!this.#isActive) return Promise.reject(new RtmpError('call.closed', `${name} called on a closed session`));
    return this.#pendingCalls.add(name, (transactionId) => this.#commands.call(name, transactionId, ...args));
  }

  requestReconnect({
    tcUrl,
    description = 'The server asks to connect anew.',
  }: {
    readonly tcUrl?: string;
    readonly description?: string;
  } = {}): boolean {
    if (!this.#canReconnect || !this.#isActive) return false;
    const more = tcUrl === undefined ? {} : { tcUrl };
    this.status(statusInfo('NetConnection.Connect.ReconnectRequest', description, more));
    return true;
  }

  close(reason = 'closed by the server'): void {
    this.#close({ code: 'server', message: reason }, statusInfo('NetConnection.Connect.Closed', reason));
  }

  /** For streams; see {@link StreamHost}. */
  send(message: RtmpMessage, chunkStreamId: number): void {
    if (this.#isActive) this.#link.send(message, chunkStreamId);
  }

  sendMedia(message: AudioMessage | VideoMessage, chunkStreamId: number): boolean {
    if (!this.#isActive || !this.#mediaGate.passes(message)) return false;
    this.#link.send(message, chunkStreamId);
    this.#heartbeat.mediaSent();
    return true;
  }

  reportListenerFailure(error: unknown, event: string): void {
    const message = `a listener of ${event} failed`;
    if (this.#isActive) this.#fail(new RtmpError('session.listener', message, { cause: error }));
    else this.#host.refused(this, 'session.listener', message, error);
  }

  result(transactionId: number, ...values: AmfValue[]): void {
    this.#commands.result(transactionId, ...values);
  }

  createStream(transactionId: number): void {
    const stream = this.#streams.create(this);
    if (stream === undefined) {
      const message = `more than ${this.#host.limits.streams} streams`;
      this.#host.refused(this, 'session.streams', message);
      this.#commands.error(transactionId, errorInfo('NetConnection.Call.Failed', message));
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

  settleCall(answer: '_result' | '_error', { transactionId, args }: CommandMessage): void {
    if (!this.#pendingCalls.settle(transactionId, answer, args)) this.#messagesIgnored += 1;
  }

  protected override listenerFailed(error: unknown, event: string): void {
    this.reportListenerFailure(error, event);
  }

  get #isActive(): boolean {
    return this.#state !== 'closing' && this.#state !== 'closed';
  }

  #handshakeDone(): void {
    this.#state = 'connecting';
    const { connectTimeout } = this.#host.limits;
    this.#expireAfter(connectTimeout, 'connect.timeout', `no connect command in ${connectTimeout} ms`);
    this.#host.handshakeDone(this);
  }

  #message(message: RtmpMessage, size: number): void {
    switch (message.type) {
      case 'command':
        this.#limitedCommand(message, size);
        return;
      case 'userControl':
        this.#userControl(message);
        return;
      case 'audio':
      case 'video':
      case 'data':
        if (!this.#media(message)) this.#messagesIgnored += 1;
        return;
      default:
        this.#messagesIgnored += 1;
    }
  }

  #userControl(message: UserControlMessage): void {
    if (message.event === 'pingResponse') this.#heartbeat.answered();
    if (message.event !== 'pingRequest') return;
    this.#control({ type: 'userControl', event: 'pingResponse', pingTimestamp: message.pingTimestamp });
  }

  #media(message: AudioMessage | VideoMessage | DataMessage): boolean {
    if (this.#state !== 'open') return false;
    if (message.type === 'data' && message.streamId === 0) return this.emit('data', message);
    return this.#streams.get(message.streamId)?.handleMedia(message) ?? false;
  }

  #limitedCommand(message: CommandMessage, size: number): void {
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
    this.#host.clock.clearTimeout(this.#deadline);
    this.#heartbeat.start();
    const request: ConnectRequest = connectRequest(message, {
      accept: (options) => this.#accept(transactionId, request, options),
      reject: (description, information = {}) => {
        if (this.#state !== 'deciding') return;
        this.#commands.rejected(transactionId, errorInfo('NetConnection.Connect.Rejected', description, information));
        this.#close({ code: 'connect.rejected', message: description });
      },
    });
    if (!this.emit('connect', request)) request.reject('No application takes connections.');
  }

  #accept(transactionId: number, request: ConnectRequest, options?: AcceptOptions): void {
    if (this.#state !== 'deciding') return;
    const { properties, information, encoding } = connectAnswer(this.#host.fmsVersion, request, options);
    this.#state = 'open';
    for (const message of CONNECT_PRELUDE) this.#control(message);
    this.#commands.connected(transactionId, properties, information);
    this.#commands.encoding = encoding;
    this.#canReconnect = request.enhanced?.capsEx?.reconnect === true;
    // After the listener that accepts has returned and has added its other listeners.
    queueMicrotask(() => this.#runBacklog());
  }

  #runBacklog(): void {
    try {
      for (const message of this.#backlog.takeAll()) {
        if (this.#state === 'open') this.#command(message);
      }
    } catch (error) {
      this.#fail(asRtmpError(error));
    }
  }

  #command(message: CommandMessage): void {
    const { name, transactionId, streamId } = message;
    if (this.#streams.get(streamId)?.handleCommand(message)) return;
    if (handleConnectionCommand(this, message)) return;
    const call = rpcCall(message, this.#commands);
    if (name !== 'connect' && streamId === 0 && this.emit('call', call)) return;
    this.#commands.error(transactionId, errorInfo('NetConnection.Call.Failed', `Method ${name} is not known.`));
  }

  /** A command with arguments that cannot be read fails alone; before connect was read there is nothing to go on with. */
  #unsupported(raw: RawMessage, error: RtmpError): void {
    if (this.#state !== 'open') throw error;
    this.#checkRate();
    this.#host.refused(this, error.code, error.message);
    if (raw.typeId !== MessageType.commandAmf0 && raw.typeId !== MessageType.commandAmf3) return;
    const { name, transactionId } = decodeCommandHead(raw);
    this.#commands.error(transactionId, errorInfo('NetConnection.Call.Failed', `${name}: ${error.message}`));
  }

  #control(message: RtmpMessage): void {
    this.send(message, CONTROL_CHUNK_STREAM_ID);
  }

  #expireAfter(milliseconds: number, code: RtmpErrorCode, message: string): void {
    const { clock } = this.#host;
    clock.clearTimeout(this.#deadline);
    this.#deadline = clock.setTimeout(() => this.#fail(new RtmpError(code, message)), milliseconds);
  }

  #fail({ code, message, cause }: RtmpError): void {
    this.#close({ code, message, cause }, errorInfo('NetConnection.Connect.Closed', message));
  }

  /** @param farewell told to a client that has sent its connect command */
  #close(reason: SessionCloseReason, farewell?: AmfObject): void {
    if (!this.#isActive) return;
    const { clock, limits } = this.#host;
    const before = this.#state;
    this.#state = 'closing';
    this.#reason = reason;
    this.#link.stopReading();
    this.#heartbeat.stop();
    clock.clearTimeout(this.#deadline);
    if (before === 'handshake') {
      this.#link.destroy();
      return;
    }
    if (farewell !== undefined && before !== 'connecting') {
      this.#link.send(this.#commands.command('onStatus', 0, null, [farewell]), CONNECTION_CHUNK_STREAM_ID);
    }
    this.#deadline = clock.setTimeout(() => this.#link.destroy(), limits.closeTimeout);
    this.#link.end();
  }

  #closed(error: Error | undefined): void {
    this.#state = 'closed';
    this.#heartbeat.stop();
    this.#host.clock.clearTimeout(this.#deadline);
    this.#pendingCalls.close();
    const reason = this.#reason ?? ordinaryEnd(error);
    this.#streams.close();
    this.emit('close', reason);
    this.#host.closed(this, reason);
  }
}

function ordinaryEnd(error: Error | undefined): SessionCloseReason {
  if (error === undefined) return { code: 'client', message: 'closed by the client' };
  if (error instanceof RtmpError) return { code: error.code, message: error.message, cause: error.cause };
  return { code: 'transport', message: error.message, cause: error };
}
