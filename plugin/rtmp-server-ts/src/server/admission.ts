import { RtmpError } from '../errors/rtmp-error.js';
import type { RtmpLimits } from '../session/limits.js';

/** Counts connections, in all and of each address: sockets, and what has none of its own: HTTP tunnel sessions, clients behind a proxy. */
export class Admission {
  readonly #limits: RtmpLimits;
  readonly #isProxy: (address: string) => boolean;
  readonly #perAddress = new Map<string, number>();
  #total = 0;

  /** @param isProxy whether an address stands for many clients, and so has no limit of its own */
  constructor(limits: RtmpLimits, isProxy: (address: string) => boolean) {
    this.#limits = limits;
    this.#isProxy = isProxy;
  }

  /** @returns why it is refused; undefined when it counts from now on, until {@link release} */
  admit(address: string): RtmpError | undefined {
    const { connections, connectionsPerAddress } = this.#limits;
    const fromAddress = this.#perAddress.get(address) ?? 0;
    if (this.#total >= connections) return new RtmpError('server.connections', `${connections} connections are open`);
    if (fromAddress >= connectionsPerAddress && !this.#isProxy(address)) {
      return new RtmpError(
        'server.connections-per-address',
        `${connectionsPerAddress} connections from ${address} are open`,
      );
    }
    this.#total += 1;
    this.#perAddress.set(address, fromAddress + 1);
    return undefined;
  }

  release(address: string): void {
    this.#total -= 1;
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}
