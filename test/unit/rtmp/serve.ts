import { RtmpServer, type RtmpServerOptions, type RtmpSession, type RtmpStream } from 'rtmp-server-ts';
import { EventLog } from '../../support/event-log.js';
import type { Scope } from '../../support/scope.js';

/** What a server told its program, in order, as short texts: `publish cam live`, `audio 20`. */
export interface Served {
  readonly server: RtmpServer;
  readonly port: number;
  readonly events: EventLog<string>;
  readonly sessions: RtmpSession[];
  readonly streams: RtmpStream[];
}

/**
 * A server on a free port that accepts whatever a client wants and writes down what happens.
 * @param onStream instead of accepting and writing down what is wanted of a stream
 */
export async function serve(
  scope: Scope,
  options: RtmpServerOptions = {},
  onStream?: (stream: RtmpStream) => void,
): Promise<Served> {
  const served = await listen(scope, options);
  const { server, events, sessions } = served;
  server.on('connection', (session) => {
    sessions.push(session);
    session.on('connect', (request) => {
      events.push(`connect ${request.app}`);
      request.accept();
    });
    session.on('data', ({ name, values }) => events.push(`data ${name} ${JSON.stringify(values)}`));
    session.on('close', ({ code }) => events.push(`closed ${code}`));
    session.on('stream', (stream) => {
      served.streams.push(stream);
      if (onStream === undefined) record(stream, events);
      else onStream(stream);
    });
  });
  return served;
}

/** A server that nobody listens to yet. */
export async function listen(scope: Scope, options: RtmpServerOptions = {}): Promise<Served> {
  const events = new EventLog<string>('RTMP server');
  const server = new RtmpServer(options);
  scope.defer(() => server.close());
  scope.report(() => events.tail());
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { server, port, events, sessions: [], streams: [] };
}

function record(stream: RtmpStream, events: EventLog<string>): void {
  stream.on('publish', (request) => {
    events.push(`publish ${request.name} ${request.type}`);
    request.accept();
  });
  stream.on('play', (request) => {
    events.push(`play ${request.name} ${request.start} ${request.duration} ${request.reset}`);
    request.accept();
  });
  stream.on('audio', ({ timestamp, payload }) =>
    events.push(`audio ${timestamp} ${Buffer.from(payload).toString('hex')}`),
  );
  stream.on('video', ({ timestamp, payload }) =>
    events.push(`video ${timestamp} ${Buffer.from(payload).toString('hex')}`),
  );
  stream.on('data', ({ timestamp, name, values }) =>
    events.push(`data ${timestamp} ${name} ${JSON.stringify(values)}`),
  );
  stream.on('pause', ({ paused, position }) => events.push(`pause ${paused} ${position}`));
  stream.on('receiveAudio', (wanted) => events.push(`receiveAudio ${wanted}`));
  stream.on('receiveVideo', (wanted) => events.push(`receiveVideo ${wanted}`));
  stream.on('unpublish', () => events.push('unpublish'));
  stream.on('stop', () => events.push('stop'));
  stream.on('close', () => events.push(`stream ${stream.id} closed`));
}
