import type { IncomingMessage, ServerResponse } from 'node:http';

/** Browsers keep an answer for two hours at most. */
const PREFLIGHT_SECONDS = 7200;

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

  /**
   * Lets pages of the origins that may connect use HTTP tunnels too (Fetch standard, section 3.2: CORS).
   * @returns whether it was the browser's question beforehand, which is answered then
   */
  answerPreflight(request: IncomingMessage, response: ServerResponse): boolean {
    const { method, headers } = request;
    if (headers.origin === undefined || !this.allows(request)) return false;
    response.setHeader('Access-Control-Allow-Origin', headers.origin);
    response.setHeader('Vary', 'Origin');
    if (method !== 'OPTIONS' || headers['access-control-request-method'] !== 'POST') return false;
    response.writeHead(204, {
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': 'Content-Type',
      'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    });
    response.end();
    return true;
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
