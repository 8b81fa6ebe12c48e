import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { EventLog } from './event-log.js';
import { freePortRange, loopback } from './ports.js';
import type { Scope } from './scope.js';

/** RFC 3550 section 5.1. */
export interface RtpPacket {
  /** Milliseconds of a steady clock, on arrival. */
  readonly at: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

export interface RtpPeerOptions {
  /** What becomes of each packet that is echoed: by default it is sent once, at once. */
  readonly network?: (packet: Buffer, send: (packet: Buffer) => void) => void;
}

/** The media side of a SIP phone: records every RTP packet that comes, and may send them back. */
export class RtpPeer {
  readonly port: number;
  readonly packets: EventLog<RtpPacket>;
  /** When set, what comes goes back to where it came from, under this payload type. */
  echoAs: number | undefined;
  readonly #socket: Socket;
  #closed = false;

  private constructor(socket: Socket, port: number, options: RtpPeerOptions) {
    this.port = port;
    this.packets = new EventLog<RtpPacket>(`RTP peer ${port}`, ({ sequence, timestamp, payload }) =>
      JSON.stringify({ sequence, timestamp, bytes: payload.length }),
    );
    this.#socket = socket;
    socket.on('message', (data, from) => this.#receive(data, from, options));
  }

  static async open(scope: Scope, options: RtpPeerOptions = {}): Promise<RtpPeer> {
    const socket = createSocket('udp4');
    const { min } = await freePortRange(2);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(min, loopback, resolve);
    });
    const peer = new RtpPeer(socket, min, options);
    scope.defer(() => peer.#close());
    return peer;
  }

  send(packet: Omit<RtpPacket, 'at'>, port: number, host = loopback): void {
    void this.sendOctets(writeRtp(packet), port, host);
  }

  /** Sends octets that need not be RTP. */
  sendOctets(octets: Uint8Array, port: number, host = loopback): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(octets, port, host, (error) => (error ? reject(error) : resolve()));
    });
  }

  async waitPackets(count: number): Promise<readonly RtpPacket[]> {
    await this.packets.find(`${count} packets`, () => this.packets.all.length >= count);
    return this.packets.all;
  }

  #close(): Promise<void> {
    this.#closed = true;
    return new Promise((resolve) => this.#socket.close(resolve));
  }

  #receive(data: Buffer, from: RemoteInfo, { network }: RtpPeerOptions): void {
    const packet = readRtp(data);
    if (!packet) return;
    this.packets.push(packet);
    if (this.echoAs === undefined) return;
    // A network may hold packets for longer than the peer is there.
    const send = (bytes: Buffer) => {
      if (!this.#closed) this.#socket.send(bytes, from.port, from.address);
    };
    const echoed = writeRtp({ ...packet, payloadType: this.echoAs });
    if (network) network(echoed, send);
    else send(echoed);
  }
}

function readRtp(data: Buffer): RtpPacket | undefined {
  if (data.length < 12 || data.readUInt8(0) >> 6 !== 2) return undefined;
  const contributing = data.readUInt8(0) & 0x0f;
  return {
    at: performance.now(),
    marker: data.readUInt8(1) >= 0x80,
    payloadType: data.readUInt8(1) & 0x7f,
    sequence: data.readUInt16BE(2),
    timestamp: data.readUInt32BE(4),
    ssrc: data.readUInt32BE(8),
    payload: data.subarray(12 + 4 * contributing),
  };
}

export function writeRtp({ marker, payloadType, sequence, timestamp, ssrc, payload }: Omit<RtpPacket, 'at'>): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8((marker ? 0x80 : 0) | payloadType, 1);
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(ssrc, 8);
  return Buffer.concat([header, payload]);
}
