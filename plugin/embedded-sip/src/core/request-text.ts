import { headerDisplayName } from '../message/header-name.js';
import type { Headers } from '../message/headers.js';
import { type HeaderLine, serialise } from '../message/serialise.js';
import { uriHost } from '../message/uri.js';
import { type LocalIdentity, replaceLocalhost } from './local-contact.js';

/** The headers the server itself decides about. */
export interface RequestFields {
  readonly method: string;
  readonly uri: string;
  readonly branch: string;
  readonly routes: readonly string[];
  readonly maxForwards: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly sequence: number;
  readonly contact: string | undefined;
}

/** Written by the server, or dropped because a user must not set them. */
const NOT_FROM_USER = new Set([
  'via',
  'route',
  'record-route',
  'rseq',
  'content-length',
  'max-forwards',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
]);

/** In a CANCEL or ACK a user may add headers, but not change what the request is about. */
export const NOT_IN_CANCEL = new Set(['content-type', 'require', 'proxy-require', 'supported', 'allow']);

export function requestText(fields: RequestFields, user: Headers, body: string, local: LocalIdentity): string {
  const lines: HeaderLine[] = [['Via', viaElement(local, fields.branch)]];
  for (const route of fields.routes) lines.push(['Route', route]);
  lines.push(['Max-Forwards', fields.maxForwards]);
  lines.push(['From', fields.from], ['To', fields.to], ['Call-ID', fields.callId]);
  lines.push(['CSeq', `${fields.sequence} ${fields.method}`]);
  if (fields.contact !== undefined) lines.push(['Contact', fields.contact]);
  lines.push(...userLines(user, body, local));
  return serialise(`${fields.method} ${fields.uri} SIP/2.0`, lines, body);
}

/** The user's own headers in their wire spelling, with Content-Type added to SDP that has none. */
export function userLines(user: Headers, body: string, local: LocalIdentity): HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (const { name, key, value } of user) {
    if (NOT_FROM_USER.has(key) || (key === 'content-type' && body === '')) continue;
    const text = key === 'p-asserted-identity' ? replaceLocalhost(value, local) : value;
    lines.push([headerDisplayName(name), text]);
  }
  if (body !== '' && !user.has('content-type')) lines.push(['Content-Type', 'application/sdp']);
  return lines;
}

/** Whether the type of a body is given, or SDP by its look. */
export function hasBodyType(user: Headers, body: string): boolean {
  return body === '' || user.has('content-type') || isDescription(body);
}

/** Whether a body looks like SDP. */
export function isDescription(body: string): boolean {
  return body.startsWith('v=0');
}

/** Our element of Via. */
export function viaElement(local: LocalIdentity, branch: string): string {
  const port = local.port === 5060 ? '' : `:${local.port}`;
  const rport = local.protocol === 'udp' ? ';rport' : '';
  return `SIP/2.0/${local.protocol.toUpperCase()} ${uriHost(local.host)}${port}${rport};branch=${branch}`;
}
