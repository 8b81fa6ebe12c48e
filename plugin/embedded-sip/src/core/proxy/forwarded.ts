import type { Headers } from '../../message/headers.js';
import type { SipRequest, SipResponse } from '../../message/message.js';
import { type HeaderLine, serialise, withoutTopVia } from '../../message/serialise.js';
import { hostPort } from '../../message/uri.js';
import type { LocalIdentity } from '../local-contact.js';
import { viaElement } from '../request-text.js';

/** Written anew in a request that is passed on. */
const REWRITTEN = new Set(['max-forwards', 'content-length', 'route']);

export interface Forwarding {
  readonly request: SipRequest;
  readonly uri: string;
  readonly branch: string;
  readonly local: LocalIdentity;
  /** What is left of the route set. */
  readonly routes: readonly string[];
  /** Whether later requests of the dialog shall come through here. */
  readonly recordRoute: boolean;
  /** Headers of the application, beside those of the request. */
  readonly added: Headers;
}

/** A request as a proxy passes it on (RFC 3261 section 16.6). */
export function forwardedRequest(forwarding: Forwarding): string {
  const { request, uri, branch, local, routes, recordRoute, added } = forwarding;
  const lines: HeaderLine[] = [['Via', viaElement(local, branch)]];
  if (recordRoute) lines.push(['Record-Route', recordRouteOf(local)]);
  for (const route of routes) lines.push(['Route', route]);
  for (const { name, key, value } of request.headers) if (!REWRITTEN.has(key)) lines.push([name, value]);
  lines.push(['Max-Forwards', String(hopsLeft(request) - 1)]);
  for (const { name, key, value } of added) if (!request.headers.has(key)) lines.push([name, value]);
  return serialise(`${request.method} ${uri} SIP/2.0`, lines, request.body);
}

/** CANCEL, or the ACK of a 3xx-6xx, of a request that has been passed on (sections 9.1 and 17.1.1.3). */
export function hopByHop(
  method: 'CANCEL' | 'ACK',
  { request, uri, branch, local, routes }: Forwarding,
  to: string,
): string {
  const { headers, callId, cseq } = request;
  const lines: HeaderLine[] = [['Via', viaElement(local, branch)]];
  for (const route of routes) lines.push(['Route', route]);
  lines.push(['Max-Forwards', '70'], ['From', headers.get('from') ?? ''], ['To', to]);
  lines.push(['Call-ID', callId], ['CSeq', `${cseq.number} ${method}`]);
  return serialise(`${method} ${uri} SIP/2.0`, lines);
}

/** A response on its way back: without our Via (section 16.7). */
export function forwardedResponse(response: SipResponse): string {
  const { headers, status, reason, body } = response;
  const lines: HeaderLine[] = withoutTopVia(headers.all('via')).map((value) => ['Via', value]);
  for (const { name, key, value } of headers) if (key !== 'via' && key !== 'content-length') lines.push([name, value]);
  return serialise(`SIP/2.0 ${status} ${reason}`, lines, body);
}

/** Max-Forwards, 70 where there is none (section 16.6 step 3). */
export function hopsLeft(request: SipRequest): number {
  return Number(request.headers.get('max-forwards') ?? 70);
}

function recordRouteOf({ host, port, protocol }: LocalIdentity): string {
  return `<sip:${hostPort(host, port)}${protocol === 'tcp' ? ';transport=tcp' : ''};lr>`;
}
