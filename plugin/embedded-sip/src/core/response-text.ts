import type { Headers } from '../message/headers.js';
import { type HeaderLine, responseHead, serialise } from '../message/serialise.js';
import type { OutgoingResponse } from '../transaction-user.js';
import { defaultContact, type LocalIdentity } from './local-contact.js';
import { userLines } from './request-text.js';
import type { ServerEntry } from './server-entry.js';

/** Methods whose 2xx names the address for later requests of the dialog. */
const CONTACT_IN_SUCCESS = new Set(['INVITE', 'SUBSCRIBE', 'UPDATE']);

/** The text of a user's response; the headers that the transaction and dialog decide about are not the user's. */
export function responseText(
  entry: ServerEntry,
  response: OutgoingResponse,
  local: LocalIdentity,
  reliableSequence: number | undefined,
  extra: readonly HeaderLine[],
): string {
  const { request } = entry;
  const { status, headers, body } = response;
  const lines: HeaderLine[] = responseHead(request.headers, status === 100 ? undefined : entry.toTag);
  const makesDialog = request.method === 'INVITE' || request.method === 'SUBSCRIBE';
  if (makesDialog && status > 100 && status < 300) {
    for (const value of request.headers.all('record-route')) lines.push(['Record-Route', value]);
  }
  const given = headers.all('contact');
  for (const value of given) lines.push(['Contact', value]);
  const success = status >= 200 && status < 300 && CONTACT_IN_SUCCESS.has(request.method);
  if (given.length === 0 && (success || reliableSequence !== undefined)) lines.push(['Contact', defaultContact(local)]);
  if (reliableSequence !== undefined) lines.push(['RSeq', String(reliableSequence)]);
  lines.push(...extra, ...userLines(headers, body, local));
  return serialise(`SIP/2.0 ${status} ${response.reason}`, lines, body);
}

/** A response that the server gives by itself. */
export function plainResponse(
  request: Headers,
  status: number,
  reason: string,
  toTag?: string,
  extra: readonly HeaderLine[] = [],
): string {
  return serialise(`SIP/2.0 ${status} ${reason}`, [...responseHead(request, toTag), ...extra]);
}

/** Whether a header lists an option tag (Supported, Require). */
export function lists(headers: Headers, key: string, option: string): boolean {
  return headers.list(key).some((value) => value.toLowerCase() === option);
}
