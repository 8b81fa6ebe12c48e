/** Host and port of a SIP URI, the host in lower case. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export const sipPort = 5060;
const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1', '[::1]']);

/** Its parts as they stand there (RFC 3261 section 25.1). What ends a host may stand in the userinfo. */
const sipUri =
  /^(?:(?<scheme>sips?):(?:(?<userinfo>[^@]*)@)?)?(?<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?<port>\d{1,5}))?(?<rest>[;?].*)?$/is;

/** The parts of a SIP URI, or of `host[:port]`; none of what is neither. */
export function partsOf(uri: string): Readonly<Record<string, string | undefined>> {
  return sipUri.exec(uri)?.groups ?? {};
}

/** Reads host and port of a SIP URI, of `host[:port]`, or of a server's address such as `udp/127.0.0.1:5060`. */
export function hostPortOf(text: string): HostPort | undefined {
  const { host, port } = partsOf(text.replace(/^\w+\//, ''));
  return host === undefined ? undefined : { host: host.toLowerCase(), port: Number(port ?? sipPort) };
}

/** A server's addresses as it names them at the login: the one for UDP first, none for TLS. */
export function serverAddresses(addresses: readonly string[]): readonly HostPort[] {
  const isUdp = (address: string) => Number(address.startsWith('udp/'));
  const plain = addresses.filter((address) => !address.startsWith('tls/'));
  return plain.sort((a, b) => isUdp(b) - isUdp(a)).flatMap((address) => hostPortOf(address) ?? []);
}

/** Whether a SIP URI leads to a server that has these addresses. */
export function leadsTo(servers: readonly HostPort[], uri: string): boolean {
  const given = hostPortOf(uri);
  const isIt = ({ host, port }: HostPort) =>
    port === given?.port && (host === given.host || (loopbackNames.has(host) && loopbackNames.has(given.host)));
  return servers.some(isIt);
}
