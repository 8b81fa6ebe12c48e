import type { IncomingMessage } from 'node:http';

/**
 * Which web pages may connect. Only a browser tells the page, and only a page needs this: any other program sends what it likes, or, as most
 * do, no Origin at all; such a request is allowed.
 */
export class Origins {
  readonly #any: boolean;
  readonly #listed: ReadonlySet<string> | undefined;
  /** Host names for Flash, `*` for all; none when only the same host is allowed. */
  readonly domains: readonly string[];

  /**
   * @param origins such as `https://phone.example.com`, or `*`; undefined allows pages of the host that the request is for
   * @throws RangeError for anything else
   */
  constructor(origins?: readonly string[]) {
    this.#any = origins?.includes('*') ?? false;
    const urls = origins?.filter((origin) => origin !== '*').map(parseOrigin);
    this.#listed = urls && new Set(urls.map(({ origin }) => origin));
    this.domains = this.#any ? ['*'] : [...new Set(urls?.map(({ hostname }) => hostname))];
  }

  allows({ headers: { origin, host } }: IncomingMessage): boolean {
    if (this.#any || origin === undefined) return true;
    if (!URL.canParse(origin)) return false;
    const url = new URL(origin);
    return this.#listed === undefined ? isSameHost(url, host) : this.#listed.has(url.origin);
  }
}

function parseOrigin(origin: string): URL {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url !== undefined && url.origin === origin) return url;
  throw new RangeError(`origin ${origin} is neither like https://example.com nor *`);
}

/** The scheme is that of the page, so that a default port may be written out on either side. */
function isSameHost({ protocol, host: wanted }: URL, host: string | undefined): boolean {
  const url = `${protocol}//${host}`;
  return host !== undefined && URL.canParse(url) && new URL(url).host === wanted;
}
