import type { AmfObject, AmfValue } from '../amf/values.js';
import { CONTROL_CHUNK_STREAM_ID } from '../chunk/constants.js';
import { TypedEmitter } from '../events/typed-emitter.js';
import type { CommandMessage } from '../message/command.js';
import type { DataMessage } from '../message/data.js';
import type { AudioMessage, VideoMessage } from '../message/media.js';
import { streamChunkIds } from './chunk-stream-ids.js';
import { emitMedia } from './emit-media.js';
import { errorInfo, statusInfo } from './status.js';
import { type MessageSink, StreamOutput } from './stream-output.js';
import type { PlayRequest, PublishRequest, RtmpStream, RtmpStreamEvents } from './types.js';

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly endpoint: MessageSink;
  /** The session's id. */
  readonly id: string;
  /** A listener failed: that costs the session. */
  reportListenerFailure(error: unknown, event: string): void;
}

export class NetStream extends TypedEmitter<RtmpStreamEvents> implements RtmpStream {
  readonly id: number;
  readonly #host: StreamHost;
  readonly #output: StreamOutput;
  #publishing: string | undefined;
  #playing: string | undefined;
  #paused = false;
  #wantsAudio = true;
  #wantsVideo = true;
  #closed = false;
  /** The publish or play that the program has not answered yet. */
  #request: object | undefined;

  constructor(id: number, host: StreamHost) {
    super();
    this.id = id;
    this.#host = host;
    this.#output = new StreamOutput(id, streamChunkIds(id), host.endpoint);
  }

  get publishing(): string | undefined {
    return this.#publishing;
  }

  get playing(): string | undefined {
    return this.#playing;
  }

  sendAudio(timestamp: number, payload: Uint8Array): boolean {
    return this.#sends(this.#wantsAudio) && this.#output.media('audio', timestamp, payload);
  }

  sendVideo(timestamp: number, payload: Uint8Array): boolean {
    return this.#sends(this.#wantsVideo) && this.#output.media('video', timestamp, payload);
  }

  sendData(name: string, ...values: AmfValue[]): void {
    if (!this.#closed) this.#output.data(name, values);
  }

  status(info: AmfObject): void {
    if (!this.#closed) this.#output.command('onStatus', [info]);
  }

  stopPlay(info: AmfObject = {}): void {
    const name = this.#playing;
    if (name === undefined) return;
    this.#control('streamEof');
    this.status(statusInfo('NetStream.Play.Stop', `Stopped playing ${name}.`, { details: name, ...info }));
    this.#endPlay();
  }

  /** @returns false when it is not a command for a stream. */
  handleCommand({ name, args }: CommandMessage): boolean {
    switch (name) {
      case 'publish':
        this.#publish(args);
        return true;
      case 'play':
        this.#play(args);
        return true;
      case 'closeStream':
        this.endPublish();
        this.#endDirections();
        return true;
      case 'pause':
      case 'pauseRaw':
        this.#pause(args[0] === true, numberOr(args[1], 0));
        return true;
      case 'seek':
        this.#seek(numberOr(args[0], 0));
        return true;
      case 'receiveAudio':
        this.#wantsAudio = args[0] !== false;
        this.emit('receiveAudio', this.#wantsAudio);
        return true;
      case 'receiveVideo':
        this.#wantsVideo = args[0] !== false;
        this.emit('receiveVideo', this.#wantsVideo);
        return true;
      default:
        return false;
    }
  }

  /** @returns false when nobody publishes here. */
  handleMedia(message: AudioMessage | VideoMessage | DataMessage): boolean {
    return this.#publishing !== undefined && emitMedia(this, message);
  }

  /** Ends a publish, if there is one, and tells the client. */
  endPublish(): void {
    const name = this.#publishing;
    if (name === undefined) return;
    this.status(statusInfo('NetStream.Unpublish.Success', `${name} is now unpublished.`, { details: name }));
    this.#endDirections();
  }

  /** The stream or its connection is no more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#endDirections();
    this.emit('close');
  }

  protected override listenerFailed(error: unknown, event: string): void {
    this.#host.reportListenerFailure(error, `stream ${event}`);
  }

  #publish(args: readonly AmfValue[]): void {
    const [name, type] = args;
    if (name === false) {
      this.endPublish();
      return;
    }
    this.#endDirections();
    if (typeof name !== 'string') {
      this.status(errorInfo('NetStream.Publish.BadName', 'The name must be a string.'));
      return;
    }
    const answers = this.#answers(name, 'NetStream.Publish.Start', `${name} is now published.`, () => {
      this.#publishing = name;
    });
    const request: PublishRequest = { name, type: typeof type === 'string' ? type : 'live', ...answers };
    if (!this.emit('publish', request)) request.reject('NetStream.Publish.BadName', 'Nothing can be published here.');
  }

  #play(args: readonly AmfValue[]): void {
    const [name, start, duration, reset] = args;
    this.#endDirections();
    if (name === false) return;
    if (typeof name !== 'string') {
      this.status(errorInfo('NetStream.Play.Failed', 'The name must be a string.'));
      return;
    }
    const answers = this.#answers(name, 'NetStream.Play.Start', `Started playing ${name}.`, () => {
      this.#playing = name;
      this.#paused = false;
    });
    const request: PlayRequest = {
      name,
      start: numberOr(start, -2),
      duration: numberOr(duration, -1),
      reset: reset !== false && reset !== 0,
      ...answers,
    };
    if (!this.emit('play', request)) request.reject('NetStream.Play.StreamNotFound', `Nothing is played as ${name}.`);
  }

  /** The two answers to a request, of which the first counts, and only while no other request came after it. */
  #answers(name: string, code: string, description: string, begin: () => void): Pick<PlayRequest, 'accept' | 'reject'> {
    const request = {};
    this.#request = request;
    const settle = () => {
      const current = this.#request === request;
      if (current) this.#request = undefined;
      return current;
    };
    return {
      accept: (info: AmfObject = {}) => {
        if (!settle()) return;
        begin();
        this.#control('streamBegin');
        this.status(statusInfo(code, description, { details: name, clientid: this.#host.id, ...info }));
      },
      reject: (errorCode: string, errorDescription: string) => {
        if (settle()) this.status(errorInfo(errorCode, errorDescription, { details: name, clientid: this.#host.id }));
      },
    };
  }

  #pause(paused: boolean, position: number): void {
    if (this.#playing === undefined) return;
    this.#paused = paused;
    const [code, verb] = paused ? ['NetStream.Pause.Notify', 'Paused'] : ['NetStream.Unpause.Notify', 'Unpaused'];
    this.status(statusInfo(code, `${verb} ${this.#playing}.`, { details: this.#playing }));
    this.emit('pause', { paused, position });
  }

  #seek(position: number): void {
    if (!this.emit('seek', position)) this.status(errorInfo('NetStream.Seek.Failed', 'This stream cannot seek.'));
  }

  /** "Each started direction ends exactly once", and a request that nobody answered yet cannot be accepted any more. */
  #endDirections(): void {
    this.#request = undefined;
    if (this.#publishing !== undefined) {
      this.#publishing = undefined;
      this.emit('unpublish');
    }
    this.#endPlay();
  }

  #endPlay(): void {
    if (this.#playing === undefined) return;
    this.#playing = undefined;
    this.emit('stop');
  }

  #sends(wanted: boolean): boolean {
    return this.#playing !== undefined && wanted && !this.#paused;
  }

  #control(event: 'streamBegin' | 'streamEof'): void {
    this.#host.endpoint.send({ type: 'userControl', event, eventStreamId: this.id }, CONTROL_CHUNK_STREAM_ID);
  }
}

function numberOr(value: AmfValue, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
