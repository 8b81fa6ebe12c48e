import { Headers, splitList } from './headers.js';
import type { CSeq, SipMessage } from './message.js';
import { parsePeerAddress } from './name-addr.js';
import { parseVia } from './via.js';

export interface ParseLimits {
  /** Longest header or body line in bytes, without its line end. */
  readonly lineBytes: number;
  /** Most header lines in one message. */
  readonly headerCount: number;
}

export interface ParseFailure {
  readonly ok: false;
  readonly reason: string;
  /** What a request of this kind is answered with. */
  readonly status: 400 | 505;
  /** Present when the message looks like a request with a Via, so that an answer makes sense to its sender. */
  readonly answerable?: { readonly method: string; readonly headers: Headers };
}

export type ParseOutcome = { readonly ok: true; readonly message: SipMessage } | ParseFailure;

/** Spaces at the end do no harm. */
const REQUEST_LINE = /^([A-Za-z0-9\-.!%*_+`'~]+) ([^\s<>]+) (SIP\/\d+\.\d+) *$/i;
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i;
const LOOSE_REQUEST_LINE = /^([A-Za-z0-9\-.!%*_+`'~]+)\s.*SIP\/\d/i;
const HEADER_NAME = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
/** Line ends that end no line, and NUL, which may only be quoted in a display name (section 25.1, quoted-pair). */
const CONTROL = /[\r\n]|(?<!\\)\0/;
const SINGLE = ['from', 'to', 'call-id', 'cseq', 'content-length', 'max-forwards'];

/**
 * Parses one SIP message (RFC 3261 section 7, 25). Total: any text gives a message or a reason, in time linear in its length.
 * Bytes after the body that Content-Length announces are cut off, as section 18.3 wants it for datagrams.
 */
export function parseMessage(text: string, limits: ParseLimits): ParseOutcome {
  const firstEnd = text.indexOf('\r\n');
  const headEnd = text.indexOf('\r\n\r\n');
  if (firstEnd <= 0 || headEnd === -1) return fail('no header section');
  const startLine = text.slice(0, firstEnd);
  const request = REQUEST_LINE.exec(startLine);
  const status = request ? null : STATUS_LINE.exec(startLine);
  const method = (request ?? LOOSE_REQUEST_LINE.exec(startLine))?.[1];
  const { headers, problem } = parseHeaders(text, firstEnd, headEnd, limits);
  const refuse = (reason: string, code: 400 | 505 = 400): ParseFailure => {
    return status || !method || !headers.has('via')
      ? fail(reason)
      : { ok: false, reason, status: code, answerable: { method, headers } };
  };
  if (problem) return refuse(problem);
  if (!request && !status) return refuse('malformed start line');
  if (request && request[3]?.toUpperCase() !== 'SIP/2.0') return refuse('SIP version not supported', 505);

  const bodyStart = headEnd + 4;
  const bodyLength = contentLength(headers.get('content-length'), text.length - bodyStart);
  if (bodyLength === undefined) return refuse('Content-Length does not fit the message');
  const end = bodyStart + bodyLength;
  if (hasLongLine(text, end, limits.lineBytes)) return refuse(`a line longer than ${limits.lineBytes} bytes`);

  const core = parseCore(headers);
  if (typeof core === 'string') return refuse(core);
  const base = {
    headers,
    body: text.slice(bodyStart, end),
    text: end === text.length ? text : text.slice(0, end),
    ...core,
  };
  if (status) {
    return { ok: true, message: { kind: 'response', status: Number(status[1]), reason: status[2] ?? '', ...base } };
  }
  if (!request) return refuse('malformed start line');
  if (core.cseq.method !== request[1]) return refuse('CSeq names another method');
  // A response is taken for all that: nobody would tell its sender.
  if (hasBadContact(headers)) return refuse('malformed Contact');
  return { ok: true, message: { kind: 'request', method: request[1] ?? '', uri: request[2] ?? '', ...base } };
}

function fail(reason: string): ParseFailure {
  return { ok: false, reason, status: 400 };
}

function parseHeaders(text: string, firstEnd: number, headEnd: number, limits: ParseLimits) {
  const headers = new Headers();
  let problem: string | undefined;
  let at = firstEnd + 2;
  while (at < headEnd + 2) {
    let end = text.indexOf('\r\n', at);
    // A line that starts with white space continues the one before (section 7.3.1).
    while (end < headEnd && (text[end + 2] === ' ' || text[end + 2] === '\t')) end = text.indexOf('\r\n', end + 2);
    const line = text.slice(at, end);
    at = end + 2;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd();
    if (!HEADER_NAME.test(name)) {
      problem ??= 'malformed header line';
      continue;
    }
    if (headers.length >= limits.headerCount) return { headers, problem: `more than ${limits.headerCount} headers` };
    const value = line
      .slice(colon + 1)
      .replace(/\r\n[ \t]+/g, ' ')
      .trim();
    if (CONTROL.test(value)) problem ??= 'control character in a header';
    // Without it, as an answer to the malformed request repeats the header.
    headers.add(name, problem === undefined ? value : value.replace(/[\r\n\0]/g, ' '));
  }
  return { headers, problem };
}

function parseCore(headers: Headers) {
  for (const key of SINGLE) if (headers.all(key).length > 1) return `more than one ${key} header`;
  const via = parseVia(splitList(headers.get('via') ?? '')[0] ?? '');
  if (!via) return 'missing or malformed Via';
  const from = parsePeerAddress(headers.get('from') ?? '');
  if (!from) return 'missing or malformed From';
  const to = parsePeerAddress(headers.get('to') ?? '');
  if (!to) return 'missing or malformed To';
  const callId = headers.get('call-id');
  if (!callId || /\s/.test(callId)) return 'missing or malformed Call-ID';
  const cseq = parseCSeq(headers.get('cseq') ?? '');
  if (!cseq) return 'missing or malformed CSeq';
  return { via, from, to, callId, cseq };
}

function hasBadContact(headers: Headers): boolean {
  const values = headers.all('contact');
  if (values.includes('')) return true;
  return values.flatMap(splitList).some((value) => value !== '*' && !parsePeerAddress(value));
}

/** A sequence number fits in 32 bits and is followed by a method (RFC 3261 section 8.1.1.5 asks senders for less than 2^31). */
export function parseCSeq(value: string): CSeq | undefined {
  const match = /^(\d{1,10})\s+(\S+)$/.exec(value);
  const number = Number(match?.[1]);
  return match && number <= 0xffffffff ? { number, method: match[2] ?? '' } : undefined;
}

function contentLength(value: string | undefined, available: number): number | undefined {
  if (value === undefined) return available;
  if (!/^\d{1,9}$/.test(value)) return undefined;
  const length = Number(value);
  return length <= available ? length : undefined;
}

function hasLongLine(text: string, end: number, limit: number): boolean {
  if (end <= limit) return false;
  for (let at = 0; at < end; ) {
    const lineEnd = text.indexOf('\n', at);
    const stop = lineEnd === -1 || lineEnd > end ? end : lineEnd;
    if (stop - at > limit + 1) return true;
    at = stop + 1;
  }
  return false;
}
