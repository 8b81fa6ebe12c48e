import type { IncomingMessage, ServerResponse } from 'node:http';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Clock } from '../session/clock.js';
import type { RtmpLimits } from '../session/limits.js';
import type { Transport } from '../session/transport.js';
import { clientPort, isSecure } from './tcp.js';
import { TunnelTransport } from './tunnel-transport.js';

export interface TunnelHost {
  readonly clock: Clock;
  readonly limits: RtmpLimits;
  /** @returns whether a session more from this address may be; it has counted until {@link released} */
  admit(address: string): boolean;
  released(address: string): void;
  /** From where the request comes, seen through proxies. */
  clientAddress(request: IncomingMessage): string;
  opened(transport: Transport): void;
  refused(error: RtmpError, address: string): void;
}

const CONTENT_TYPE = 'application/x-fcs';
/** Not more digits than a number holds exactly. */
const REQUEST = /^\/(send|idle|close)\/([0-9a-f]+)(?:\/(\d{1,15}))?$/;
const EMPTY = new Uint8Array(0);

/**
 * RTMPT (Adobe's "RTMP tunneled" of Flash Media Server; not in the specification): POST /open/1 is answered with the id of a session,
 * /send/ID/N carries bytes of the client, /idle/ID/N asks for bytes of the server, /close/ID ends.
 */
export class TunnelRequests {
  readonly #host: TunnelHost;
  readonly #sessions = new Map<string, TunnelTransport>();

  constructor(host: TunnelHost) {
    this.#host = host;
  }

  /** @returns whether it is a request of a tunnel, which is answered then */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, url = '' } = request;
    if (method !== 'POST') return false;
    const [, verb, id = '', number] = REQUEST.exec(url) ?? [];
    if (url === '/open/1') this.#open(request, response);
    else if (verb === undefined) return false;
    else this.#session(request, response, verb, id, number);
    return true;
  }

  #open(request: IncomingMessage, response: ServerResponse): void {
    const { clock, limits } = this.#host;
    const remoteAddress = this.#host.clientAddress(request);
    if (this.#sessions.size >= limits.tunnelSessions) {
      this.#host.refused(new RtmpError('tunnel.sessions', `${limits.tunnelSessions} sessions are open`), remoteAddress);
      refuse(response, 503);
      return;
    }
    if (!this.#host.admit(remoteAddress)) {
      refuse(response, 503);
      return;
    }
    const id = newId();
    const protocol = isSecure(request.socket) ? 'rtmpts' : 'rtmpt';
    const transport = new TunnelTransport(
      { protocol, remoteAddress, remotePort: clientPort(request, remoteAddress) },
      {
        clock,
        timeout: limits.tunnelTimeout,
        requests: limits.tunnelRequests,
        waitingBytes: limits.tunnelRequestSize,
        gone: () => {
          this.#sessions.delete(id);
          this.#host.released(remoteAddress);
        },
      },
    );
    this.#sessions.set(id, transport);
    this.#host.opened(transport);
    answer(response, Buffer.from(`${id}\n`));
  }

  #session(request: IncomingMessage, response: ServerResponse, verb: string, id: string, number?: string): void {
    const transport = this.#sessions.get(id);
    if (transport === undefined) {
      this.#host.refused(
        new RtmpError('tunnel.session', 'no such session, or it has ended'),
        this.#host.clientAddress(request),
      );
      refuse(response, 404);
    } else if (verb === 'close') {
      transport.finish();
      answer(response, Uint8Array.of(0));
    } else if (number === undefined) {
      refuse(response, 400);
    } else {
      this.#read(request, response, transport, (body) =>
        transport.request(Number(number), verb === 'send' ? body : EMPTY, (bytes) =>
          bytes === undefined ? refuse(response, 404) : answer(response, bytes),
        ),
      );
    }
  }

  #read(
    request: IncomingMessage,
    response: ServerResponse,
    transport: TunnelTransport,
    then: (body: Uint8Array) => void,
  ): void {
    const limit = this.#host.limits.tunnelRequestSize;
    const parts: Uint8Array[] = [];
    let length = 0;
    request.on('data', (part: Uint8Array) => {
      length += part.length;
      if (length <= limit) parts.push(part);
      else if (length - part.length <= limit) {
        transport.finish(new RtmpError('tunnel.request-size', `a request of more than ${limit} bytes`));
        refuse(response, 413);
      }
    });
    // A request that breaks off has no end: the client, or its proxy, sends it again.
    request.on('end', () => {
      if (length > limit) return;
      const body = Buffer.concat(parts);
      // A plain array: Buffer's slice() would not copy.
      then(new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
    });
  }
}

function answer(response: ServerResponse, body: Uint8Array): void {
  response.writeHead(200, {
    'Content-Type': CONTENT_TYPE,
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
  });
  response.end(body);
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Length': 0, Connection: 'close' });
  response.end();
}

/** 128 bits: whoever does not know it cannot guess it. Nothing else holds a session together, for proxies change addresses. */
function newId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex');
}
