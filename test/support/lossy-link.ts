import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { freePortRange, loopback } from './ports.js';
import type { Scope } from './scope.js';

/** Whether to lose the packet with this number, counted from 0, the first time that it goes. */
type Loses = (count: number) => boolean;

/** Five in a hundred, spread as by chance, and the same in each run. */
export function fivePercent(): Loses {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state % 20 === 0;
  };
}

export interface LossyLinkOptions {
  /** Even port of the pair of the phone. */
  readonly phone: number;
  readonly toPhone?: Loses;
  readonly fromPhone?: Loses;
}

/** One direction of a link. */
class Way {
  /** Numbers of the packets that were lost, and of those among them that came again. */
  readonly lost = new Set<number>();
  readonly repaired = new Set<number>();
  /** Milliseconds of a steady clock at which a packet was lost last. */
  lastLoss = 0;
  /** Feedback that passed, and when: packet type and format (RFC 4585 section 6.1). */
  readonly feedback: { readonly kind: string; readonly at: number }[] = [];
  readonly #seen = new Set<number>();
  /** How many packets had gone when each was lost. */
  readonly #lostAt = new Map<number, number>();
  readonly #loses: Loses;

  constructor(loses: Loses = () => false) {
    this.#loses = loses;
  }

  /** Of each packet that never came again, how many went after it: of the last ones nothing tells that they are missing. */
  get unrepaired(): number[] {
    const never = [...this.#lostAt].filter(([sequence]) => !this.repaired.has(sequence));
    return never.map(([, at]) => this.#seen.size - at);
  }

  /** Whether there was feedback of a kind after a moment. */
  tells(kind: string, after = 0): boolean {
    return this.feedback.some((one) => one.kind === kind && one.at > after);
  }

  passes(bytes: Buffer): boolean {
    const sequence = bytes.readUInt16BE(2);
    if (this.lost.has(sequence)) this.repaired.add(sequence);
    if (this.#seen.has(sequence)) return true;
    const loses = this.#loses(this.#seen.size);
    this.#seen.add(sequence);
    if (!loses) return true;
    this.lost.add(sequence);
    this.#lostAt.set(sequence, this.#seen.size);
    this.lastLoss = performance.now();
    return false;
  }

  report(bytes: Buffer): void {
    for (let at = 0; at + 4 <= bytes.length; at += 4 + bytes.readUInt16BE(at + 2) * 4) {
      const type = bytes.readUInt8(at + 1);
      const kind = `${type} ${bytes.readUInt8(at) & 0x1f}`;
      if (type === 205 || type === 206) this.feedback.push({ kind, at: performance.now() });
    }
  }
}

/** RTP and RTCP of one section between the gateway and a phone, some packets of which get lost, each once. */
export class LossyLink {
  /** Even port of the pair that the gateway is told of, and of the pair that the phone sends to. */
  readonly port: number;
  readonly phonePort: number;
  readonly toPhone: Way;
  readonly fromPhone: Way;
  readonly #sockets: readonly Socket[];
  /** The gateway's ports. */
  readonly #gateway: [rtp: number, rtcp: number] = [0, 0];

  private constructor(port: number, sockets: readonly Socket[], { phone, toPhone, fromPhone }: LossyLinkOptions) {
    this.port = port;
    this.phonePort = port + 2;
    this.toPhone = new Way(toPhone);
    this.fromPhone = new Way(fromPhone);
    this.#sockets = sockets;
    const relay = (from: number, action: (bytes: Buffer, source: RemoteInfo) => void) =>
      sockets[from]?.on('message', action);
    const send = (from: number, bytes: Buffer, to: number) => {
      if (to !== 0) this.#sockets[from]?.send(bytes, to, loopback);
    };
    relay(0, (bytes, source) => {
      this.#gateway[0] = source.port;
      if (this.toPhone.passes(bytes)) send(2, bytes, phone);
    });
    relay(1, (bytes, source) => {
      this.#gateway[1] = source.port;
      this.toPhone.report(bytes);
      send(3, bytes, phone + 1);
    });
    relay(2, (bytes) => {
      if (this.fromPhone.passes(bytes)) send(0, bytes, this.#gateway[0]);
    });
    relay(3, (bytes) => {
      this.fromPhone.report(bytes);
      send(1, bytes, this.#gateway[1]);
    });
  }

  static async open(scope: Scope, options: LossyLinkOptions): Promise<LossyLink> {
    const { min } = await freePortRange(4);
    const sockets = Array.from({ length: 4 }, () => createSocket('udp4'));
    for (const [index, socket] of sockets.entries()) {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind(min + index, loopback, resolve);
      });
      scope.defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));
    }
    return new LossyLink(min, sockets, options);
  }

  /** The gateway's even port, before it has sent anything. */
  connect(port: number): void {
    this.#gateway[0] = port;
    this.#gateway[1] = port + 1;
  }
}
