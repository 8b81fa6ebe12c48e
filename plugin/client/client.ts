import type { ConnectRequest, RtmpSession, RtmpStream } from 'rtmp-server-ts';
import type { ClientPort } from '../call/ports.js';
import { CallStatus } from '../call/status.js';
import type { Dialect } from './dialects/dialect.js';
import { EncoderDialect } from './dialects/encoder.js';
import { SonoDialect } from './dialects/sono.js';
import { Line, type LineOptions } from './line.js';
import type { Lines } from './lines.js';
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
    options.log.info({ session: id, remote: remoteAddress, app: request.app }, 'client connected');
    session.once('close', ({ code, message }) =>
      options.log.info({ session: id, code, reason: message }, 'client gone'),
    );
    serveRequest(session, request, options);
    request.accept();
  });
}

function serveRequest(session: RtmpSession, { app }: ConnectRequest, options: ClientOptions): void {
  const encoder = app.split('/', 1)[0] === encoderApp;
  const streams = encoder ? new EncoderStreams(options.shared, session.remoteAddress) : new PhoneStreams();
  const client: ClientPort = {
    status: (update) => {
      if (update.status === CallStatus.notConnected) streams.ended();
      dialect.status(update);
    },
    incoming: (caller) => dialect.incoming({ ...caller, called: line.name }),
    notice: (notice) => dialect.notice(notice),
    play: (frame) => streams.play(frame),
  };
  const line = new Line(client, options);
  const dialect = encoder ? new EncoderDialect(session, line) : new SonoDialect(session, line);

  session.on('call', (call) => {
    if (dialect.command(call)) return;
    const description = `this gateway has no procedure ${JSON.stringify(call.name.slice(0, 80))}`;
    call.error({ level: 'error', code: 'NetConnection.Call.Failed', description });
  });
  session.on('stream', (stream) => serveStream(stream, line, streams, dialect));
  options.lines.add(line);
  session.once('close', () => {
    options.lines.delete(line);
    line.close({ result: 'client-gone', reason: 'the client disconnected' });
  });
}

function serveStream(stream: RtmpStream, line: Line, streams: ClientStreams, dialect: Dialect): void {
  stream.on('publish', (request) => {
    streams.publish(request.name);
    dialect.publish(request);
  });
  stream.on('unpublish', () => dialect.unpublish());
  stream.on('play', (request) => {
    request.accept();
    streams.join(stream, request.name);
  });
  stream.on('stop', () => streams.leave(stream));
  stream.on('audio', ({ timestamp, payload }) => line.write({ kind: 'audio', timestamp, payload }));
  stream.on('video', ({ timestamp, payload }) => line.write({ kind: 'video', timestamp, payload }));
}
