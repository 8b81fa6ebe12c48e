import { partsOf } from './host-port.js';
import { parseNameAddr, splitAddresses } from './name-addr.js';

/** Service routes kept at once; what does not fit goes the ordinary way. */
const maxServiceRoutes = 20_000;

/**
 * Where requests outside of dialogs go next, when it is not where their Request-URI says. A drachtio server sends no Route
 * header that an application gives it, only to a next hop that it names.
 */
export class Routing {
  readonly #outboundProxy: string | undefined;
  /** By address, and by who has registered it. */
  readonly #serviceRoutes = new Map<string, Map<object, string>>();

  /** @param outboundProxy Host, and port and transport if need be, or a SIP URI. */
  constructor(outboundProxy?: string) {
    this.#outboundProxy = outboundProxy === undefined ? undefined : hopOf(outboundProxy);
  }

  /** Where the REGISTERs of all clients go. */
  get outboundProxy(): string | undefined {
    return this.#outboundProxy;
  }

  /** Where the requests of this address go. */
  nextHop(from: string): string | undefined {
    return this.#serviceRoutes.get(from)?.values().next().value ?? this.#outboundProxy;
  }

  /** Keeps what a registrar says about the way for the requests of an address: its first hop (RFC 3608 section 5). */
  serviceRoute(address: string, registration: object, header: string): void {
    const uri = parseNameAddr(splitAddresses(header)[0] ?? '')?.uri;
    const hop = uri === undefined ? undefined : hopOf(uri);
    const routes = this.#serviceRoutes.get(address) ?? new Map<object, string>();
    if (hop === undefined) this.forget(address, registration);
    else if (this.#serviceRoutes.size < maxServiceRoutes)
      this.#serviceRoutes.set(address, routes.set(registration, hop));
  }

  /** The registration has ended. */
  forget(address: string, registration: object): void {
    const routes = this.#serviceRoutes.get(address);
    routes?.delete(registration);
    if (routes?.size === 0) this.#serviceRoutes.delete(address);
  }
}

/** A next hop as a drachtio server takes it, with its transport named; undefined for what is no SIP URI. */
function hopOf(text: string): string | undefined {
  const { scheme, host, port, rest = '' } = partsOf(text);
  if (host === undefined) return undefined;
  const hostPort = port === undefined ? host : `${host}:${port}`;
  const transport = /;transport=(udp|tcp|tls)(?:[;?]|$)/i.exec(rest)?.[1]?.toLowerCase();
  if (scheme?.toLowerCase() === 'sips' || transport === 'tls') return `sips:${hostPort};transport=tls`;
  return `sip:${hostPort};transport=${transport ?? 'udp'}`;
}
