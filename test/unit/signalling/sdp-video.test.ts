import { expect, it } from 'vitest';
import type { SessionDescription } from '../../../plugin/call/session-description.js';
import { parseSdp, writeSdp } from '../../../plugin/signalling/sdp/sdp.js';

const h264 = { encoding: 'h264', clockRate: 90_000 };

const description: SessionDescription = {
  address: '192.0.2.1',
  media: [
    {
      kind: 'video',
      port: 20_002,
      protocol: 'RTP/AVP',
      direction: 'sendrecv',
      formats: [
        { payloadType: 102, ...h264, parameters: 'packetization-mode=1', feedback: ['nack', 'nack pli', 'ccm fir'] },
        { payloadType: 103, ...h264 },
      ],
    },
  ],
};

it('writes H.264 by its registered name, and feedback line by line', () => {
  const text = writeSdp(description, { sessionId: 7, version: 1 });
  const lines = text.split('\r\n');
  expect(lines.slice(lines.findIndex((line) => line.startsWith('m=')))).toEqual([
    'm=video 20002 RTP/AVP 102 103',
    'a=rtpmap:102 H264/90000',
    'a=rtpmap:103 H264/90000',
    'a=fmtp:102 packetization-mode=1',
    'a=rtcp-fb:102 nack',
    'a=rtcp-fb:102 nack pli',
    'a=rtcp-fb:102 ccm fir',
    'a=sendrecv',
    '',
  ]);
  expect(parseSdp(text)).toEqual(description);
});

it('reads feedback for one format and for all, and what it does not know beside it', () => {
  const text = `v=0\r\nm=video 5000 RTP/AVPF 97 98\r\na=rtpmap:97 H264/90000\r\na=rtpmap:98 H264/90000
a=rtcp-fb:* trr-int 5000\r\na=rtcp-fb:* nack\r\na=rtcp-fb:97 nack pli\r\na=rtcp-fb:98 ccm tmmbr\r\n`;
  const [section] = parseSdp(text).media;
  expect(section?.formats.map(({ feedback }) => feedback)).toEqual([
    ['nack', 'nack pli'],
    ['nack', 'ccm tmmbr'],
  ]);
});
