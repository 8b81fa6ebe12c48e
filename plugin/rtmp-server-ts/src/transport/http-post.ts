import { Agent, type IncomingMessage, request } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { concat } from '../bytes/concat.js';
import { RtmpError } from '../errors/rtmp-error.js';
import { authority, type Target } from './target.js';
import type { ClientTlsOptions } from './tcp.js';
import { type HttpPoster, TUNNEL_CONTENT_TYPE } from './tunnel-client.js';

/** POST over one connection that is kept. @param maxBytes of an answer's body */
export function nodePoster(target: Target, maxBytes: number, tls?: ClientTlsOptions): HttpPoster {
  const { host, port } = target;
  const connection = { keepAlive: true, maxSockets: 1 };
  const agent = tls === undefined ? new Agent(connection) : new TlsAgent({ ...connection, ...tls });
  return {
    post: (path, body, signal) =>
      new Promise((resolve, reject) => {
        const options = { agent, host, port, path, method: 'POST', signal, headers: headers(target, body) };
        const answered = (response: IncomingMessage) =>
          read(response, maxBytes).then((bytes) => resolve({ status: response.statusCode ?? 0, body: bytes }), reject);
        const sent = tls === undefined ? request(options, answered) : requestTls(options, answered);
        sent.on('error', (error) => reject(signal.aborted && signal.reason ? signal.reason : error));
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

function headers(target: Target, body: Uint8Array): Record<string, string | number> {
  return { Host: authority(target), 'Content-Type': TUNNEL_CONTENT_TYPE, 'Content-Length': body.length };
}

async function read(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > maxBytes) throw new RtmpError('tunnel.answer', `an answer of more than ${maxBytes} bytes`);
    parts.push(part);
  }
  return concat(parts, length);
}
