import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { AmfObject, AmfValue } from 'rtmp-server-ts';
import { BufferList } from '../../plugin/rtmp-server-ts/src/bytes/buffer-list.js';
import { ChunkReader } from '../../plugin/rtmp-server-ts/src/chunk/chunk-reader.js';
import { ChunkWriter } from '../../plugin/rtmp-server-ts/src/chunk/chunk-writer.js';
import { decodeMessage, encodeMessage } from '../../plugin/rtmp-server-ts/src/message/codec.js';
import type { RtmpMessage } from '../../plugin/rtmp-server-ts/src/message/message.js';

const handshakeLength = 1536;

/** The SEMS test phone in TypeScript: hundreds of them fit into one process, to put load on a gateway. */
export class LoadPhone {
  onStatus: (status: number) => void = () => {};
  /** Somebody calls. */
  onIncoming: () => void = () => {};
  onAudio: (payload: Uint8Array, timestamp: number) => void = () => {};
  onVideo: (payload: Uint8Array) => void = () => {};
  onAcknowledgement: (sequenceNumber: number) => void = () => {};
  readonly #socket: Socket;
  readonly #input = new BufferList();
  readonly #reader = new ChunkReader(this.#input, { messageSize: 1e6, bytesInFlight: 1e6, chunkStreams: 64 });
  readonly #writer = new ChunkWriter();
  readonly #answers = new Map<number, (args: readonly AmfValue[]) => void>();
  #transactions = 0;
  #publishing = 0;
  #skip = 1 + 2 * handshakeLength;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', () => {});
  }

  /** @param says added to the command object of connect @param localAddress of this side; the system's choice unless given */
  static async connect(host: string, port: number, says: AmfObject = {}, localAddress?: string): Promise<LoadPhone> {
    const socket = connect({ host, port, noDelay: true, ...(localAddress !== undefined && { localAddress }) });
    await once(socket, 'connect');
    const phone = new LoadPhone(socket);
    // The plain handshake does not look at what the other side sends: C0, C1 and C2 can go at once.
    socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(2 * handshakeLength)]));
    await phone.call('connect', { app: 'sono', tcUrl: `rtmp://${host}:${port}/sono`, objectEncoding: 0, ...says });
    return phone;
  }

  /** @param options such as `{video: true}` */
  dial(uri: string, ...options: AmfObject[]): void {
    this.#command(0, 'dial', [null, uri, ...options]);
  }

  hangup(): void {
    this.#command(0, 'hangup', [null]);
  }

  accept(): void {
    this.#command(0, 'accept', [null]);
  }

  reject(sipStatus: number): void {
    this.#command(0, 'reject', [null, sipStatus]);
  }

  /** What a phone does at status 4. */
  async openStreams(): Promise<void> {
    await this.publish();
    const [playing] = await this.call('createStream', null);
    this.#command(Number(playing), 'play', [null, 'dummy', 'live']);
  }

  async publish(): Promise<void> {
    const [publishing] = await this.call('createStream', null);
    this.#publishing = Number(publishing);
    this.#command(this.#publishing, 'publish', [null, 'dummy', 'live']);
  }

  /** With the handshake. */
  get bytesSent(): number {
    return this.#socket.bytesWritten;
  }

  sendAudio(timestamp: number, payload: Uint8Array): void {
    this.#send({ type: 'audio', streamId: this.#publishing, timestamp, payload }, 4);
  }

  sendVideo(timestamp: number, payload: Uint8Array): void {
    this.#send({ type: 'video', streamId: this.#publishing, timestamp, payload }, 6);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Resolves with what `_result` carries behind the command object. */
  async call(name: string, commandObject: AmfObject | null, ...args: AmfValue[]): Promise<readonly AmfValue[]> {
    const answer = new Promise<readonly AmfValue[]>((resolve) => {
      this.#answers.set(this.#transactions + 1, resolve);
    });
    this.#command(0, name, [commandObject, ...args]);
    return answer;
  }

  #command(streamId: number, name: string, [commandObject = null, ...args]: AmfValue[]): void {
    const transactionId = ++this.#transactions;
    const message = { type: 'command', encoding: 0, streamId, timestamp: 0, name, transactionId, commandObject, args };
    this.#send(message as RtmpMessage, streamId === 0 ? 3 : 8);
  }

  #send(message: RtmpMessage, chunkStreamId: number): void {
    const parts: Uint8Array[] = [];
    this.#writer.write({ ...encodeMessage(message), chunkStreamId }, parts);
    this.#socket.write(Buffer.concat(parts));
  }

  #receive(bytes: Buffer): void {
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    this.#input.push(bytes.subarray(skipped));
    for (let raw = this.#reader.next(); raw; raw = this.#reader.next()) this.#handle(decodeMessage(raw));
  }

  #handle(message: RtmpMessage): void {
    if (message.type === 'audio') {
      this.onAudio(message.payload, message.timestamp);
    } else if (message.type === 'video') {
      this.onVideo(message.payload);
    } else if (message.type === 'setChunkSize') {
      this.#reader.setChunkSize(message.chunkSize);
    } else if (message.type === 'acknowledgement') {
      this.onAcknowledgement(message.sequenceNumber);
    } else if (message.type === 'userControl' && message.event === 'pingRequest') {
      this.#send({ type: 'userControl', event: 'pingResponse', pingTimestamp: message.pingTimestamp }, 2);
    } else if (message.type === 'command' && message.name === '_result') {
      this.#answers.get(message.transactionId)?.(message.args);
      this.#answers.delete(message.transactionId);
    } else if (message.type === 'command' && message.name === 'onStatus') {
      const info = message.args[0] as AmfObject | undefined;
      if (info?.code === 'Sono.Call.Status') this.onStatus(Number(info.status_code));
      if (info?.code === 'Sono.Call.Incoming') this.onIncoming();
    }
  }
}
