import { describe, expect } from 'vitest';
import { type Gateway, useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { RtpPeer, type RtpPeerOptions, writeRtp } from '../../support/rtp-peer.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';
import { encodeSpeex, speak } from '../../support/speech.js';

/** What cannot be used is counted and dropped, and the call goes on: not one frame of the speech is missing. */
const plain = useGateway();
const encrypting = useGateway({ env: { SONO_SRTP: 'offer' } });
const frames = await encodeSpeex(await speak('One, two, three.'));
const half = frames.length >> 1;
const hexOf = (messages: readonly Uint8Array[]) => messages.map((message) => Buffer.from(message).toString('hex'));

interface Call {
  readonly phone: LibrtmpPhone;
  readonly peer: RtpPeer;
  /** Where the gateway has its RTP. */
  readonly port: number;
}

interface CallOptions {
  readonly gateway?: Gateway;
  readonly sameKey?: boolean;
  readonly network?: RtpPeerOptions['network'];
}

/** A call to an echo, with something bad in its middle. Resolves to the figures of the call. */
async function callWith(scope: Scope, bad: (call: Call) => Promise<void>, options: CallOptions = {}) {
  const { gateway = plain(), sameKey = false, network } = options;
  const peer = await RtpPeer.open(scope, network && { network });
  const sipp = await Sipp.start(scope, { scenario: callee.answers({ sameKey }), rtpPort: peer.port });
  const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
  await phone.dialAndConnect(sipp.uri());
  const { text } = await sipp.received(/^INVITE/);
  peer.echoAs = Number(/a=rtpmap:(\d+) speex\/16000/.exec(text)?.[1]);
  const port = Number(/^m=audio (\d+)/m.exec(text)?.[1]);
  await phone.send(frames.slice(0, half));
  await phone.waitAudio(half);
  await bad({ phone, peer, port });
  const before = phone.audio.length;
  await phone.send(frames.slice(half), { timestamp: half * 20 });
  const audio = await phone.waitAudio(before + frames.length - half);
  expect(audio.slice(0, half).map(({ hex }) => hex)).toEqual(hexOf(frames.slice(0, half)));
  expect(audio.slice(before).map(({ hex }) => hex)).toEqual(hexOf(frames.slice(half)));
  phone.hangup();
  await sipp.done();
  return (await gateway.callEnded(sipp.uri())).media;
}

const packet = (sequence: number, payload: Uint8Array, payloadType = 96) =>
  writeRtp({ payloadType, marker: false, sequence, timestamp: 0, ssrc: 666, payload: Buffer.from(payload) });
const speex = frames[0]?.subarray(1) ?? Buffer.alloc(0);
/** The first octets of a packet, then the rest of one that is valid. */
const beginning = (...octets: number[]) => Buffer.from([...octets, ...packet(1, speex).subarray(octets.length)]);
/** A sender report without blocks. */
const report = Buffer.concat([Buffer.from('80c80006', 'hex'), Buffer.alloc(24)]);

describe('from the far end', () => {
  test.concurrent.for<[name: string, datagrams: readonly Buffer[], figures: Readonly<Record<string, number>>]>([
    [
      'RTP cut off in its header',
      Array.from({ length: 12 }, (_, length) => packet(1, speex).subarray(0, length)),
      { malformed: 12 },
    ],
    ['other versions of RTP', [0x00, 0x40, 0xc0].map((first) => beginning(first)), { malformed: 3 }],
    ['more contributing sources than octets', [beginning(0x8f).subarray(0, 40)], { malformed: 1 }],
    [
      'an extension longer than the packet',
      [Buffer.concat([beginning(0x90).subarray(0, 12), Buffer.from('bede7fff', 'hex')])],
      { malformed: 1 },
    ],
    [
      'more padding than there is',
      [Buffer.concat([beginning(0xa0), Buffer.of(255)]), Buffer.concat([beginning(0xa0), Buffer.of(0)])],
      { malformed: 2 },
    ],
    ['RTP as large as UDP carries', [packet(1, Buffer.alloc(65_000))], { malformed: 1 }],
    ['RTP without payload', [packet(1, Buffer.alloc(0))], { malformed: 1 }],
    [
      'payload types that nobody agreed on',
      [18, 95, 127].map((type, index) => packet(index, speex, type)),
      { unknownPayloadType: 3 },
    ],
    // Narrowband modes 9 to 12, a wideband layer of mode 5, and one that ends in its middle.
    [
      'Speex of invalid modes',
      [[0x48], [0x50], [0x58], [0x60], [0xd0], [0x28, 1, 2]].map((octets, index) => packet(index, Buffer.from(octets))),
      { malformed: 6 },
    ],
    [
      'reports that are none',
      [
        report.subarray(0, 4),
        report.subarray(0, 27),
        Buffer.concat([report, Buffer.of(0, 0, 0, 0)]),
        Buffer.from('81c90001deadbeef', 'hex'),
      ],
      { malformed: 4 },
    ],
    ['a report as large as UDP carries', [Buffer.concat(Array(2000).fill(report))], { malformed: 1 }],
  ])('%s', async ([, datagrams, figures], { scope }) => {
    const media = await callWith(scope, async ({ peer, port }) => {
      for (const datagram of datagrams) await peer.sendOctets(datagram, port);
    });
    expect(media).toMatchObject({ packetsSent: frames.length, foreign: 0, ...figures });
  });

  test.concurrent('a flood of reports', async ({ scope }) => {
    const media = await callWith(scope, async ({ peer, port }) => {
      for (let count = 0; count < 1000; count++) await peer.sendOctets(report, port + (count % 2));
    });
    expect(media?.droppedReports).toBeGreaterThan(100);
    expect(media).toMatchObject({ lost: 0, malformed: 0, foreign: 0 });
  });
});

test.concurrent('from strangers: RTP and reports, valid and not', async ({ scope }) => {
  const media = await callWith(scope, async ({ port }) => {
    const stranger = await RtpPeer.open(scope);
    for (let count = 0; count < 100; count++) await stranger.sendOctets(packet(count, speex), port);
    await stranger.sendOctets(report, port);
    await stranger.sendOctets(Buffer.of(1), port);
    expect(stranger.packets.all).toEqual([]);
  });
  expect(media).toMatchObject({ packetsReceived: frames.length, malformed: 0 });
  // The system turns away those that come once the far end was heard.
  expect(media?.foreign).toBeLessThanOrEqual(102);
});

test.concurrent('SRTP that comes twice, was changed on the way, or is cut off', async ({ scope }) => {
  const media = await callWith(scope, async () => {}, {
    gateway: encrypting(),
    sameKey: true,
    network: (sealed, send) => {
      const changed = Buffer.from(sealed);
      changed[15] = (changed[15] ?? 0) ^ 1;
      for (const bytes of [changed, sealed, sealed, sealed.subarray(0, 20)]) send(bytes);
    },
  });
  const each = frames.length;
  expect(media).toMatchObject({ srtp: 'AES_CM_128_HMAC_SHA1_80', packetsReceived: each, lost: 0 });
  expect(media).toMatchObject({ forged: each, replayed: each, malformed: each });
});

describe('from the client', () => {
  test.concurrent.for<[name: string, messages: readonly Buffer[], figures: Readonly<Record<string, number>>]>([
    ['messages without an octet', [Buffer.alloc(0), Buffer.alloc(0)], { packetsSent: frames.length }],
    ['a codec that nobody knows', [Buffer.from('c0010203', 'hex'), Buffer.of(0xdf)], { unsupportedFromClient: 2 }],
    [
      'Speex of invalid modes',
      ['b248', 'b250', 'b258', 'b260', 'b228'].map((hex) => Buffer.from(hex, 'hex')),
      { malformedFromClient: 5 },
    ],
    ['Speex without an octet', [Buffer.of(0xb2)], { packetsSent: frames.length }],
    [
      'Speex as long as a message may be',
      [Buffer.concat([Buffer.of(0xb2), Buffer.alloc(60_000)])],
      { malformedFromClient: 1 },
    ],
  ])('%s', async ([, messages, figures], { scope }) => {
    const media = await callWith(scope, ({ phone }) => phone.send(messages, { timestamp: half * 20 }));
    expect(media).toMatchObject({ lost: 0, malformed: 0, ...figures });
  });
});
