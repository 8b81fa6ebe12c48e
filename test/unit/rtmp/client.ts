import { connect, type Socket } from 'node:net';
import {
  type AmfObject,
  type AmfValue,
  ChunkWriter,
  type CommandMessage,
  encodeMessage,
  type RtmpMessage,
} from 'rtmp-server-ts';
import { EventLog } from '../../support/event-log.js';
import { handshakeBytes, MessageReader, type Received } from '../../support/message-reader.js';
import type { Scope } from '../../support/scope.js';

/** An RTMP client that does what a test tells it, right or wrong. It does not answer anything by itself. */
export class TestClient {
  readonly socket: Socket;
  readonly received = new EventLog<Received>('RTMP client');
  readonly #reader = new MessageReader();
  readonly #writer = new ChunkWriter();
  readonly #closed: Promise<unknown>;
  #transactionId = 1;

  /** @param socket connected or connecting; plain TCP unless given */
  constructor(scope: Scope, port: number, socket: Socket = connect(port, '127.0.0.1')) {
    this.socket = socket;
    this.socket.setNoDelay(true);
    this.socket.on('error', () => {});
    this.socket.on('data', (data) => {
      for (const message of this.#reader.read(data)) this.received.push(message);
    });
    this.#closed = new Promise((resolve) => this.socket.on('close', resolve));
    void this.#closed.then(() => this.received.end('the server closed the connection'));
    scope.defer(() => this.socket.destroy());
    scope.report(() => this.received.tail());
  }

  /** Goes through the handshake, without a version: plain. */
  static async open(scope: Scope, port: number, socket?: Socket): Promise<TestClient> {
    const client = new TestClient(scope, port, socket);
    client.write(handshake());
    return client;
  }

  /** Goes through connect too. */
  static async connect(
    scope: Scope,
    port: number,
    properties: AmfObject = { app: 'test' },
    socket?: Socket,
  ): Promise<TestClient> {
    const client = await TestClient.open(scope, port, socket);
    client.send(command('connect', 1, [], 0, properties));
    await client.answer(1);
    return client;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  send(message: RtmpMessage, chunkStreamId = 3): void {
    const parts: Uint8Array[] = [];
    this.#writer.write({ ...encodeMessage(message), chunkStreamId }, parts);
    this.write(Buffer.concat(parts));
  }

  /** Calls a method of the NetConnection and waits for its `_result` or `_error`. */
  async call(name: string, ...args: AmfValue[]): Promise<CommandMessage> {
    this.#transactionId += 1;
    const id = this.#transactionId;
    this.send(command(name, id, args));
    return await this.answer(id);
  }

  /** A command without an answer on a NetStream, or on the NetConnection. */
  tell(streamId: number, name: string, ...args: AmfValue[]): void {
    this.send(command(name, 0, args, streamId), streamId === 0 ? 3 : 8);
  }

  /** @returns its id */
  async createStream(): Promise<number> {
    const { args } = await this.call('createStream');
    return args[0] as number;
  }

  answer(transactionId: number): Promise<CommandMessage> {
    return this.command(
      `the answer to call ${transactionId}`,
      (message) => /^_(result|error)$/.test(message.name) && message.transactionId === transactionId,
    );
  }

  command(what: string, accept: (command: CommandMessage) => boolean): Promise<CommandMessage> {
    return this.received.find(
      what,
      (message) => message.type === 'command' && accept(message),
    ) as Promise<CommandMessage>;
  }

  /** Waits for an onStatus with this code. */
  async status(code: string): Promise<CommandMessage> {
    return await this.command(code, (message) => statusCode(message) === code);
  }

  message<Type extends RtmpMessage['type']>(type: Type): Promise<Extract<Received, { type: Type }>> {
    return this.received.find(type, (message) => message.type === type) as Promise<Extract<Received, { type: Type }>>;
  }

  /** Everything that was sent before this has been read and handled by the server when it resolves. */
  async settled(): Promise<void> {
    await this.call('getStreamLength', 'x');
  }

  get commands(): CommandMessage[] {
    return this.received.all.filter((message) => message.type === 'command');
  }

  async closed(): Promise<void> {
    await this.#closed;
  }
}

/** C0, C1 and C2 of a client that does not care. */
export function handshake(): Uint8Array {
  return Uint8Array.of(3, ...new Uint8Array(handshakeBytes - 1));
}

export function command(
  name: string,
  transactionId: number,
  args: readonly AmfValue[] = [],
  streamId = 0,
  commandObject: AmfValue = null,
): CommandMessage {
  return { type: 'command', encoding: 0, streamId, timestamp: 0, name, transactionId, commandObject, args };
}

export function statusCode({ name, args }: CommandMessage): AmfValue {
  return name === 'onStatus' ? (args[0] as AmfObject).code : undefined;
}
