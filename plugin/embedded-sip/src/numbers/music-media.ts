import { MediaSocket } from './media-socket.js';
import { chooseFormat, frameTicks, type MusicFormat } from './music-formats.js';
import type { MusicPlayer } from './music-player.js';
import type { NumberMedia } from './number-media.js';
import { RtpStream } from './rtp-stream.js';
import {
  answerDirection,
  type Destination,
  destinationOf,
  isPlainRtp,
  type LocalMedia,
  type MediaDescription,
  parseSdp,
  refused,
  SessionWriter,
  wantsToHear,
} from './sdp.js';

interface MusicParts {
  readonly player: MusicPlayer;
  readonly formats: readonly MusicFormat[];
  /** Address for the description. */
  readonly address: string;
  /** Address for the sockets. */
  readonly bind: string;
}

/** The media of one call to music: the tune from its beginning, in the caller's first format that there is of it. */
export class MusicMedia implements NumberMedia {
  /** Listeners may be silent for as long as they like. */
  readonly expectsMedia = false;
  readonly #parts: MusicParts;
  readonly #writer: SessionWriter;
  readonly #rtp = new RtpStream();
  readonly #play = () => this.#send();
  #socket: MediaSocket | undefined;
  #local: LocalMedia[] = [];
  #format: MusicFormat | undefined;
  #payloadType = 0;
  #destination: Destination | undefined;
  #frame = 0;
  #closed = false;

  constructor(parts: MusicParts) {
    this.#parts = parts;
    this.#writer = new SessionWriter('music', parts.address);
  }

  async answer(offer: string): Promise<string | undefined> {
    const offered = parseSdp(offer);
    const chosen = offered?.find((media) => this.#accepts(media));
    if (!offered || !chosen) return undefined;
    await this.#open();
    if (this.#closed) return undefined;
    this.#follow(chosen);
    this.#local = offered.map((media) => (media === chosen ? this.#answerTo(media) : refused(media)));
    return this.#writer.write(this.#local);
  }

  async offer(): Promise<string> {
    const socket = await this.#open();
    if (this.#local.length === 0) {
      const { formats } = this.#parts;
      const lines = formats.map(({ payloadType, name }) => `rtpmap:${payloadType} ${name}`);
      this.#local = [
        {
          ...{ kind: 'audio', port: socket.port, protocol: 'RTP/AVP', direction: 'sendrecv' },
          formats: formats.map(({ payloadType }) => String(payloadType)),
          formatLines: [...lines, 'ptime:20'],
        },
      ];
    }
    return this.#writer.write(this.#local);
  }

  accept(answer: string): boolean {
    const chosen = parseSdp(answer)?.find((media) => this.#accepts(media));
    if (chosen) this.#follow(chosen);
    return chosen !== undefined;
  }

  start(): void {
    if (!this.#closed) this.#parts.player.add(this.#play);
  }

  close(): void {
    this.#closed = true;
    this.#parts.player.delete(this.#play);
    this.#socket?.close();
  }

  #accepts(media: MediaDescription): boolean {
    return media.kind === 'audio' && isPlainRtp(media) && chooseFormat(media, this.#parts.formats) !== undefined;
  }

  #follow(media: MediaDescription): void {
    const choice = chooseFormat(media, this.#parts.formats);
    if (!choice) return;
    // In another codec from the start: an encoder cannot begin in the middle.
    if (choice.format !== this.#format) this.#frame = 0;
    this.#format = choice.format;
    this.#payloadType = choice.payloadType;
    this.#destination = wantsToHear(media) ? destinationOf(media) : undefined;
  }

  #answerTo(media: MediaDescription): LocalMedia {
    const { kind, protocol } = media;
    const lines = [`rtpmap:${this.#payloadType} ${this.#format?.name}`, 'ptime:20'];
    const formats = [String(this.#payloadType)];
    const direction = answerDirection(media.direction);
    return { kind, port: this.#socket?.port ?? 0, protocol, formats, formatLines: lines, direction };
  }

  async #open(): Promise<MediaSocket> {
    this.#socket ??= await MediaSocket.open(this.#parts.bind);
    if (this.#closed) this.#socket.close();
    return this.#socket;
  }

  #send(): void {
    if (!this.#format || !this.#destination) return;
    const payload = this.#format.tune.frame(this.#frame);
    const packet = this.#rtp.packet(this.#payloadType, payload, frameTicks(this.#format));
    this.#frame++;
    this.#socket?.send(packet, this.#destination.port, this.#destination.address);
  }
}
