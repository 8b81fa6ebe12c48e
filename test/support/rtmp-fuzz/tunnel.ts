import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DEFAULT_RTMP_LIMITS } from 'rtmp-server-ts';
import { NetConnection } from '../../../plugin/rtmp-server-ts/src/session/net-connection.js';
import type { Transport } from '../../../plugin/rtmp-server-ts/src/session/transport.js';
import { TunnelRequests } from '../../../plugin/rtmp-server-ts/src/transport/tunnel-requests.js';
import { FakeClock } from '../../unit/rtmp/fake-clock.js';
import { bytes, repeat, text } from '../../wire/rtmp/bytes.js';
import { command, traffic } from './seeds.js';
import type { FuzzTarget } from './targets.js';

const HANDSHAKE = bytes('03', repeat(0, 2 * 1536));
const CONNECT = traffic([command('connect', [{ app: 'x' }], 1), command('createStream')]);
const LIMITS = { ...DEFAULT_RTMP_LIMITS, tunnelRequestSize: 20_000, tunnelSessions: 2 };

/** The steps of a script: each is this byte, a number from 0 to 255, and for some as many bytes. */
const Step = {
  send: 0,
  handshake: 1,
  connect: 2,
  idle: 3,
  repeat: 4,
  ahead: 5,
  url: 6,
  close: 7,
  wait: 8,
  open: 9,
} as const;
const STEPS = Object.keys(Step).length;
const VERBS: ReadonlyMap<number, string> = new Map([
  [Step.idle, 'idle'],
  [Step.close, 'close'],
]);
const BODIES: ReadonlyMap<number, Uint8Array> = new Map([
  [Step.handshake, HANDSHAKE],
  [Step.connect, CONNECT],
  [Step.repeat, CONNECT],
  [Step.ahead, CONNECT],
]);

/** Requests of the HTTP tunnel as a script says, up to the session that hears what they carry. */
export function tunnelTarget(messages: Uint8Array): FuzzTarget {
  const ordinary = script([Step.handshake, 0], [Step.connect, 0], ...pieces(messages), [Step.idle, 0], [Step.close, 0]);
  const unruly = script([Step.ahead, 1], [Step.repeat, 1], [Step.idle, 0], [Step.wait, 200], [Step.open, 0]);
  const urls = ['/send/00/0', '/idle/../0', '/close/', '/open/2', '/send/x/99999999999999999'];
  const strange = script(...urls.map((url) => [Step.url, url.length, text(url)] as const));
  return { name: 'tunnel', share: 4, seeds: [ordinary, unruly, strange], feed };
}

function feed(input: Uint8Array): string {
  const tunnel = new Tunnel(input);
  for (let offset = 0; offset < input.length; ) {
    const [step = 0, number = 0] = input.subarray(offset, offset + 2);
    offset += 2;
    const carries = step % STEPS === Step.send || step % STEPS === Step.url;
    const body = carries ? input.slice(offset, offset + number) : new Uint8Array(0);
    offset += body.length;
    tunnel.step(step % STEPS, number, body);
  }
  return tunnel.end();
}

class Tunnel {
  readonly #clock = new FakeClock();
  readonly #statuses = new Set<number>();
  readonly #reasons = new Set<string>();
  readonly #requests: TunnelRequests;
  readonly #input: Uint8Array;
  #id = '';
  #next = 0;

  constructor(input: Uint8Array) {
    this.#input = input;
    this.#requests = new TunnelRequests({
      clock: this.#clock,
      limits: LIMITS,
      admit: () => true,
      clientAddress: () => '127.0.0.1',
      released: () => {},
      opened: (transport) => this.#opened(transport),
      refused: (error) => this.#reasons.add(error.code),
    });
    this.step(Step.open, 0, new Uint8Array(0));
  }

  step(step: number, number: number, body: Uint8Array): void {
    if (step === Step.wait) this.#clock.advance(100 * number);
    else this.#post(this.#url(step, number, body), BODIES.get(step) ?? body);
  }

  #url(step: number, number: number, body: Uint8Array): string {
    switch (step) {
      case Step.open:
        return '/open/1';
      case Step.url:
        return Buffer.from(body).toString('latin1');
      case Step.repeat:
        return `/send/${this.#id}/${Math.max(0, this.#next - 1 - (number % 3))}`;
      case Step.ahead:
        return `/send/${this.#id}/${this.#next + (number % 20)}`;
      default:
        this.#next += 1;
        return `/${VERBS.get(step) ?? 'send'}/${this.#id}/${this.#next - 1}`;
    }
  }

  /** Lets all time limits pass. */
  end(): string {
    this.#clock.advance(LIMITS.tunnelTimeout + LIMITS.pingInterval + LIMITS.pingTimeout);
    return [...this.#statuses, ...this.#reasons].join();
  }

  #opened(transport: Transport): void {
    const session = new NetConnection(transport, {
      clock: this.#clock,
      limits: LIMITS,
      fmsVersion: 'FMS/3,5,1,525',
      handshakeDone: () => {},
      refused: (_, code) => this.#reasons.add(code),
      closed: (_, { code, cause }) => this.#closed(code, cause),
    });
    session.on('connect', (request) => request.accept());
    session.on('stream', (stream) => stream.on('publish', (request) => request.accept()));
    session.start(this.#clock.now());
  }

  /** Comes in a microtask of its own, where nobody but the process hears of a fault. */
  #closed(code: string, cause: unknown): void {
    this.#reasons.add(code);
    if (code !== 'session.internal' && code !== 'session.listener') return;
    throw new Error(`tunnel ends with ${code} on ${Buffer.from(this.#input).toString('hex')}`, { cause });
  }

  #post(url: string, body: Uint8Array): void {
    const socket = { remoteAddress: '127.0.0.1', remotePort: 1 };
    const request = Object.assign(new EventEmitter(), { method: 'POST', url, socket });
    const response = {
      writeHead: (status: number) => this.#statuses.add(status),
      end: (answer?: Uint8Array) => {
        if (url === '/open/1' && answer !== undefined) this.#id = Buffer.from(answer).toString('latin1').trim();
      },
    };
    if (!this.#requests.handle(request as unknown as IncomingMessage, response as unknown as ServerResponse)) return;
    request.emit('data', Buffer.from(body));
    request.emit('end');
  }
}

function pieces(messages: Uint8Array): (readonly [number, number, Uint8Array])[] {
  const count = Math.ceil(messages.length / 200);
  return Array.from({ length: count }, (_, index) => {
    const piece = messages.subarray(200 * index, 200 * (index + 1));
    return [Step.send, piece.length, piece] as const;
  });
}

function script(...steps: readonly (readonly [number, number, Uint8Array?])[]): Uint8Array {
  return bytes(...steps.flatMap(([step, number, body]) => [Uint8Array.of(step, number), body ?? new Uint8Array(0)]));
}
