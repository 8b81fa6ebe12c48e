import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpEcho } from '../../../plugin/embedded-sip/src/numbers/rtp-echo.js';
import { answerDirection, parseSdp, SessionWriter } from '../../../plugin/embedded-sip/src/numbers/sdp.js';

describe('session descriptions', () => {
  const sdp = [
    'v=0',
    'o=- 1 1 IN IP4 10.0.0.1',
    's=-',
    'c=IN IP4 10.0.0.1',
    't=0 0',
    'a=sendonly',
    'm=audio 4000 RTP/AVP 97 101',
    'a=rtpmap:97 speex/16000',
    'a=fmtp:97 vbr=off',
    'a=rtpmap:101 telephone-event/8000',
    'a=candidate:1',
    'm=video 4002/2 RTP/AVP 99',
    'c=IN IP6 ::1',
    'a=inactive',
    '',
  ];
  it.each(['\r\n', '\n'])('with line ends %j', (end) => {
    expect(parseSdp(sdp.join(end))).toEqual([
      {
        kind: 'audio',
        port: 4000,
        protocol: 'RTP/AVP',
        formats: ['97', '101'],
        address: '10.0.0.1',
        direction: 'sendonly',
        formatLines: ['rtpmap:97 speex/16000', 'fmtp:97 vbr=off', 'rtpmap:101 telephone-event/8000'],
      },
      {
        kind: 'video',
        port: 4002,
        protocol: 'RTP/AVP',
        formats: ['99'],
        address: '::1',
        direction: 'inactive',
        formatLines: [],
      },
    ]);
  });

  it.each([
    '',
    'hello',
    'v=1\r\n',
    'v=0\r\nm=audio x RTP/AVP 0\r\n',
    'v=0\r\nm=audio 70000 RTP/AVP 0\r\n',
    `v=0${'\r\nm=audio 1 RTP/AVP 0'.repeat(17)}`,
  ])('refuses %j', (text) => expect(parseSdp(text)).toBeUndefined());

  it('parses what it writes', () => {
    const media = {
      kind: 'audio',
      port: 4000,
      protocol: 'RTP/AVP',
      formats: ['0'],
      direction: 'recvonly',
      formatLines: ['rtpmap:0 PCMU/8000'],
    } as const;
    const text = new SessionWriter('echo', '127.0.0.1').write([media, { ...media, kind: 'image', port: 0 }]);
    expect(parseSdp(text)).toMatchObject([
      { ...media, address: '127.0.0.1' },
      { kind: 'image', port: 0 },
    ]);
  });

  it.each([
    ['sendrecv', 'sendrecv'],
    ['sendonly', 'recvonly'],
    ['recvonly', 'sendonly'],
    ['inactive', 'inactive'],
  ] as const)('answers %s with %s', (offered, answered) => expect(answerDirection(offered)).toBe(answered));
});

describe('RTP sent back', () => {
  const packet = (
    sequence: number,
    timestamp: number,
    more: { first?: number; middle?: number[]; payload?: number[]; padding?: number[] } = {},
  ) =>
    Buffer.from([
      more.first ?? 0x80,
      0x80 | 97, // marker, payload type 97
      sequence >> 8,
      sequence & 255,
      ...[24, 16, 8, 0].map((shift) => (timestamp >>> shift) & 255),
      ...[1, 2, 3, 4], // SSRC
      ...(more.middle ?? []),
      ...(more.payload ?? [9, 8, 7]),
      ...(more.padding ?? []),
    ]);

  it('keeps payload, marker, type and the spacing, and is a stream of its own', () => {
    const echo = new RtpEcho();
    const first = echo.echo(packet(65535, 0xffffff00));
    const second = echo.echo(packet(0, 0x40)); // both counters wrap: +1, +320
    if (!first || !second) throw new Error('not echoed');
    expect(first.subarray(12)).toEqual(Buffer.from([9, 8, 7]));
    expect([first[0], first[1]]).toEqual([0x80, 0x80 | 97]);
    expect((second.readUInt16BE(2) - first.readUInt16BE(2)) & 0xffff).toBe(1);
    expect((second.readUInt32BE(4) - first.readUInt32BE(4)) >>> 0).toBe(320);
    expect(second.readUInt32BE(8)).toBe(first.readUInt32BE(8));
    expect(first.readUInt32BE(8)).not.toBe(0x01020304);
  });

  it.each([
    ['CSRCs', packet(1, 1, { first: 0x82, middle: [0, 0, 0, 1, 0, 0, 0, 2] })],
    ['an extension', packet(1, 1, { first: 0x90, middle: [0xbe, 0xde, 0, 1, 5, 5, 5, 5] })],
    ['padding', packet(1, 1, { first: 0xa0, padding: [0, 0, 3] })],
  ])('sends only the payload back: %s', (_what, received) => {
    expect(new RtpEcho().echo(received)?.subarray(12)).toEqual(Buffer.from([9, 8, 7]));
  });

  it.each([
    ['too short', Buffer.alloc(11, 0x80)],
    ['another version', packet(1, 1, { first: 0x40 })],
    ['RTCP', Buffer.from([0x80, 200, 0, 6, ...Buffer.alloc(24)])],
    ['CSRCs beyond the end', packet(1, 1, { first: 0x8f, payload: [] })],
    ['an extension beyond the end', packet(1, 1, { first: 0x90, payload: [0, 0, 9, 9] })],
    ['padding beyond the end', packet(1, 1, { first: 0xa0, payload: [99] })],
  ])('ignores %s', (_what, received) => expect(new RtpEcho().echo(received)).toBeUndefined());

  it('is total', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        (bytes) => (new RtpEcho().echo(Buffer.from(bytes))?.length ?? 12) >= 12,
      ),
    );
  });
});
