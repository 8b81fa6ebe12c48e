import type { AmfLimits } from '../amf/limits.js';
import { BufferList } from '../bytes/buffer-list.js';
import { ChunkReader } from '../chunk/chunk-reader.js';
import { ChunkWriter } from '../chunk/chunk-writer.js';
import { CONTROL_CHUNK_STREAM_ID } from '../chunk/constants.js';
import type { RawMessage } from '../chunk/raw-message.js';
import { RtmpError } from '../errors/rtmp-error.js';
import type { Ciphers, Handshake } from '../handshake/handshake.js';
import { decodeMessage, encodeMessage } from '../message/codec.js';
import type { RtmpMessage } from '../message/message.js';
import { flushSoon } from './flush.js';
import type { SessionLimits } from './limits.js';
import { ReceiveWindow } from './receive-window.js';
import type { Transport, TransportHandler } from './transport.js';

export interface LinkHandler {
  handshakeDone(): void;
  /** Bytes arrived. */
  received(): void;
  /** Any message but the protocol control messages, which the link obeys itself. */
  message(message: RtmpMessage, size: number): void;
  /** A message that is well formed but holds something that this package cannot read. */
  unsupported(raw: RawMessage, error: RtmpError): void;
  /** The peer broke a rule or reads too slowly: the connection is to be closed. */
  violated(error: RtmpError): void;
  closed(error?: Error): void;
}

/** Bytes to messages and back over one transport: handshake, chunk streams, protocol control, acknowledgements, batched writing. */
export class Link implements TransportHandler {
  readonly #transport: Transport;
  readonly #handler: LinkHandler;
  readonly #limits: SessionLimits;
  readonly #amfLimits: AmfLimits;
  readonly #input = new BufferList();
  /** Until it is done. */
  #handshake: Handshake | undefined;
  readonly #reader: ChunkReader;
  readonly #writer = new ChunkWriter();
  readonly #window = new ReceiveWindow();
  /** The window that the peer was last told of. */
  #announcedWindow = 0;
  #ciphers: Ciphers | undefined;
  #reading = true;
  #held = false;
  /** The transport's end, which comes after the messages that are held. */
  #heldEnd: (() => void) | undefined;
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  #bytesOut = 0;
  #messagesIn = 0;
  #messagesOut = 0;

  constructor(
    transport: Transport,
    limits: SessionLimits,
    handshake: (input: BufferList) => Handshake,
    handler: LinkHandler,
  ) {
    this.#transport = transport;
    this.#handler = handler;
    this.#limits = limits;
    const { amfDepth, amfElements, amfReferencedBytes } = limits;
    this.#amfLimits = { depth: amfDepth, elements: amfElements, referencedBytes: amfReferencedBytes };
    this.#handshake = handshake(this.#input);
    this.#reader = new ChunkReader(this.#input, limits);
  }

  get bytesIn(): number {
    return this.#window.received;
  }

  get bytesOut(): number {
    return this.#bytesOut;
  }

  get messagesIn(): number {
    return this.#messagesIn;
  }

  get messagesOut(): number {
    return this.#messagesOut;
  }

  get handshakeDone(): boolean {
    return this.#handshake === undefined;
  }

  /** By RTMPE; known when the handshake is done. */
  get encrypted(): boolean {
    return this.#ciphers !== undefined;
  }

  /** Bytes that the system has not taken yet. */
  get pendingBytes(): number {
    return this.#outputBytes + this.#transport.pendingBytes;
  }

  /** Whether media of this length would not have to wait. */
  hasRoom(length: number): boolean {
    const { pendingMediaBytes, pendingBytes } = this.#limits;
    const pending = this.pendingBytes;
    return pending <= pendingMediaBytes && pending + length <= pendingBytes;
  }

  start(): void {
    this.#transport.start(this);
    if (this.#handshake !== undefined) this.#readHandshake(this.#handshake);
  }

  /** Messages, and the transport's end, wait until {@link release}. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#read();
    this.#heldEnd?.();
  }

  /**
   * Queues a message; all that are queued in one turn of the event loop go to the transport together.
   * @throws RtmpError `amf.*`
   */
  send(message: RtmpMessage, chunkStreamId: number): void {
    const { typeId, streamId, timestamp, payload } = encodeMessage(message);
    this.write({ chunkStreamId, typeId, streamId, timestamp, payload });
    if (message.type === 'setChunkSize') this.#writer.setChunkSize(message.chunkSize);
    if (message.type === 'windowAcknowledgementSize') this.#announcedWindow = message.size;
    if (this.pendingBytes > this.#limits.pendingBytes) {
      this.#handler.violated(new RtmpError('session.pending-bytes', `${this.pendingBytes} bytes wait to be sent`));
    }
  }

  /** As {@link send}, of a message that needs no encoding, and that there is room for. */
  write(message: RawMessage): void {
    this.#outputBytes += this.#writer.write(message, this.#queue());
    this.#messagesOut += 1;
  }

  /** From now on what arrives is thrown away. */
  stopReading(): void {
    this.#reading = false;
    this.#input.clear();
  }

  /** Sends what is queued, then ends. */
  end(): void {
    this.flush();
    this.#transport.end();
  }

  destroy(): void {
    this.#transport.destroy();
  }

  /** For the transport; see {@link TransportHandler}. */
  closed(error?: Error): void {
    if (this.#held) this.#heldEnd = () => this.#ended(error);
    else this.#ended(error);
  }

  /** For the transport; see {@link TransportHandler}. */
  received(bytes: Uint8Array): void {
    const acknowledge = this.#window.add(bytes.length);
    if (!this.#reading) return;
    this.#handler.received();
    // Before the handshake is done nothing is encrypted.
    this.#input.push(this.#ciphers?.input.apply(bytes) ?? bytes);
    this.#read(acknowledge);
  }

  #ended(error: Error | undefined): void {
    this.#reading = false;
    this.#handler.closed(error);
  }

  /** @param acknowledge what to acknowledge, after what was read */
  #read(acknowledge?: number): void {
    try {
      if (this.#handshake !== undefined && !this.#readHandshake(this.#handshake)) return;
      this.#readMessages();
      if (acknowledge !== undefined && this.#reading) this.#acknowledge(acknowledge);
    } catch (error) {
      this.stopReading();
      this.#handler.violated(asRtmpError(error));
    }
  }

  #readMessages(): void {
    while (this.#reading && !this.#held) {
      const raw = this.#reader.next();
      if (raw === undefined) return;
      this.#messagesIn += 1;
      this.#dispatch(raw);
    }
  }

  /** @returns whether it is done */
  #readHandshake(handshake: Handshake): boolean {
    const answer = handshake.advance();
    for (const part of answer) this.#bytesOut += part.length;
    if (answer.length > 0) this.#transport.write(answer);
    if (!handshake.done) return false;
    this.#handshake = undefined;
    this.#ciphers = handshake.ciphers;
    if (this.#ciphers !== undefined) {
      this.#input.push(this.#ciphers.input.apply(this.#input.consume(this.#input.length)));
    }
    this.#handler.handshakeDone();
    return true;
  }

  #dispatch(raw: RawMessage): void {
    if (!this.#reading) return;
    const message = this.#decode(raw);
    if (message === undefined) return;
    switch (message.type) {
      case 'acknowledgement':
        return;
      case 'setChunkSize':
        this.#reader.setChunkSize(message.chunkSize);
        return;
      case 'abort':
        this.#reader.abort(message.chunkStreamId);
        return;
      case 'windowAcknowledgementSize':
        this.#window.setSize(message.size);
        return;
      case 'setPeerBandwidth':
        this.#announceWindow(message.size);
        return;
      case 'aggregate':
        for (const part of message.parts) this.#dispatch({ ...part, chunkStreamId: raw.chunkStreamId });
        return;
      default:
        this.#handler.message(message, raw.payload.length);
    }
  }

  #decode(raw: RawMessage): RtmpMessage | undefined {
    try {
      return decodeMessage(raw, this.#amfLimits);
    } catch (error) {
      if (!(error instanceof RtmpError) || error.code !== 'amf.unsupported') throw error;
      this.#handler.unsupported(raw, error);
      return undefined;
    }
  }

  /** "The peer receiving this message SHOULD respond with a Window Acknowledgement Size message if the window size is different" (5.4.5). */
  #announceWindow(size: number): void {
    if (size === this.#announcedWindow) return;
    this.send({ type: 'windowAcknowledgementSize', size }, CONTROL_CHUNK_STREAM_ID);
  }

  #acknowledge(sequenceNumber: number): void {
    this.send({ type: 'acknowledgement', sequenceNumber }, CONTROL_CHUNK_STREAM_ID);
  }

  #queue(): Uint8Array[] {
    if (this.#output.length === 0) flushSoon(this);
    return this.#output;
  }

  /** Hands what is queued to the transport; see {@link TransportHandler}. */
  flush(): void {
    if (this.#output.length === 0) return;
    const parts = this.#output;
    this.#bytesOut += this.#outputBytes;
    this.#output = [];
    this.#outputBytes = 0;
    const ciphers = this.#ciphers;
    try {
      this.#transport.write(ciphers === undefined ? parts : parts.map((part) => ciphers.output.apply(part)));
    } catch (error) {
      this.#handler.violated(asRtmpError(error));
    }
  }
}

/** Whatever goes wrong in reading one peer's bytes is the end of that peer's connection, not of the process. */
export function asRtmpError(error: unknown): RtmpError {
  if (error instanceof RtmpError) return error;
  return new RtmpError('session.internal', 'a message could not be handled', { cause: error });
}
