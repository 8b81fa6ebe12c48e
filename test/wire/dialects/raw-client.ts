import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { BufferList, ChunkReader, decodeMessage, type RawMessage, type RtmpMessage } from 'rtmp-server-ts';

const handshakeLength = 1536;

export type Received = RtmpMessage & { readonly chunkStreamId: number };

/** Sends recorded bytes and shows what comes back, with the chunk stream it came on. */
export class RawClient {
  readonly received: Received[] = [];
  readonly #socket: Socket;
  readonly #input = new BufferList();
  readonly #reader = new ChunkReader(this.#input, { messageSize: 1e6, bytesInFlight: 1e6, chunkStreams: 64 });
  #skip = 1 + 2 * handshakeLength;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(2 * handshakeLength)]));
    return new RawClient(socket);
  }

  send(hex: string): void {
    this.#socket.write(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
  }

  /** The first message, from the given one on, that `accept` takes. */
  async find(accept: (message: Received) => boolean, from = 0): Promise<Received> {
    for (;;) {
      const found = this.received.slice(from).find(accept);
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    this.#input.push(bytes.subarray(skipped));
    for (let raw = this.#reader.next(); raw; raw = this.#reader.next()) this.#take(raw);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #take(raw: RawMessage): void {
    const message = decodeMessage(raw);
    if (message.type === 'setChunkSize') this.#reader.setChunkSize(message.chunkSize);
    this.received.push({ ...message, chunkStreamId: raw.chunkStreamId });
  }
}
