import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionDescription } from '../../../plugin/call/session-description.js';
import { parseSdp, writeSdp } from '../../../plugin/signalling/sdp/sdp.js';

const origin = { sessionId: 7, version: 3 };

const offer: SessionDescription = {
  address: '192.0.2.1',
  media: [
    {
      kind: 'audio',
      port: 20000,
      protocol: 'RTP/AVP',
      direction: 'sendrecv',
      ptime: 20,
      formats: [
        { payloadType: 96, encoding: 'speex', clockRate: 16000, parameters: 'vbr=on' },
        { payloadType: 97, encoding: 'speex', clockRate: 8000 },
        { payloadType: 101, encoding: 'telephone-event', clockRate: 8000, parameters: '0-15' },
      ],
    },
  ],
};

describe('SDP', () => {
  it('writes an offer line by line', () => {
    const lines = writeSdp(offer, origin).split('\r\n');
    expect(lines.filter((line) => !line.startsWith('o='))).toEqual([
      'v=0',
      's=-',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'm=audio 20000 RTP/AVP 96 97 101',
      'a=rtpmap:96 speex/16000',
      'a=rtpmap:97 speex/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:96 vbr=on',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ]);
  });

  it('knows comfort noise by its number, and writes its name as it is registered', () => {
    const cn = { payloadType: 13, encoding: 'cn', clockRate: 8000 };
    const text = 'v=0\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 13\r\n';
    expect(parseSdp(text).media[0]?.formats).toContainEqual(cn);
    const [section] = offer.media;
    const media = section === undefined ? [] : [{ ...section, formats: [cn] }];
    expect(writeSdp({ ...offer, media }, origin)).toContain('a=rtpmap:13 CN/8000');
  });

  it('reads back what it wrote, IPv6 too', () => {
    expect(parseSdp(writeSdp(offer, origin))).toEqual(offer);
    const v6 = { ...offer, address: '2001:db8::1' };
    expect(writeSdp(v6, origin)).toContain('c=IN IP6 2001:db8::1');
    expect(parseSdp(writeSdp(v6, origin))).toEqual(v6);
  });

  it('reads and writes keys with all their parameters, and RTCP on the port of RTP', () => {
    const [audio] = offer.media;
    const crypto = [
      { tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', keyParameters: 'inline:AAAA|2^20|1:4' },
      { tag: 22, suite: 'F8_128_HMAC_SHA1_80', keyParameters: 'inline:BBBB', sessionParameters: ['KDR=3', 'WSH=64'] },
    ];
    const secure = {
      ...offer,
      media: [{ ...audio, protocol: 'RTP/SAVP', rtcpMux: true, crypto }],
    } as SessionDescription;
    const text = writeSdp(secure, origin);
    expect(text).toContain('a=crypto:22 F8_128_HMAC_SHA1_80 inline:BBBB KDR=3 WSH=64\r\n');
    expect(text).toContain('a=rtcp-mux\r\n');
    expect(parseSdp(text)).toEqual(secure);
  });

  it('keeps the keys of each section, and of a session none', () => {
    const line = 'a=crypto:1  AES_CM_128_HMAC_SHA1_32\tinline:CCCC  -X ';
    const text = `v=0\r\n${line}\r\nm=audio 1 RTP/SAVP 0\r\nm=video 2 RTP/SAVP 34\n${line}\na=crypto:x y\r\nm=x\r\n`;
    expect(parseSdp(text).media.map(({ crypto }) => crypto)).toEqual([
      undefined,
      [{ tag: 1, suite: 'AES_CM_128_HMAC_SHA1_32', keyParameters: 'inline:CCCC', sessionParameters: ['-X'] }],
      undefined,
    ]);
  });

  it('knows static payload types without rtpmap and takes the direction of the session', () => {
    const text =
      'v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\na=sendonly\r\nm=audio 4000 RTP/AVP 0 8 99\r\n';
    expect(parseSdp(text)).toEqual({
      address: '192.0.2.9',
      media: [
        {
          kind: 'audio',
          port: 4000,
          protocol: 'RTP/AVP',
          direction: 'sendonly',
          formats: [
            { payloadType: 0, encoding: 'pcmu', clockRate: 8000 },
            { payloadType: 8, encoding: 'pcma', clockRate: 8000 },
          ],
        },
      ],
    });
  });

  it('reads a connection address, RTCP port and refusal per section', () => {
    const text =
      'v=0\r\ns=-\r\nm=audio 0 RTP/SAVP 0\r\nc=IN IP4 198.51.100.7\r\na=rtcp:4444\r\nm=video 5000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n';
    const [audio, video] = parseSdp(text).media;
    expect(audio).toMatchObject({ port: 0, protocol: 'RTP/SAVP', address: '198.51.100.7', rtcpPort: 4444 });
    expect(video?.formats).toEqual([{ payloadType: 97, encoding: 'h264', clockRate: 90000 }]);
  });

  it.each(['', 'nonsense', 'v=0', 'm=audio', 'm=audio x RTP/AVP y', 'm=audio 1 RTP/AVP 0\r\na=rtpmap:0'])(
    'gives a description without usable media for %j',
    (text) => {
      expect(parseSdp(text).media.flatMap(({ port, formats }) => (port > 0 ? formats : []))).toSatisfy(Array.isArray);
    },
  );

  it('survives any text', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('m=audio 4000 RTP/AVP 0', 'a=rtpmap:', 'a=fmtp:0', 'a=crypto:1 A B C', 'c=IN', 'o='),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const { media, address } = parseSdp(lines.join('\r\n'));
        expect(typeof address).toBe('string');
        for (const section of media) {
          for (const { payloadType } of section.formats) expect(payloadType).toBeLessThan(128);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
