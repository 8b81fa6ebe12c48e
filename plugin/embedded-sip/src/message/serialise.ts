import { type Headers, splitList } from './headers.js';

export type HeaderLine = readonly [name: string, value: string];

/** A complete message; Content-Length is always written and always right. */
export function serialise(startLine: string, headers: Iterable<HeaderLine>, body = ''): string {
  let text = `${startLine}\r\n`;
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  return `${text}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** The headers every response copies from its request (RFC 3261 section 8.2.6.2); toTag is added to a To without one. */
export function responseHead(request: Headers, toTag?: string): HeaderLine[] {
  const lines: HeaderLine[] = request.all('via').map((value) => ['Via', value]);
  const to = request.get('to');
  const from = request.get('from');
  const callId = request.get('call-id');
  const cseq = request.get('cseq');
  if (from !== undefined) lines.push(['From', from]);
  if (to !== undefined) lines.push(['To', toTag === undefined || hasTag(to) ? to : addTag(to, toTag)]);
  if (callId !== undefined) lines.push(['Call-ID', callId]);
  if (cseq !== undefined) lines.push(['CSeq', cseq]);
  return lines;
}

/** Adds the top Via's source stamp to the text of a message that is passed on otherwise unchanged. */
export function replaceTopVia(text: string, element: string, stamped: string): string {
  const at = text.indexOf(element);
  return at === -1 ? text : text.slice(0, at) + stamped + text.slice(at + element.length);
}

export function topVia(headers: Headers): string {
  return splitList(headers.get('via') ?? '')[0] ?? '';
}

/** The Via lines below the topmost element. */
export function withoutTopVia(lines: readonly string[]): string[] {
  const [first = '', ...others] = lines;
  const rest = splitList(first).slice(1);
  return [...(rest.length > 0 ? [rest.join(', ')] : []), ...others];
}

function hasTag(to: string): boolean {
  return /;\s*tag\s*=/i.test(to.slice(to.lastIndexOf('>') + 1));
}

function addTag(to: string, tag: string): string {
  return `${to};tag=${tag}`;
}
