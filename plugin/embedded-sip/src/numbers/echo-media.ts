import { isIP } from 'node:net';
import { MediaSocket } from './media-socket.js';
import { RtpEcho } from './rtp-echo.js';
import { answerDirection, type LocalMedia, type MediaDescription, parseSdp, writeSdp } from './sdp.js';

const ECHOED_KINDS = new Set(['audio', 'video']);
const RTP_PROFILES = new Set(['RTP/AVP', 'RTP/AVPF']);

interface Stream {
  readonly kind: string;
  readonly socket: MediaSocket;
  /** Where the peer's description wants packets; undefined: back to where they come from. */
  destination: { address: string; port: number } | undefined;
  /** Whether the peer wants to hear. */
  sending: boolean;
  /** Whether the peer may be heard. */
  receiving: boolean;
}

/** The media of one echo call: a socket pair per medium, and the description that goes with them. */
export class EchoMedia {
  readonly #address: string;
  readonly #bind: string;
  readonly #onPacket: () => void;
  readonly #streams: Stream[] = [];
  readonly #sessionId = Date.now();
  #version = 0;
  #local: LocalMedia[] = [];
  #closed = false;

  /** @param address for the description; @param bind for the sockets; @param onPacket called for each RTP packet */
  constructor(address: string, bind: string, onPacket: () => void) {
    this.#address = address;
    this.#bind = bind;
    this.#onPacket = onPacket;
  }

  /** Whether the peer is expected to send: not while it holds the call. */
  get expectsMedia(): boolean {
    return this.#streams.some((stream) => stream.kind === 'audio' && stream.receiving);
  }

  /** The answer to an offer; undefined when it is no description or has no audio we can send back. */
  async answer(offer: string): Promise<string | undefined> {
    const offered = parseSdp(offer);
    if (!offered?.some((media) => media.kind === 'audio' && acceptable(media))) return undefined;
    const local: LocalMedia[] = [];
    for (const [index, media] of offered.entries()) local.push(await this.#accept(index, media));
    if (this.#closed) return undefined;
    this.#local = local;
    return this.#write();
  }

  /** An offer of our own, or the current description again in a later one. */
  async offer(): Promise<string> {
    if (this.#local.length === 0) {
      const stream = await this.#stream(0, 'audio');
      const formatLines = ['rtpmap:0 PCMU/8000', 'rtpmap:97 speex/16000', 'ptime:20'];
      const direction = 'sendrecv';
      this.#local = [
        { kind: 'audio', port: stream.socket.port, protocol: 'RTP/AVP', formats: ['0', '97'], direction, formatLines },
      ];
    }
    return this.#write();
  }

  /** Takes the answer to our offer; false when it refuses the audio. */
  accept(answer: string): boolean {
    const answered = parseSdp(answer);
    if (!answered?.some((media) => media.kind === 'audio' && acceptable(media))) return false;
    for (const [index, media] of answered.entries()) {
      const stream = this.#streams[index];
      if (stream && acceptable(media)) direct(stream, media);
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    for (const stream of this.#streams) stream.socket.close();
  }

  async #accept(index: number, media: MediaDescription): Promise<LocalMedia> {
    const { kind, protocol, formats, formatLines } = media;
    if (!acceptable(media)) return { kind, port: 0, protocol, formats, formatLines: [], direction: 'inactive' };
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
    const known = this.#streams[index];
    if (known) return known;
    const socket = await MediaSocket.open(this.#bind);
    const stream: Stream = { kind, socket, destination: undefined, sending: true, receiving: true };
    if (this.#closed) socket.close();
    this.#streams[index] = stream;
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

  #write(): string {
    this.#version++;
    return writeSdp(this.#address, this.#sessionId, this.#version, this.#local);
  }
}

function acceptable(media: MediaDescription): boolean {
  return ECHOED_KINDS.has(media.kind) && RTP_PROFILES.has(media.protocol) && media.port !== 0;
}

function direct(stream: Stream, media: MediaDescription): void {
  const { address, port, direction } = media;
  // RFC 2543 hold: an address of zeros means that nothing may be sent.
  const held = address === '0.0.0.0' || address === '::';
  stream.destination = address !== undefined && isIP(address) !== 0 && !held ? { address, port } : undefined;
  stream.sending = !held && (direction === 'sendrecv' || direction === 'recvonly');
  stream.receiving = direction === 'sendrecv' || direction === 'sendonly';
}
