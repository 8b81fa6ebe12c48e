import { newBranch, newTag, newUuid } from '../ids.js';
import { tagOf } from '../message/message.js';
import { formatNameAddr, parseNameAddr, withTag } from '../message/name-addr.js';
import { parseCSeq } from '../message/parser.js';
import { hostPort, parseSipUri, type SipUri } from '../message/uri.js';
import type { OutgoingRequest } from '../transaction-user.js';
import type { Protocol } from '../transport/types.js';
import { defaultContact, type LocalIdentity, replaceLocalhost, rewriteContact } from './local-contact.js';
import type { RequestFields } from './request-text.js';

/** Requests that tell the peer where to send later ones. */
const WITH_CONTACT = new Set(['INVITE', 'SUBSCRIBE']);
const WITH_CONTACT_IN_DIALOG = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'UPDATE']);

/** The server's part of a request outside a dialog: what the user left out is filled in. Undefined when a given header is malformed. */
export function fieldsOutsideDialog(
  request: OutgoingRequest,
  local: LocalIdentity,
  sequence: number,
): RequestFields | string {
  const { headers, method, uri } = request;
  const from = parseNameAddr(
    replaceLocalhost(headers.get('from') ?? `<sip:${hostPort(local.host, local.port)}>`, local),
  );
  if (!from) return `invalid From header: ${headers.get('from')}`;
  const to = parseNameAddr(replaceLocalhost(headers.get('to') ?? uri, local));
  if (!to) return `invalid To header: ${headers.get('to')}`;
  const cseq = parseCSeq(headers.get('cseq') ?? '');
  return {
    method,
    uri,
    branch: newBranch(),
    routes: [],
    maxForwards: headers.get('max-forwards') ?? '70',
    from: formatNameAddr(tagOf(from) === undefined ? withTag(from, newTag()) : from),
    to: formatNameAddr(to),
    callId: headers.get('call-id') ?? newUuid(),
    sequence: cseq?.number ?? sequence,
    contact: contactOf(request, local, WITH_CONTACT),
  };
}

export function contactInDialog(request: OutgoingRequest, local: LocalIdentity): string | undefined {
  return contactOf(request, local, WITH_CONTACT_IN_DIALOG);
}

function contactOf(request: OutgoingRequest, local: LocalIdentity, needed: ReadonlySet<string>): string | undefined {
  const given = request.headers.get('contact');
  if (given === undefined) return needed.has(request.method) ? defaultContact(local) : undefined;
  const replaced = replaceLocalhost(given, local);
  return request.method === 'REGISTER' ? replaced : rewriteContact(replaced, local);
}

export type NextHop =
  | { readonly kind: 'hop'; readonly uri: SipUri; readonly protocol: Protocol }
  /** There is no transport for the scheme: answered with a made-up 416. */
  | { readonly kind: 'sips' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Where a request goes next, and over which transport (UDP unless the URI says otherwise). */
export function nextHopOf(text: string, startLine: string): NextHop {
  const uri = parseSipUri(text);
  if (!uri) return { kind: 'refused', reason: `invalid request-uri: ${startLine}` };
  if (uri.scheme === 'sips') return { kind: 'sips' };
  const transport = uri.params.get('transport')?.toLowerCase() ?? 'udp';
  if (transport !== 'udp' && transport !== 'tcp')
    return { kind: 'refused', reason: 'requested protocol/transport not available' };
  return { kind: 'hop', uri, protocol: transport };
}
