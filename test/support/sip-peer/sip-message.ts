/** As much of a SIP message as a telephone needs that talks to nobody but the gateway. */
export interface SipMessage {
  /** Of a request. */
  readonly method: string | undefined;
  /** Of a request: the user part of its URI. */
  readonly user: string;
  /** Of a response. */
  readonly status: number | undefined;
  readonly text: string;
  readonly body: string;
}

export function readSip(datagram: Buffer): SipMessage {
  const text = datagram.toString('latin1');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [first = '', second = ''] = head.split(' ', 2);
  const response = first === 'SIP/2.0';
  return {
    method: response ? undefined : first,
    user: response ? '' : (/^sips?:([^@]*)@/.exec(second)?.[1] ?? ''),
    status: response ? Number(second) : undefined,
    text: head,
    body,
  };
}

/** Value of the first header of this name. */
export function headerOf({ text }: SipMessage, name: string): string {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(text)?.[1]?.trim() ?? '';
}

/** What a response copies from its request (RFC 3261 section 8.2.6.2); the tag is added to a To without one. */
export function copied({ text }: SipMessage, tag: string): string[] {
  const headers = text.match(/^(?:via|record-route|from|to|call-id|cseq):.*$/gim) ?? [];
  return headers.map((header) => {
    const line = header.trim();
    return /^to:/i.test(line) && !/;\s*tag=/i.test(line) ? `${line};tag=${tag}` : line;
  });
}

/** The method and number in CSeq. */
export function sequenceOf(message: SipMessage): { readonly number: number; readonly method: string } {
  const [number = '', method = ''] = headerOf(message, 'cseq').split(/\s+/);
  return { number: Number(number), method };
}

export const write = (startLine: string, headers: readonly string[], body = ''): Buffer =>
  Buffer.from(
    [
      startLine,
      ...headers,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n'),
  );

/** A description with one codec: the first of an offer, or Speex. */
export function describe(address: string, offer = ''): string {
  const [, type = '97'] = /^m=audio \d+ \S+ (\d+)/m.exec(offer) ?? [];
  const map = new RegExp(`^a=rtpmap:${type} .*$`, 'm').exec(offer)?.[0].trim() ?? `a=rtpmap:${type} speex/16000`;
  const lines = [
    'v=0',
    `o=- 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio 9 RTP/AVP ${type}`,
    map,
  ];
  return `${lines.join('\r\n')}\r\n`;
}
