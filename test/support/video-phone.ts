import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePortRange, loopback } from './ports.js';
import type { Scope } from './scope.js';

const pictureMs = 1000 / 30;
const maxPacket = 1100;
const ssrc = 0x51de0;

export interface VideoPhoneOptions {
  /** Whether to lose the packet with this number, counted from 0, the first time that it goes. */
  readonly loses?: (count: number) => boolean;
  /** Whether to miss the packet with this number that comes, counted from 0, the first time. */
  readonly misses?: (count: number) => boolean;
}

/**
 * The video side of a SIP phone as far as its RTCP goes, which FFmpeg's is not: sends pictures, sends packets again that it is
 * asked for, and goes back to a key frame when it is asked for one.
 */
export class VideoPhone {
  /** Even port of the pair. */
  readonly port: number;
  /** Numbers of the packets asked for. */
  readonly asked: number[] = [];
  /** Milliseconds of a steady clock at which a key frame was asked for. */
  readonly keyFrameRequests: number[] = [];
  lost = 0;
  missed = 0;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  readonly #loses: (count: number) => boolean;
  readonly #misses: (count: number) => boolean;
  /** Numbers of the packets that came, from the first, counted on where 16 bits wrap. */
  readonly #came = new Set<number>();
  readonly #taken = new Set<number>();
  #highest: number | undefined;
  #first = 0;
  readonly #sent = new Map<number, Buffer>();
  #target = 0;
  #sequence = 65_500;
  #count = 0;
  #wantsKeyFrame = false;
  #wantsAnother = false;

  private constructor(port: number, rtp: Socket, rtcp: Socket, options: VideoPhoneOptions) {
    this.port = port;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#loses = options.loses ?? (() => false);
    this.#misses = options.misses ?? (() => false);
    rtp.on('message', (bytes, { port: source }) => this.#receive(bytes, source));
    rtcp.on('message', (bytes) => this.#feedback(bytes));
  }

  /** Packets that came. */
  get received(): number {
    return this.#came.size;
  }

  /** Asks whoever sends for a key frame. */
  requestKeyFrame(): void {
    this.#wantsAnother = true;
  }

  /** Numbers that never came. */
  get missing(): number[] {
    const all = Array.from({ length: (this.#highest ?? 0) - this.#first + 1 }, (_, index) => this.#first + index);
    return all.filter((number) => !this.#came.has(number));
  }

  static async open(scope: Scope, options: VideoPhoneOptions = {}): Promise<VideoPhone> {
    const { min } = await freePortRange(2);
    const [rtp, rtcp] = [createSocket('udp4'), createSocket('udp4')];
    for (const [index, socket] of [rtp, rtcp].entries()) {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind(min + index, loopback, resolve);
      });
      scope.defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));
    }
    return new VideoPhone(min, rtp, rtcp, options);
  }

  /**
   * Sends pictures, each a list of NAL units, 30 in a second; the first of them again when a key frame is asked for, from
   * which the others follow.
   *
   * @returns the index of each picture sent
   */
  async send(pictures: readonly (readonly Buffer[])[], target: number, count = pictures.length): Promise<number[]> {
    this.#target = target;
    const start = performance.now();
    const shown: number[] = [];
    let index = 0;
    for (let sent = 0; sent < count; sent++) {
      await sleep(Math.max(0, start + sent * pictureMs - performance.now()));
      if (this.#wantsKeyFrame) index = 0;
      this.#wantsKeyFrame = false;
      this.#picture(pictures[index] ?? [], Math.round(sent * pictureMs * 90));
      shown.push(index);
      index = (index + 1) % pictures.length;
    }
    return shown;
  }

  #picture(nals: readonly Buffer[], timestamp: number): void {
    const payloads = nals.flatMap(split);
    for (const [index, payload] of payloads.entries()) {
      const packet = Buffer.alloc(12 + payload.length);
      packet.writeUInt8(0x80, 0);
      packet.writeUInt8((index === payloads.length - 1 ? 0x80 : 0) | 102, 1);
      packet.writeUInt16BE(this.#sequence, 2);
      packet.writeUInt32BE(timestamp, 4);
      packet.writeUInt32BE(ssrc, 8);
      payload.copy(packet, 12);
      this.#sent.set(this.#sequence, packet);
      this.#sequence = (this.#sequence + 1) & 0xffff;
      if (this.#loses(this.#count++)) this.lost++;
      else this.#rtp.send(packet, this.#target, loopback);
    }
  }

  /** RFC 4585: reads NACK and PLI from a compound packet. */
  #feedback(bytes: Buffer): void {
    for (let at = 0; at + 4 <= bytes.length; at += 4 + bytes.readUInt16BE(at + 2) * 4) {
      const kind = `${bytes.readUInt8(at + 1)} ${bytes.readUInt8(at) & 0x1f}`;
      if (kind === '206 1') {
        this.keyFrameRequests.push(performance.now());
        this.#wantsKeyFrame = true;
      } else if (kind === '205 1') {
        const end = at + 4 + bytes.readUInt16BE(at + 2) * 4;
        for (let entry = at + 12; entry < end; entry += 4)
          this.#again(bytes.readUInt16BE(entry), bytes.readUInt16BE(entry + 2));
      }
    }
  }

  /** Asks for what is missing before each packet, again and again until it is there. */
  #receive(bytes: Buffer, source: number): void {
    const sequence = bytes.readUInt16BE(2);
    const highest = this.#highest ?? sequence - 1;
    if (this.#highest === undefined) this.#first = sequence;
    const number = highest + (((sequence - highest) << 16) >> 16);
    this.#highest = Math.max(highest, number);
    if (!this.#taken.has(number) && this.#misses(this.#taken.size)) this.missed++;
    else this.#came.add(number);
    this.#taken.add(number);
    const media = bytes.readUInt32BE(8);
    if (this.#wantsAnother) this.#rtcp.send(pli(media), source + 1, loopback);
    this.#wantsAnother = false;
    for (const gap of this.missing.filter((one) => one < number)) {
      this.#taken.add(gap);
      this.#rtcp.send(nack(media, gap & 0xffff), source + 1, loopback);
    }
  }

  #again(first: number, mask: number): void {
    for (let offset = 0; offset <= 16; offset++) {
      if (offset > 0 && ((mask >> (offset - 1)) & 1) === 0) continue;
      const sequence = (first + offset) & 0xffff;
      const packet = this.#sent.get(sequence);
      this.asked.push(sequence);
      if (packet !== undefined) this.#rtp.send(packet, this.#target, loopback);
    }
  }
}

/** An empty receiver report and a NACK for one packet (RFC 4585 section 6.2.1). */
function nack(media: number, sequence: number): Buffer {
  const packet = Buffer.alloc(24);
  packet.set([0x80, 201, 0, 1], 0);
  packet.writeUInt32BE(ssrc, 4);
  packet.set([0x81, 205, 0, 3], 8);
  packet.writeUInt32BE(ssrc, 12);
  packet.writeUInt32BE(media, 16);
  packet.writeUInt16BE(sequence, 20);
  return packet;
}

/** An empty receiver report and a PLI (RFC 4585 section 6.3.1). */
function pli(media: number): Buffer {
  const packet = Buffer.alloc(20);
  packet.set([0x80, 201, 0, 1], 0);
  packet.writeUInt32BE(ssrc, 4);
  packet.set([0x81, 206, 0, 2], 8);
  packet.writeUInt32BE(ssrc, 12);
  packet.writeUInt32BE(media, 16);
  return packet;
}

/** A NAL unit as one packet or as FU-A (RFC 6184 section 5.8). */
function split(nal: Buffer): Buffer[] {
  if (nal.length <= maxPacket) return [nal];
  const header = nal.readUInt8(0);
  const parts: Buffer[] = [];
  for (let at = 1; at < nal.length; at += maxPacket) {
    const start = at === 1 ? 0x80 : 0;
    const end = at + maxPacket >= nal.length ? 0x40 : 0;
    parts.push(
      Buffer.concat([Buffer.of((header & 0xe0) | 28, start | end | (header & 0x1f)), nal.subarray(at, at + maxPacket)]),
    );
  }
  return parts;
}

/** The pictures of a recording that repeats its parameter sets, as lists of NAL units: of an FLV video tag behind lengths of 4 octets. */
export function nalsOf(body: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  for (let at = 5; at + 4 < body.length; ) {
    const length = body.readUInt32BE(at);
    nals.push(body.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return nals;
}
