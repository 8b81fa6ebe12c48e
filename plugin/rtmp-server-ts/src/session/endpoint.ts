import type { AmfObject, AmfValue } from '../amf/values.js';
import type { BufferList } from '../bytes/buffer-list.js';
import { CONTROL_CHUNK_STREAM_ID } from '../chunk/constants.js';
import type { RawMessage } from '../chunk/raw-message.js';
import { RtmpError, type RtmpErrorCode } from '../errors/rtmp-error.js';
import type { Handshake } from '../handshake/handshake.js';
import type { AmfEncoding } from '../message/amf3-prefix.js';
import type { CommandMessage } from '../message/command.js';
import type { DataMessage } from '../message/data.js';
import type { AudioMessage, VideoMessage } from '../message/media.js';
import type { RtmpMessage } from '../message/message.js';
import type { UserControlMessage } from '../message/user-control.js';
import { CONNECTION_CHUNK_STREAM_ID } from './chunk-stream-ids.js';
import type { Clock } from './clock.js';
import { CommandChannel } from './command-channel.js';
import { Heartbeat } from './heartbeat.js';
import type { SessionLimits } from './limits.js';
import { Link, type LinkHandler } from './link.js';
import { PendingCalls } from './pending-calls.js';
import type { MessageSink } from './stream-output.js';
import type { Transport, TransportProtocol } from './transport.js';
import type { SessionCloseReason, SessionCounters, SessionProtocol } from './types.js';

export interface EndpointOptions {
  /** Which side this is. */
  readonly role: 'server' | 'client';
  readonly clock: Clock;
  readonly limits: SessionLimits;
  handshake(input: BufferList): Handshake;
}

export interface EndpointHandler {
  handshakeDone(): void;
  /** @throws RtmpError when the peer broke a rule */
  command(message: CommandMessage, size: number): void;
  /** @returns whether anybody wanted it */
  media(message: AudioMessage | VideoMessage | DataMessage): boolean;
  /** All but pings. @returns whether anybody wanted it */
  control(message: UserControlMessage): boolean;
  /** A message that holds something that this package cannot read. @throws RtmpError when the session cannot go on */
  unsupported(raw: RawMessage, error: RtmpError): void;
  /** The session is to be closed: the peer broke a rule, is gone, or reads too slowly. */
  failed(error: RtmpError): void;
  /** Exactly once, last. */
  closed(reason: SessionCloseReason): void;
}

/** What both sides of a NetConnection do alike: messages over a link, pings, calls and their answers, dropping of late media, the end. */
export class Endpoint implements MessageSink, LinkHandler {
  readonly commands = new CommandChannel((message) => this.send(message, CONNECTION_CHUNK_STREAM_ID));
  readonly #options: EndpointOptions;
  readonly #handler: EndpointHandler;
  readonly #protocol: TransportProtocol;
  readonly #link: Link;
  readonly #heartbeat: Heartbeat;
  readonly #pendingCalls: PendingCalls;
  #reason: SessionCloseReason | undefined;
  /** Of the handshake, the connect command or the close, one after the other. */
  #deadline: unknown;
  #messagesIgnored = 0;
  readonly #dropped = { audio: 0, video: 0 };

  constructor(transport: Transport, options: EndpointOptions, handler: EndpointHandler) {
    const { role, clock, limits } = options;
    this.#options = options;
    this.#handler = handler;
    this.#protocol = transport.protocol;
    // The client's first transaction id is that of connect.
    this.#pendingCalls = new PendingCalls(clock, limits, role === 'client' ? 2 : 1);
    this.#heartbeat = new Heartbeat(clock, limits, role === 'server', {
      sendPing: (pingTimestamp) => this.control({ type: 'userControl', event: 'pingRequest', pingTimestamp }),
      timedOut: (silence) =>
        handler.failed(new RtmpError('session.ping-timeout', `no sign of the ${peerOf(role)} for ${silence} ms`)),
    });
    this.#link = new Link(transport, limits, options.handshake, this);
  }

  get protocol(): SessionProtocol {
    if (this.#link.encrypted && this.#protocol === 'rtmp') return 'rtmpe';
    if (this.#link.encrypted && this.#protocol === 'rtmpt') return 'rtmpte';
    return this.#protocol;
  }

  get encoding(): AmfEncoding {
    return this.commands.encoding;
  }

  /** Until close() is called or the transport has ended. */
  get active(): boolean {
    return this.#reason === undefined;
  }

  get counters(): SessionCounters {
    const { bytesIn, bytesOut, messagesIn, messagesOut } = this.#link;
    return {
      bytesIn,
      bytesOut,
      messagesIn,
      messagesOut,
      messagesIgnored: this.#messagesIgnored,
      audioDropped: this.#dropped.audio,
      videoDropped: this.#dropped.video,
      roundTripTime: this.#heartbeat.roundTripTime,
    };
  }

  start(): void {
    this.#link.start();
  }

  /** From connect on: pings a silent peer. */
  startHeartbeat(): void {
    this.#heartbeat.start();
  }

  /** Fails when neither this is called again, nor {@link stopDeadline}, nor close(), in time. */
  setDeadline(milliseconds: number, code: RtmpErrorCode, message: string): void {
    this.stopDeadline();
    this.#deadline = this.#options.clock.setTimeout(
      () => this.#handler.failed(new RtmpError(code, message)),
      milliseconds,
    );
  }

  stopDeadline(): void {
    this.#options.clock.clearTimeout(this.#deadline);
  }

  /** Messages that arrive wait until {@link release}. */
  hold(): void {
    this.#link.hold();
  }

  release(): void {
    this.#link.release();
  }

  /** Nothing is sent once the endpoint is closed. @throws RtmpError `amf.*` */
  send(message: RtmpMessage, chunkStreamId: number): void {
    if (this.active) this.#link.send(message, chunkStreamId);
  }

  /** Late media is worth nothing, and a queue would make all that follows late. @returns false when it was dropped */
  sendMedia(type: 'audio' | 'video', message: RawMessage): boolean {
    if (!this.active) return false;
    if (!this.#link.hasRoom(message.payload.length) || this.#heartbeat.late) {
      this.#dropped[type] += 1;
      return false;
    }
    this.#link.write(message);
    this.#heartbeat.mediaSent();
    return true;
  }

  control(message: RtmpMessage): void {
    this.send(message, CONTROL_CHUNK_STREAM_ID);
  }

  push(name: string, args: readonly AmfValue[]): void {
    this.commands.call(name, 0, ...args);
  }

  call(name: string, args: readonly AmfValue[]): Promise<AmfValue[]> {
    if (!this.active) return Promise.reject(new RtmpError('call.closed', `${name} called on a closed session`));
    return this.#pendingCalls.add(name, (transactionId) => this.commands.call(name, transactionId, ...args));
  }

  /** `_result` or `_error`. */
  settleCall(answer: CommandMessage): void {
    if (!this.#pendingCalls.settle(answer)) this.#messagesIgnored += 1;
  }

  /** @param farewell told to the peer as onStatus */
  close(reason: SessionCloseReason, farewell?: AmfObject): void {
    if (!this.active) return;
    const { clock, limits } = this.#options;
    this.#reason = reason;
    this.#link.stopReading();
    this.#heartbeat.stop();
    this.stopDeadline();
    if (!this.#link.handshakeDone) {
      this.#link.destroy();
      return;
    }
    if (farewell !== undefined) {
      this.#link.send(this.commands.command('onStatus', 0, null, [farewell]), CONNECTION_CHUNK_STREAM_ID);
    }
    this.#deadline = clock.setTimeout(() => this.#link.destroy(), limits.closeTimeout);
    this.#link.end();
  }

  /** For the link, as all that follows; see {@link LinkHandler}. */
  message(message: RtmpMessage, size: number): void {
    switch (message.type) {
      case 'command':
        this.#handler.command(message, size);
        return;
      case 'userControl':
        this.#userControl(message);
        return;
      case 'audio':
      case 'video':
      case 'data':
        if (!this.#handler.media(message)) this.#messagesIgnored += 1;
        return;
      default:
        this.#messagesIgnored += 1;
    }
  }

  handshakeDone(): void {
    this.#handler.handshakeDone();
  }

  received(): void {
    this.#heartbeat.received();
  }

  unsupported(raw: RawMessage, error: RtmpError): void {
    this.#handler.unsupported(raw, error);
  }

  violated(error: RtmpError): void {
    this.#handler.failed(error);
  }

  closed(error?: Error): void {
    this.#heartbeat.stop();
    this.stopDeadline();
    this.#reason ??= ordinaryEnd(peerOf(this.#options.role), error);
    this.#pendingCalls.close();
    this.#handler.closed(this.#reason);
  }

  #userControl(message: UserControlMessage): void {
    switch (message.event) {
      case 'pingResponse':
        this.#heartbeat.answered();
        return;
      case 'pingRequest':
        this.control({ type: 'userControl', event: 'pingResponse', pingTimestamp: message.pingTimestamp });
        return;
      default:
        if (!this.#handler.control(message)) this.#messagesIgnored += 1;
    }
  }
}

function peerOf(role: EndpointOptions['role']): 'client' | 'server' {
  return role === 'server' ? 'client' : 'server';
}

function ordinaryEnd(peer: 'client' | 'server', error: Error | undefined): SessionCloseReason {
  if (error === undefined) return { code: peer, message: `closed by the ${peer}` };
  if (error instanceof RtmpError) return { code: error.code, message: error.message, cause: error.cause };
  return { code: 'transport', message: error.message, cause: error };
}
