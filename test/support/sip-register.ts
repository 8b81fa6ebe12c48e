import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { EventLog } from './event-log.js';
import { loopback } from './ports.js';
import type { Scope } from './scope.js';

export interface RegisterAnswer {
  readonly status: number;
  header(name: string): string;
}

/** A SIP peer that only registers, over UDP: for phones of SIPp, which cannot, and for REGISTERs that no phone would send. */
export class RegisteringPeer {
  readonly #socket: Socket;
  readonly #server: number;
  readonly #answers = new EventLog<string>('answers to REGISTER');
  readonly #callId = randomUUID();
  #sequence = 0;

  private constructor(socket: Socket, server: number) {
    this.#socket = socket;
    this.#server = server;
    socket.on('message', (message) => this.#answers.push(message.toString()));
  }

  /** @param server The SIP port of the registrar. */
  static async open(scope: Scope, server: number): Promise<RegisteringPeer> {
    const socket = createSocket('udp4');
    scope.defer(() => void socket.close());
    socket.bind(0, loopback);
    await once(socket, 'listening');
    return new RegisteringPeer(socket, server);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Registers, and waits for the final response. Of `headers`, those of the same name take the place of the ordinary. */
  async register(user: string, headers: Readonly<Record<string, string>>): Promise<RegisterAnswer> {
    const cseq = ++this.#sequence;
    const registrar = `${loopback}:${this.#server}`;
    const all = {
      Via: `SIP/2.0/UDP ${loopback}:${this.port};branch=z9hG4bK${randomUUID()}`,
      From: `<sip:${user}@${registrar}>;tag=${this.#callId.slice(0, 8)}`,
      To: `<sip:${user}@${registrar}>`,
      'Call-ID': this.#callId,
      CSeq: `${cseq} REGISTER`,
      'Max-Forwards': '70',
      'Content-Length': '0',
      ...headers,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
    this.#socket.send(`REGISTER sip:${registrar} SIP/2.0\r\n${lines.join('\r\n')}\r\n\r\n`, this.#server, loopback);
    const isFinal = (text: string) => /^SIP\/2\.0 [2-6]/.test(text) && new RegExp(`^CSeq: ${cseq} `, 'im').test(text);
    const text = await this.#answers.find(`the answer to REGISTER ${cseq}`, isFinal);
    return {
      status: Number(text.slice(8, 11)),
      header: (name) => new RegExp(`^${name}: *(.*)$`, 'im').exec(text)?.[1]?.trim() ?? '',
    };
  }
}
