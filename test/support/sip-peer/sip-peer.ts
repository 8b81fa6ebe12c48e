import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { PeerCall } from './peer-call.js';
import { headerOf, readSip } from './sip-message.js';

export interface SipPeerOptions {
  /** The SIP port of the server. */
  readonly gateway: number;
  /** Whether the next datagram is lost, either way. */
  readonly loses?: () => boolean;
}

const host = '127.0.0.1';
/** Milliseconds that a request may be repeated (RFC 3261 section 17: 64 * T1). */
const linger = 34_000;

/** Any number of telephones at one UDP socket. */
export class SipPeer {
  readonly #options: SipPeerOptions;
  readonly #socket: Socket;
  readonly #calls = new Map<string, PeerCall>();
  /** Who waits to be called, by name. */
  readonly #expected = new Map<string, (call: PeerCall) => void>();
  /** Of the calls in progress, by name. */
  readonly #callIds = new Map<string, string>();
  #made = 0;

  private constructor(socket: Socket, options: SipPeerOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on('message', (datagram) => this.#receive(datagram));
  }

  static async start(options: SipPeerOptions): Promise<SipPeer> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    socket.bind(0, host);
    await once(socket, 'listening');
    return new SipPeer(socket, options);
  }

  uri(name: string): string {
    return `sip:${name}@${host}:${this.#socket.address().port}`;
  }

  /** Resolves when this one is called. */
  expect(name: string): Promise<PeerCall> {
    return new Promise((resolve) => this.#expected.set(name, resolve));
  }

  call(uri: string, name: string): PeerCall {
    const call = this.#add(`${name}@peer`, name);
    call.call(uri, name);
    return call;
  }

  /** The call is of the past: for a while yet it answers what is repeated. */
  forget(name: string): void {
    this.#expected.delete(name);
    const callId = this.#callIds.get(name);
    this.#callIds.delete(name);
    if (callId === undefined) return;
    setTimeout(() => {
      this.#calls.get(callId)?.close();
      this.#calls.delete(callId);
    }, linger).unref();
  }

  close(): void {
    for (const call of this.#calls.values()) call.close();
    this.#socket.close();
  }

  #receive(datagram: Buffer): void {
    if (this.#options.loses?.()) return;
    const message = readSip(datagram);
    const callId = headerOf(message, 'call-id');
    const known = this.#calls.get(callId);
    if (known) {
      known.receive(datagram);
      return;
    }
    if (message.method !== 'INVITE') return;
    const call = this.#add(callId, message.user);
    call.receive(datagram);
    this.#expected.get(message.user)?.(call);
  }

  #add(callId: string, name: string): PeerCall {
    const { gateway, loses } = this.#options;
    const call = new PeerCall({
      callId,
      port: this.#socket.address().port,
      tag: `p${++this.#made}`,
      send: (datagram) => {
        if (!loses?.()) this.#socket.send(datagram, gateway, host);
      },
    });
    this.#calls.set(callId, call);
    this.#callIds.set(name, callId);
    return call;
  }
}
