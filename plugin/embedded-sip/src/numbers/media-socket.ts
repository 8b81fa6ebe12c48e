import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

const PAIR_ATTEMPTS = 30;

/** A pair of UDP sockets, RTP on an even port and RTCP on the next one (RFC 3550 section 11). */
export class MediaSocket {
  readonly port: number;
  readonly #rtp: Socket;
  readonly #rtcp: Socket;
  #closed = false;

  private constructor(rtp: Socket, rtcp: Socket) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.port = rtp.address().port;
    // What the network says about a packet sent earlier is nothing the call can act on.
    rtp.on('error', () => undefined);
    rtcp.on('error', () => undefined);
  }

  /** Binds the pair on ephemeral ports of that address. Rejects when the system has none. */
  static async open(address: string): Promise<MediaSocket> {
    for (let attempt = 1; ; attempt++) {
      const first = await bind(address, 0);
      const port = first.address().port;
      const even = port % 2 === 0;
      try {
        const second = await bind(address, even ? port + 1 : port - 1);
        return even ? new MediaSocket(first, second) : new MediaSocket(second, first);
      } catch (error) {
        first.close();
        if (attempt === PAIR_ATTEMPTS) throw error;
      }
    }
  }

  onPacket(listener: (packet: Buffer, from: RemoteInfo) => void): void {
    this.#rtp.on('message', listener);
  }

  send(packet: Buffer, port: number, address: string): void {
    if (!this.#closed) this.#rtp.send(packet, port, address, () => undefined);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rtp.close();
    this.#rtcp.close();
  }
}

function bind(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
