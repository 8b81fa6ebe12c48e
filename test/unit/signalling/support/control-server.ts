import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A `sip` frame of the gateway. */
export interface SipFrame {
  readonly id: string;
  readonly transaction: string;
  readonly dialog: string;
  readonly startLine: string;
  readonly text: string;
  /** Bytes of the payload. */
  readonly bytes: number;
  header(name: string): string;
}

/** What a drachtio server says on its control port, word by word; what is sent in one call goes out in one write. */
export class ControlServer {
  readonly frames: SipFrame[] = [];
  pings = 0;
  /** Whether pings are answered. */
  alive = true;
  /** Whether it says that an ACK was sent. */
  confirmsAcks = true;
  connections = 0;
  /** Where it takes SIP. */
  addresses = 'udp/127.0.0.1:5060';
  readonly #server: Server;
  #socket: Socket | undefined;
  #waiting: (() => void)[] = [];

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(): Promise<ControlServer> {
    const server = new ControlServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get address(): { readonly host: string; readonly port: number; readonly secret: string } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port, secret: 'cymru' };
  }

  /** The next `sip` frame, from the given one on, whose start line matches. */
  async find(startLine: RegExp, from = 0): Promise<SipFrame> {
    for (;;) {
      const found = this.frames.slice(from).find((frame) => startLine.test(frame.startLine));
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  write(...payloads: readonly string[]): void {
    this.#socket?.write(payloads.map((payload) => `${Buffer.byteLength(payload)}#${payload}`).join(''));
  }

  /** That a request was sent: as it stands on the wire. */
  sent(frame: SipFrame, transaction: string, message: string): string {
    const fields = ['response', frame.id, 'OK', 'application', message.length, 'udp', '127.0.0.1', 5060, '00:00:00.0'];
    return `${randomUUID()}|${fields.join('|')}|${transaction}|Msg sent:|\r\n${message}`;
  }

  confirmAck(frame: SipFrame): void {
    this.write(this.sent(frame, `a${frame.id}`, frame.text));
  }

  /** What came from the network. */
  received(transaction: string, dialog: string, message: string): string {
    const fields = ['sip', 'network', message.length, 'udp', '127.0.0.1', 5070, '00:00:00.0', transaction, dialog, ''];
    return `${randomUUID()}|${fields.join('|')}\r\n${message}`;
  }

  /** The connection is gone; another is welcome. */
  drop(): void {
    this.#socket?.destroy();
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.#socket = socket;
    this.connections++;
    let pending = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      pending = Buffer.concat([pending, data]);
      for (let hash = pending.indexOf('#'); hash > 0; hash = pending.indexOf('#')) {
        const end = hash + 1 + Number(pending.subarray(0, hash).toString());
        if (pending.length < end) break;
        this.#take(pending.subarray(hash + 1, end).toString());
        pending = pending.subarray(end);
      }
    });
  }

  #take(payload: string): void {
    const [line = '', ...rest] = payload.split('\r\n');
    const [id = '', verb, transaction = '', dialog = ''] = line.split('|');
    if (verb === 'authenticate')
      this.write(`${randomUUID()}|response|${id}|OK|${this.addresses}|v0.9.10|${this.addresses}`);
    else if (verb === 'route') this.write(`${randomUUID()}|response|${id}|OK`);
    else if (verb === 'ping') {
      this.pings++;
      if (this.alive) this.write(`${randomUUID()}|response|${id}|OK|pong`);
    } else if (verb === 'sip') {
      const text = rest.join('\r\n');
      const header = (name: string) => new RegExp(`^${name}: *(.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';
      const bytes = Buffer.byteLength(payload);
      const frame = { id, transaction, dialog, startLine: rest[0] ?? '', text, bytes, header };
      this.frames.push(frame);
      if (this.confirmsAcks && frame.startLine.startsWith('ACK')) this.confirmAck(frame);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
