import type { ConnectRequest, RtmpSession, RtmpStream } from 'rtmp-server-ts';
import type { ClientAudio } from '../call/client-audio.js';
import type { Caller, CallNotice, CallStatusUpdate, ClientFrame, ClientVideo } from '../call/ports.js';
import { CallStatus } from '../call/status.js';
import { ClientCodecs } from './client-codecs.js';
import type { Dialect } from './dialects/dialect.js';
import { EncoderDialect } from './dialects/encoder.js';
import { SonoDialect } from './dialects/sono.js';
import { Line, type LineOptions } from './line.js';
import type { CallsNotice, LineClient } from './line-client.js';
import type { Lines } from './lines.js';
import { Player } from './player.js';
import { PublishedVideo } from './published-video.js';
import { Publisher } from './publisher.js';
import { type ClientStreams, EncoderStreams, PhoneStreams, type SharedStreams } from './streams.js';

export interface ClientOptions extends LineOptions {
  readonly lines: Lines;
  readonly shared: SharedStreams;
  readonly log: ClientLogger;
}

/** What an operator reads in the log about one connection. */
export interface ClientLogger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** The application name under which the stream name is the dial string: `rtmp://host/dial/sip:bob@example.com`. */
const encoderApp = 'dial';

/** One RTMP connection as a phone: its commands go to the line, the line's call gets its streams. */
export function serveClient(session: RtmpSession, options: ClientOptions): void {
  session.once('connect', (request) => {
    const { id, remoteAddress } = session;
    // What follows the question mark may be a token of the operator's site.
    const [app] = request.app.split('?', 1);
    options.log.info({ session: id, remote: remoteAddress, app }, 'client connected');
    session.once('close', ({ code, message }) =>
      options.log.info({ session: id, code, reason: message }, 'client gone'),
    );
    new Client(session, request, options).serve(session);
    request.accept();
  });
}

/** A connection whose connect command has come. */
class Client implements LineClient {
  readonly #options: ClientOptions;
  readonly #encoder: boolean;
  readonly #streams: ClientStreams;
  readonly #published = new PublishedVideo();
  readonly #codecs: ClientCodecs;
  readonly #line: Line;
  readonly #dialect: Dialect;

  constructor(session: RtmpSession, request: ConnectRequest, options: ClientOptions) {
    this.#options = options;
    this.#encoder = request.app.split('/', 1)[0] === encoderApp;
    const keyFrameNeeded = (): void => this.#line.requestKeyFrame();
    this.#streams = this.#encoder
      ? new EncoderStreams(options.shared, session.remoteAddress, keyFrameNeeded)
      : new PhoneStreams(keyFrameNeeded);
    this.#codecs = new ClientCodecs(request, options.ports.timers);
    this.#line = new Line(this, options);
    this.#dialect = this.#encoder ? new EncoderDialect(session, this.#line) : new SonoDialect(session, this.#line);
  }

  /** Until the connection ends. */
  serve(session: RtmpSession): void {
    session.on('call', (call) => {
      if (this.#dialect.command(call)) return;
      const description = `this gateway has no procedure ${JSON.stringify(call.name.slice(0, 80))}`;
      call.error({ level: 'error', code: 'NetConnection.Call.Failed', description });
    });
    const { lines, ports } = this.#options;
    const publisher = new Publisher({
      ...{ line: this.#line, dialect: this.#dialect, published: this.#published, codecs: this.#codecs },
      timers: ports.timers,
    });
    session.on('stream', (stream) => {
      publisher.serve(stream, (name) => this.#streams.publish(name));
      servePlayer(stream, this.#streams);
    });
    lines.add(this.#line);
    session.once('close', () => {
      lines.delete(this.#line);
      this.#line.close({ result: 'client-gone', reason: 'the client disconnected' });
    });
  }

  status(update: CallStatusUpdate): void {
    if (update.status === CallStatus.notConnected) this.#streams.ended();
    this.#dialect.status(update);
  }

  incoming(caller: Caller): void {
    this.#dialect.incoming(caller);
  }

  notice(notice: CallNotice): void {
    this.#dialect.notice(notice);
  }

  calls(notice: CallsNotice): void {
    this.#dialect.calls?.(notice);
  }

  switching(): void {
    this.#streams.switched();
  }

  play(frame: ClientFrame): boolean {
    return this.#streams.play(frame);
  }

  /** What dials by publishing is about to send; a phone sends when its call is up. */
  audio(): Promise<ClientAudio> {
    if (!this.#encoder) return this.#codecs.known();
    return this.#codecs.known(this.#published.current ? 'showing' : 'silent');
  }

  video(): ClientVideo | undefined {
    return this.#published.current;
  }

  keyFrameWanted(): void {
    this.#dialect.keyFrameWanted?.();
  }
}

function servePlayer(stream: RtmpStream, streams: ClientStreams): void {
  const player = new Player(stream);
  stream.on('play', (request) => {
    request.accept();
    streams.join(player, request.name);
  });
  stream.on('stop', () => streams.leave(player));
}
