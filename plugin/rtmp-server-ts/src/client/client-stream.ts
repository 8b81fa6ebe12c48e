import { type AmfObject, type AmfValue, amfProperties } from '../amf/values.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { TypedEmitter } from '../events/typed-emitter.js';
import type { CommandMessage } from '../message/command.js';
import type { DataMessage } from '../message/data.js';
import type { AudioMessage, VideoMessage } from '../message/media.js';
import { streamChunkIds } from '../session/chunk-stream-ids.js';
import type { Clock } from '../session/clock.js';
import { emitMedia } from '../session/emit-media.js';
import { RtmpCallError } from '../session/rtmp-call-error.js';
import { type MessageSink, StreamOutput } from '../session/stream-output.js';
import type { PlayOptions, RtmpClientStream, RtmpClientStreamEvents } from './types.js';

/** What a stream needs of its connection. */
export interface ClientStreamHost {
  readonly endpoint: MessageSink;
  readonly clock: Clock;
  readonly limits: { readonly callTimeout: number };
  deleteStream(stream: ClientStream): void;
  listenerFailed(error: unknown, event: string): void;
}

/** A publish or play that the server has not answered yet. */
interface Request {
  readonly name: string;
  /** Of the status that accepts it. */
  readonly code: string;
  readonly timer: unknown;
  resolve(info: AmfObject): void;
  reject(error: RtmpError): void;
}

const PUBLISH_START = 'NetStream.Publish.Start';
const PLAY_START = 'NetStream.Play.Start';
const PLAY_STOP = 'NetStream.Play.Stop';

export class ClientStream extends TypedEmitter<RtmpClientStreamEvents> implements RtmpClientStream {
  readonly id: number;
  /** 1 and up, the lowest that is free: the server's ids may be of any size, chunk stream ids may not. */
  readonly slot: number;
  readonly #host: ClientStreamHost;
  readonly #output: StreamOutput;
  #publishing: string | undefined;
  #playing: string | undefined;
  #request: Request | undefined;
  #closed = false;

  constructor(id: number, slot: number, host: ClientStreamHost) {
    super();
    this.id = id;
    this.slot = slot;
    this.#host = host;
    this.#output = new StreamOutput(id, streamChunkIds(slot), host.endpoint);
  }

  get publishing(): string | undefined {
    return this.#publishing;
  }

  get playing(): string | undefined {
    return this.#playing;
  }

  publish(name: string, type = 'live'): Promise<AmfObject> {
    return this.#ask('publish', PUBLISH_START, name, [type]);
  }

  play(name: string, { start = -2, duration = -1, reset = true }: PlayOptions = {}): Promise<AmfObject> {
    return this.#ask('play', PLAY_START, name, [start, duration, reset]);
  }

  sendAudio(timestamp: number, payload: Uint8Array): boolean {
    return this.#publishing !== undefined && this.#output.media('audio', timestamp, payload);
  }

  sendVideo(timestamp: number, payload: Uint8Array): boolean {
    return this.#publishing !== undefined && this.#output.media('video', timestamp, payload);
  }

  sendData(name: string, ...values: AmfValue[]): void {
    if (!this.#closed) this.#output.data(name, values);
  }

  push(name: string, ...args: AmfValue[]): void {
    if (!this.#closed) this.#output.command(name, args);
  }

  stop(): void {
    this.#reset('stop() was called');
    this.push('closeStream');
  }

  close(): void {
    if (!this.#closed) this.#host.deleteStream(this);
  }

  /** The stream, or its connection, is no more. */
  ended(): void {
    this.#closed = true;
    this.#reset('the stream was closed');
    this.emit('close');
  }

  /** @returns whether anybody wanted it */
  handleMedia(message: AudioMessage | VideoMessage | DataMessage): boolean {
    return emitMedia(this, message);
  }

  /** @returns whether anybody wanted it */
  handleCommand({ name, args }: CommandMessage): boolean {
    if (name !== 'onStatus') return false;
    const info = amfProperties(args[0]) ?? {};
    this.#settle(info);
    this.emit('status', info);
    if (info.code === PLAY_STOP) this.handleEof();
    return true;
  }

  handleEof(): void {
    if (this.#playing === undefined) return;
    this.#playing = undefined;
    this.emit('end');
  }

  protected override listenerFailed(error: unknown, event: string): void {
    this.#host.listenerFailed(error, `stream ${event}`);
  }

  #ask(verb: 'publish' | 'play', code: string, name: string, args: readonly AmfValue[]): Promise<AmfObject> {
    this.#reset(`${verb}() was called`);
    const { clock, limits } = this.#host;
    const answer = new Promise<AmfObject>((resolve, reject) => {
      if (this.#closed) throw new RtmpError('stream.closed', `${verb}() on a closed stream`);
      this.push(verb, name, ...args);
      const timer = clock.setTimeout(() => {
        this.#take()?.reject(new RtmpError('call.timeout', `no status to ${verb} in ${limits.callTimeout} ms`));
      }, limits.callTimeout);
      this.#request = { name, code, timer, resolve, reject };
    });
    // A program that watches the status events instead must not fail for want of a handler.
    answer.catch(() => {});
    return answer;
  }

  #settle(info: AmfObject): void {
    if (info.code === this.#request?.code) {
      const request = this.#take();
      if (info.code === PUBLISH_START) this.#publishing = request?.name;
      else this.#playing = request?.name;
      request?.resolve(info);
    } else if (info.level === 'error') {
      const request = this.#take();
      request?.reject(new RtmpCallError(request.name, [info], 'stream.refused'));
    }
  }

  #take(): Request | undefined {
    const request = this.#request;
    this.#request = undefined;
    this.#host.clock.clearTimeout(request?.timer);
    return request;
  }

  /** What was published, played or asked for ends. */
  #reset(why: string): void {
    this.#publishing = undefined;
    this.#playing = undefined;
    this.#take()?.reject(new RtmpError('stream.closed', `${why} before the server answered`));
  }
}
