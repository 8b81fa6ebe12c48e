import { MediaSocket } from './media-socket.js';
import type { NumberMedia } from './number-media.js';
import { RtpEcho } from './rtp-echo.js';
import {
  answerDirection,
  type Destination,
  destinationOf,
  isHeld,
  isPlainRtp,
  type LocalMedia,
  type MediaDescription,
  parseSdp,
  refused,
  SessionWriter,
  wantsToHear,
} from './sdp.js';

const ECHOED_KINDS = new Set(['audio', 'video']);

interface Stream {
  readonly kind: string;
  readonly socket: MediaSocket;
  /** Where the peer's description wants packets; undefined: back to where they come from. */
  destination: Destination | undefined;
  /** Whether the peer wants to hear. */
  sending: boolean;
  /** Whether the peer may be heard. */
  receiving: boolean;
}

/** The media of one echo call: a socket pair per medium, and the description that goes with them. */
export class EchoMedia implements NumberMedia {
  readonly #writer: SessionWriter;
  readonly #bind: string;
  readonly #onPacket: () => void;
  /** By their place in the description, where refused media leave gaps. */
  readonly #streams = new Map<number, Stream>();
  #local: LocalMedia[] = [];
  #closed = false;

  /** @param address for the description; @param bind for the sockets; @param onPacket called for each RTP packet */
  constructor(address: string, bind: string, onPacket: () => void) {
    this.#writer = new SessionWriter('echo', address);
    this.#bind = bind;
    this.#onPacket = onPacket;
  }

  get expectsMedia(): boolean {
    return [...this.#streams.values()].some((stream) => stream.kind === 'audio' && stream.receiving);
  }

  async answer(offer: string): Promise<string | undefined> {
    const offered = parseSdp(offer);
    if (!offered?.some((media) => media.kind === 'audio' && acceptable(media))) return undefined;
    const local: LocalMedia[] = [];
    for (const [index, media] of offered.entries()) local.push(await this.#accept(index, media));
    if (this.#closed) return undefined;
    this.#local = local;
    return this.#writer.write(this.#local);
  }

  async offer(): Promise<string> {
    if (this.#local.length === 0) {
      const stream = await this.#stream(0, 'audio');
      const formatLines = ['rtpmap:0 PCMU/8000', 'rtpmap:97 speex/16000', 'ptime:20'];
      const direction = 'sendrecv';
      this.#local = [
        { kind: 'audio', port: stream.socket.port, protocol: 'RTP/AVP', formats: ['0', '97'], direction, formatLines },
      ];
    }
    return this.#writer.write(this.#local);
  }

  accept(answer: string): boolean {
    const answered = parseSdp(answer);
    if (!answered?.some((media) => media.kind === 'audio' && acceptable(media))) return false;
    for (const [index, media] of answered.entries()) {
      const stream = this.#streams.get(index);
      if (stream && acceptable(media)) direct(stream, media);
    }
    return true;
  }

  start(): void {
    // Nothing is sent but what comes.
  }

  close(): void {
    this.#closed = true;
    for (const stream of this.#streams.values()) stream.socket.close();
  }

  async #accept(index: number, media: MediaDescription): Promise<LocalMedia> {
    const { kind, protocol, formats, formatLines } = media;
    if (!acceptable(media)) return refused(media);
    const stream = await this.#stream(index, kind);
    direct(stream, media);
    return {
      kind,
      port: stream.socket.port,
      protocol,
      formats,
      formatLines,
      direction: answerDirection(media.direction),
    };
  }

  async #stream(index: number, kind: string): Promise<Stream> {
    const known = this.#streams.get(index);
    if (known) return known;
    const socket = await MediaSocket.open(this.#bind);
    const stream: Stream = { kind, socket, destination: undefined, sending: true, receiving: true };
    if (this.#closed) socket.close();
    this.#streams.set(index, stream);
    const rtp = new RtpEcho();
    socket.onPacket((packet, from) => {
      const back = rtp.echo(packet);
      if (!back) return;
      this.#onPacket();
      const { address, port } = stream.destination ?? from;
      if (stream.sending) socket.send(back, port, address);
    });
    return stream;
  }
}

function acceptable(media: MediaDescription): boolean {
  return ECHOED_KINDS.has(media.kind) && isPlainRtp(media);
}

function direct(stream: Stream, media: MediaDescription): void {
  stream.destination = destinationOf(media);
  stream.sending = wantsToHear(media);
  stream.receiving = !isHeld(media) && (media.direction === 'sendrecv' || media.direction === 'sendonly');
}
