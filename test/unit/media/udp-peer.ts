import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { parseRtcp, type RtcpPacket } from '../../../plugin/media/rtp/rtcp.js';
import { buildRtp, parseRtp, type RtpPacket } from '../../../plugin/media/rtp/rtp.js';
import type { Scope } from '../../support/scope.js';
import { wideband } from './speex-frames.js';

export interface RtpChanges {
  readonly payloadType?: number;
  readonly ssrc?: number;
  readonly payload?: Uint8Array;
}

/** The far end's socket: keeps what it gets. */
export class UdpPeer {
  readonly received: { readonly bytes: Buffer; readonly source: RemoteInfo }[] = [];
  readonly port: number;
  readonly #socket: Socket;
  readonly #host: string;
  #closed = false;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    this.port = socket.address().port;
    socket.on('message', (bytes, source) => this.received.push({ bytes, source }));
  }

  static async open(scope: Scope, { host = '127.0.0.1', port = 0 } = {}): Promise<UdpPeer> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    const peer = new UdpPeer(socket, host);
    scope.defer(() => peer.close());
    return peer;
  }

  get rtp(): RtpPacket[] {
    return this.received.map(({ bytes }) => {
      const packet = parseRtp(bytes);
      if (typeof packet === 'string') throw new Error(packet);
      return packet;
    });
  }

  get rtcp(): RtcpPacket['type'][][] {
    return this.received.map(({ bytes }) => {
      const packets = parseRtcp(bytes);
      if (typeof packets === 'string') throw new Error(packets);
      return packets.map(({ type }) => type);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  /** Resolves when the datagram is in the receiver's socket: on loopback, order of sending is order of arrival. */
  send(bytes: Uint8Array, port: number, address = this.#host): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, port, address, (error) => (error ? reject(error) : resolve()));
    });
  }

  async sendRtp(port: number, sequence: number, changes: RtpChanges = {}, address?: string): Promise<void> {
    const { payloadType = 96, ssrc = 77, payload = wideband(sequence) } = changes;
    const header = { payloadType, marker: false, sequence, timestamp: sequence * 320, ssrc };
    await this.send(buildRtp(header, payload), port, address);
  }
}
