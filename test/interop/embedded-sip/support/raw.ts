import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, connect as netConnect, type Socket } from 'node:net';
import type { EmbeddedSip } from 'embedded-sip';
import { EventLog } from '../../../support/event-log.js';
import type { Scope } from '../../../support/scope.js';

/** A client of the control port that sends what it is told, byte for byte. */
export class RawControl {
  readonly #socket: Socket;
  readonly #payloads = new EventLog<string>('control');
  readonly #closed: Promise<unknown>;
  #pending = '';
  #taken = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => this.#receive(chunk.toString('latin1')));
  }

  static async connect(scope: Scope, server: EmbeddedSip): Promise<RawControl> {
    const socket = netConnect(server.control.port, server.control.host);
    scope.defer(() => socket.destroy());
    await once(socket, 'connect');
    return new RawControl(socket);
  }

  static async login(scope: Scope, server: EmbeddedSip): Promise<RawControl> {
    const control = await RawControl.connect(scope, server);
    control.send(`login|authenticate|${server.control.secret}|`);
    await control.payload();
    return control;
  }

  send(payload: string): void {
    this.write(`${Buffer.byteLength(payload)}#${payload}`);
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  /** The next payload. */
  payload(): Promise<string> {
    const from = this.#taken++;
    return this.#payloads.find('a frame', () => true, { from });
  }

  async closed(): Promise<void> {
    await this.#closed;
  }

  #receive(chunk: string): void {
    this.#pending += chunk;
    for (;;) {
      const match = /^(\d+)#/.exec(this.#pending);
      const start = match?.[0].length ?? 0;
      const end = start + Number(match?.[1]);
      if (!match || this.#pending.length < end) return;
      this.#payloads.push(this.#pending.slice(start, end));
      this.#pending = this.#pending.slice(end);
    }
  }
}

/** Listens on loopback and answers nothing. */
export class SilentPeer {
  readonly port: number;
  readonly #heard: EventLog<string>;

  private constructor(port: number, heard: EventLog<string>) {
    this.port = port;
    this.#heard = heard;
  }

  static async start(scope: Scope, transport: string): Promise<SilentPeer> {
    const heard = new EventLog<string>('silent peer');
    if (transport === 'udp') {
      const socket = createSocket('udp4');
      socket.on('message', (message) => heard.push(message.toString('latin1')));
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      scope.defer(() => socket.close());
      return new SilentPeer(socket.address().port, heard);
    }
    const server = createServer((socket) => {
      scope.defer(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => heard.push(chunk.toString('latin1')));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    scope.defer(() => server.close());
    const address = server.address();
    return new SilentPeer(typeof address === 'object' && address ? address.port : 0, heard);
  }

  /** The first message that begins so. */
  heard(start: RegExp): Promise<string> {
    return this.#heard.find(String(start), (text) => start.test(text));
  }
}
