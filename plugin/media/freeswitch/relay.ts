import { randomUUID } from 'node:crypto';
import type { SessionDescription } from '../../call/session-description.js';
import type { DirectMedia } from '../direct.js';
import { audioOf, type FarEnd } from '../negotiation/far-end.js';
import { type MediaClock, systemClock } from '../network/clock.js';
import { RtpChannel, type RtpSink } from '../network/rtp-channel.js';
import type { RtpSockets } from '../network/rtp-sockets.js';
import { isPort } from '../rtp/media-target.js';
import type { RtpPacket } from '../rtp/rtp.js';
import { describe, spoken } from './served-formats.js';

type Sender = Pick<RtpChannel, 'sendRtp' | 'sendRtcp'>;

interface RelayOptions {
  readonly failed: (reason: string) => void;
  readonly clock: MediaClock;
  readonly release: (port: number) => void;
}

/** A payload type that the far end sends under, and what the server knows it as. */
export type PayloadTypes = ReadonlyMap<number, number>;

/**
 * RTP and RTCP between the socket that faces the far end and a channel of FreeSWITCH, as they are; only the numbers of
 * payload types change on the way to the server, which receives under those that it sends with.
 */
export class Relay implements RtpSink {
  /** Packets to the server and from it. */
  toServer = 0;
  toFarEnd = 0;
  readonly #host: string;
  readonly #sockets: RtpSockets;
  readonly #release: (port: number) => void;
  readonly #channel: RtpChannel;
  /** Sends to the far end. */
  #farEnd: Sender | undefined;
  #far: FarEnd | undefined;
  #payloadTypes: PayloadTypes = new Map();
  #closed = false;

  static async open(
    direct: DirectMedia,
    host: string,
    failed: (reason: string) => void,
    clock = systemClock,
  ): Promise<Relay> {
    return new Relay(host, await direct.openSockets(host), { failed, clock, release: direct.release });
  }

  private constructor(host: string, sockets: RtpSockets, { failed, clock, release }: RelayOptions) {
    this.#host = host;
    this.#sockets = sockets;
    this.#release = release;
    this.#channel = new RtpChannel({ callId: randomUUID(), host, sockets, clock, failed });
  }

  /** What the server is told: our own socket, and what the far end speaks, under the far end's numbers. */
  description(far: FarEnd): SessionDescription {
    return describe(this.#host, this.#sockets.port, spoken(far), 'sendrecv');
  }

  /** Relays from now on, between this far end and the channel that described itself so. */
  join(farEnd: Sender, far: FarEnd, payloadTypes: PayloadTypes, server: SessionDescription): void {
    this.#farEnd = farEnd;
    this.#far = far;
    this.#payloadTypes = payloadTypes;
    const { address = server.address, port } = audioOf(server);
    const fromServer: RtpSink = {
      expects: (payloadType) => payloadType === far.format.payloadType || payloadType === far.events?.payloadType,
      rtp: (packet) => this.#fromServer(packet),
      rtcp: (bytes) => this.#farEnd?.sendRtcp(bytes),
    };
    this.#channel.open(fromServer, { host: address, port, rtcpPort: isPort(port + 1) ? port + 1 : 0 });
  }

  /** Sends nothing to the far end until {@link join} says what it wants. */
  pause(): void {
    this.#far = undefined;
  }

  expects(payloadType: number): boolean {
    return this.#payloadTypes.has(payloadType);
  }

  rtp({ bytes, payloadType, marker }: RtpPacket): void {
    const known = this.#payloadTypes.get(payloadType);
    if (known === undefined) return;
    bytes[1] = (marker ? 0x80 : 0) | known;
    this.toServer++;
    this.#channel.sendRtp(asBuffer(bytes));
  }

  rtcp(bytes: Buffer): void {
    this.#channel.sendRtcp(bytes);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#farEnd = undefined;
    this.#channel.close();
    this.#release(this.#sockets.port);
  }

  #fromServer({ bytes }: RtpPacket): void {
    if (!this.#far?.sending) return;
    this.toFarEnd++;
    this.#farEnd?.sendRtp(asBuffer(bytes));
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
