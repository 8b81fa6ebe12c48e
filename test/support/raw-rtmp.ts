import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultWaitMs } from './event-log.js';
import { loopback } from './ports.js';
import type { Scope } from './scope.js';

const handshakeBytes = 1536;

/** A client that can send anything, from the first byte on. */
export class RawRtmp {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data) => this.#chunks.push(data));
    // Being cut off is what many tests are about; `closed` tells.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ended = true;
    });
  }

  static async open(scope: Scope, port: number): Promise<RawRtmp> {
    const socket = connect(port, loopback);
    scope.defer(() => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawRtmp(socket);
  }

  /** Opens a connection and goes through the handshake without digest (RTMP specification 5.2). */
  static async shakeHands(scope: Scope, port: number): Promise<RawRtmp> {
    const client = await RawRtmp.open(scope, port);
    const c1 = Buffer.alloc(handshakeBytes, 'sono');
    c1.fill(0, 0, 8);
    client.write(Buffer.concat([Buffer.of(3), c1]));
    await client.received(1 + 2 * handshakeBytes);
    client.write(client.bytes.subarray(1, 1 + handshakeBytes));
    return client;
  }

  /** Everything received. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get ended(): boolean {
    return this.#ended;
  }

  write(data: Uint8Array | string): void {
    this.#socket.write(data);
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#socket.pause();
  }

  async received(count: number): Promise<void> {
    await until(`${count} bytes`, () => this.bytes.length >= count);
  }

  /** Until the answer contains this text, as AMF strings do. */
  async receivedText(text: string): Promise<void> {
    await until(`"${text}"`, () => this.bytes.includes(text));
  }

  /** Until the server has closed the connection. */
  async closed(timeoutMs = defaultWaitMs): Promise<void> {
    await until('the server to close the connection', () => this.#ended, timeoutMs);
  }
}

async function until(what: string, reached: () => boolean, timeoutMs = defaultWaitMs): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(10)) {
    if (reached()) return;
  }
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
}

/** One message as a type 0 chunk and as many type 3 chunks as it takes at the initial chunk size (5.3.1). */
export function message(type: number, body: Uint8Array, { csid = 3, msid = 0, length = body.length } = {}): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(csid, 0);
  header.writeUIntBE(length, 4, 3);
  header.writeUInt8(type, 7);
  header.writeUInt32LE(msid, 8);
  const parts: Uint8Array[] = [header];
  for (let at = 0; at < body.length; at += 128) {
    if (at > 0) parts.push(Buffer.of(0xc0 | csid));
    parts.push(body.subarray(at, at + 128));
  }
  return Buffer.concat(parts);
}

export const messageType = { setChunkSize: 1, audio: 8, amf0Command: 0x14 } as const;

/** AMF0, as far as a command needs it. */
export const amf0 = {
  string: (text: string) => Buffer.concat([Buffer.of(2, text.length >> 8, text.length & 0xff), Buffer.from(text)]),
  number: (value: number) => {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  },
  null: Buffer.of(5),
  object: (entries: Readonly<Record<string, Buffer>>) =>
    Buffer.concat([
      Buffer.of(3),
      ...Object.entries(entries).flatMap(([key, value]) => [amf0.string(key).subarray(1), value]),
      Buffer.of(0, 0, 9),
    ]),
} as const;

export const command = (name: string, transaction: number, ...args: readonly Buffer[]): Buffer =>
  message(messageType.amf0Command, Buffer.concat([amf0.string(name), amf0.number(transaction), ...args]));

export const connectCommand = command('connect', 1, amf0.object({ app: amf0.string('sono') }));
