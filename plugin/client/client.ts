import type { ConnectRequest, RtmpSession, RtmpStream } from 'rtmp-server-ts';
import { CallStatus } from '../call/status.js';
import { ClientCodecs } from './client-codecs.js';
import type { Dialect } from './dialects/dialect.js';
import { EncoderDialect } from './dialects/encoder.js';
import { SonoDialect } from './dialects/sono.js';
import { Line, type LineOptions } from './line.js';
import type { LineClient } from './line-client.js';
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
    serveRequest(session, request, options);
    request.accept();
  });
}

function serveRequest(session: RtmpSession, request: ConnectRequest, options: ClientOptions): void {
  const encoder = request.app.split('/', 1)[0] === encoderApp;
  const keyFrameNeeded = (): void => line.requestKeyFrame();
  const streams = encoder
    ? new EncoderStreams(options.shared, session.remoteAddress, keyFrameNeeded)
    : new PhoneStreams(keyFrameNeeded);
  const published = new PublishedVideo();
  const codecs = new ClientCodecs(request, options.ports.timers);
  const client: LineClient = {
    status: (update) => {
      if (update.status === CallStatus.notConnected) streams.ended();
      dialect.status(update);
    },
    incoming: (caller) => dialect.incoming(caller),
    notice: (notice) => dialect.notice(notice),
    switching: () => streams.switched(),
    calls: (notice) => dialect.calls?.(notice),
    play: (frame) => streams.play(frame),
    // What dials by publishing is about to send; a phone sends when its call is up.
    audio: () => codecs.known(encoder ? (published.current ? 'showing' : 'silent') : undefined),
    video: () => published.current,
    keyFrameWanted: () => dialect.keyFrameWanted?.(),
  };
  const line = new Line(client, options);
  const dialect: Dialect = encoder ? new EncoderDialect(session, line) : new SonoDialect(session, line);

  session.on('call', (call) => {
    if (dialect.command(call)) return;
    const description = `this gateway has no procedure ${JSON.stringify(call.name.slice(0, 80))}`;
    call.error({ level: 'error', code: 'NetConnection.Call.Failed', description });
  });
  const publisher = new Publisher({ line, dialect, published, codecs, timers: options.ports.timers });
  session.on('stream', (stream) => {
    publisher.serve(stream, (name) => streams.publish(name));
    servePlayer(stream, streams);
  });
  options.lines.add(line);
  session.once('close', () => {
    options.lines.delete(line);
    line.close({ result: 'client-gone', reason: 'the client disconnected' });
  });
}

function servePlayer(stream: RtmpStream, streams: ClientStreams): void {
  const player = new Player(stream);
  stream.on('play', (request) => {
    request.accept();
    streams.join(player, request.name);
  });
  stream.on('stop', () => streams.leave(player));
}
