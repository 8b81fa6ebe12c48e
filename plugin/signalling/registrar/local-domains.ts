import { type HostPort, hostPortOf, leadsTo, serverAddresses, sipPort } from '../addresses/host-port.js';

/**
 * The domains whose addresses are looked up here. They are one and the same: bob of one is bob of all. The SIP server's own
 * address is always one of them, its port may stand behind the others.
 */
export class LocalDomains {
  readonly #names: readonly HostPort[];
  readonly #first: HostPort | undefined;
  readonly #addresses: () => readonly string[];

  /**
   * @param names `host[:port]` each; the first stands in addresses that have none, without it the SIP server's own.
   * @param addresses The SIP server's own, as it names them at the login.
   * @param more Further names.
   */
  constructor(names: readonly string[], addresses: () => readonly string[], more: readonly string[] = []) {
    this.#names = [...names, ...more].flatMap((name) => hostPortOf(name) ?? []);
    this.#first = hostPortOf(names[0] ?? '');
    this.#addresses = addresses;
  }

  /** Whether the address of a SIP URI is looked up here. */
  has(uri: string): boolean {
    const given = hostPortOf(uri);
    const own = this.#own;
    const isOwnPort = own.some(({ port }) => port === given?.port);
    const isOf = ({ host, port }: HostPort) => host === given?.host && (port === given.port || isOwnPort);
    return this.#names.some(isOf) || leadsTo(own, uri);
  }

  /** As {@link has}, of a request that came to the server: phones leave the port out of addresses that they were given with it. */
  hasHere(uri: string): boolean {
    const withPort = (port: number) => uri.replace(/^(sips?:[^@;?]*@[^:;?]*|sips?:[^:@;?]*)(?=[;?]|$)/i, `$1:${port}`);
    return this.has(uri) || this.#own.some(({ port }) => this.has(withPort(port)));
  }

  /** Whether a SIP URI leads to the SIP server itself. */
  isServer(uri: string): boolean {
    return leadsTo(this.#own, uri);
  }

  /** Where requests for local addresses go: the SIP server itself. Undefined while it is not known. */
  get server(): string | undefined {
    const [own] = this.#own;
    return own && `sip:${own.host}:${own.port};transport=udp`;
  }

  /** Host part of local addresses when none is given. */
  get preferred(): string | undefined {
    const name = this.#first ?? this.#own[0];
    return name && (name.port === sipPort ? name.host : `${name.host}:${name.port}`);
  }

  get #own(): readonly HostPort[] {
    return serverAddresses(this.#addresses());
  }
}
