import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { ListenError } from '../errors.js';
import { isIpv6, isLoopback } from './local-address.js';
import { RefusalWatch } from './refusal-watch.js';
import type { Target, TransportEvents } from './types.js';

/** SIP over UDP on one port. */
export class UdpTransport {
  readonly port: number;
  readonly #host: string;
  readonly #socket: Socket;
  readonly #events: TransportEvents;
  readonly #watch: RefusalWatch | undefined;
  #closed = false;

  private constructor(socket: Socket, host: string, events: TransportEvents) {
    this.#socket = socket;
    this.#host = host;
    this.#events = events;
    this.port = socket.address().port;
    const receive = (data: Buffer, remote: RemoteInfo) => this.#receive(data, remote);
    if (isLoopback(host))
      this.#watch = new RefusalWatch(host, this.port, receive, (target) => events.onUnreachable(target));
    socket.on('message', receive);
    socket.on('error', () => undefined);
  }

  /** @throws ListenError */
  static async bind(host: string, port: number, events: TransportEvents): Promise<UdpTransport> {
    // The refusal watch needs SO_REUSEADDR, which would hide that the port is taken: an exclusive socket looks first.
    const probe = await bindSocket(host, port, false);
    if (!isLoopback(host)) return new UdpTransport(probe, host, events);
    const free = probe.address().port;
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    return new UdpTransport(await bindSocket(host, free, true), host, events);
  }

  send(text: string, target: Target): void {
    if (this.#closed) return;
    const data = Buffer.from(text, 'latin1');
    const transmit = () => {
      if (this.#closed) return;
      this.#socket.send(data, target.port, target.address, (error) => {
        if (error && !this.#closed) this.#events.onUnreachable(target);
      });
    };
    if (this.#watch) this.#watch.before(target, transmit);
    else transmit();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watch?.close();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #receive(data: Buffer, remote: RemoteInfo): void {
    if (this.#closed) return;
    // RFC 5626 keep-alive, answered like the one over TCP costs nothing but is only asked for over streams.
    if (data.length <= 4 && /^[\r\n\0]*$/.test(data.toString('latin1'))) return;
    this.#events.onMessage(data.toString('latin1'), {
      protocol: 'udp',
      remoteAddress: remote.address,
      remotePort: remote.port,
      localAddress: this.#host,
      localPort: this.port,
    });
  }
}

function bindSocket(host: string, port: number, reuseAddr: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: isIpv6(host) ? 'udp6' : 'udp4',
      reuseAddr,
      ipv6Only: isIpv6(host),
      recvBufferSize: 1 << 20,
    });
    socket.once('error', (error) => {
      socket.close();
      reject(new ListenError('SIP over UDP', host, port, error));
    });
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
