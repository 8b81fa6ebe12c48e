import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { plainAddress } from './tcp.js';

/** Proxies that are believed when they say, in X-Forwarded-For, for whom they ask. Anybody else could say what he likes. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /**
   * @param proxies addresses, such as `10.0.0.7`, and networks, such as `10.0.0.0/8`
   * @throws RangeError for anything else
   */
  constructor(proxies: readonly string[] = []) {
    for (const proxy of proxies) this.#add(proxy);
  }

  has(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  }

  /**
   * Each proxy appends the address that it was asked from: the client's is the last that is not a trusted proxy's own.
   * What is no address ends the search at the proxy that passed it on.
   */
  clientAddress({ socket, headers }: IncomingMessage): string {
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().flatMap((value) => value.split(','));
    let address = plainAddress(socket.remoteAddress ?? '');
    while (this.has(address)) {
      const before = withoutPort(forwarded.pop()?.trim() ?? '');
      if (isIP(before) === 0) break;
      address = plainAddress(before);
    }
    return address;
  }

  #add(proxy: string): void {
    const [address = '', prefix, ...rest] = proxy.split('/');
    const version = isIP(address);
    const bits = prefix === undefined ? Number.NaN : Number(prefix);
    const fits = prefix === undefined || (/^\d{1,3}$/.test(prefix) && bits <= (version === 4 ? 32 : 128));
    if (version === 0 || !fits || rest.length > 0) {
      throw new RangeError(`trusted proxy ${proxy} is neither an address nor a network like 10.0.0.0/8`);
    }
    const family = version === 4 ? 'ipv4' : 'ipv6';
    if (prefix === undefined) this.#list.addAddress(address, family);
    else this.#list.addSubnet(address, bits, family);
  }
}

/** Some proxies add the port: `192.0.2.1:5000`, `[2001:db8::1]:5000`. */
function withoutPort(text: string): string {
  const [, ipv6, ipv4] = /^(?:\[(.+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  return ipv6 ?? ipv4 ?? text;
}
