import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRtcp } from '../../../../plugin/media/rtp/rtcp.js';
import { buildFir, buildNack, buildPli } from '../../../../plugin/media/rtp/rtcp-feedback.js';
import { KeyFrameRequests } from '../../../../plugin/media/video/key-frame-requests.js';
import { MissingPackets } from '../../../../plugin/media/video/missing-packets.js';
import { bytes, hex } from './h264.js';

describe('feedback messages', () => {
  const rows: [name: string, built: Buffer, octets: string, read: object][] = [
    ['PLI', buildPli(1, 2), '81ce0002 00000001 00000002', { type: 'pli', ssrc: 2 }],
    [
      'FIR, command 9',
      buildFir(1, 2, 9),
      '84ce0004 00000001 00000000 00000002 09000000',
      { type: 'fir', requests: [{ ssrc: 2, command: 9 }] },
    ],
    [
      'NACK of 10, 12, 26 and 27: the mask counts from the packet behind the first',
      buildNack(1, 2, [10, 12, 26, 27]),
      '81cd0004 00000001 00000002 000a8002 001b0000',
      { type: 'nack', ssrc: 2, sequences: [10, 12, 26, 27] },
    ],
    [
      'NACK over the wrap',
      buildNack(1, 2, [65_535, 0]),
      '81cd0003 00000001 00000002 ffff0001',
      { type: 'nack', ssrc: 2, sequences: [65_535, 0] },
    ],
  ];

  it.each(rows)('%s', (_name, built, octets, read) => {
    expect(hex(built)).toBe(octets.replaceAll(' ', ''));
    // Alone, too: reduced size (RFC 5506).
    expect(parseRtcp(built)).toEqual([read]);
  });

  it('of other formats, and those cut short, are nothing that is acted on', () => {
    expect(parseRtcp(bytes('8fce0002 00000001 00000002'))).toEqual([{ type: 'other', packetType: 206 }]);
    expect(parseRtcp(bytes('81cd0001 00000001'))).toEqual([{ type: 'other', packetType: 205 }]);
    expect(parseRtcp(bytes('84ce0002 00000001 00000000'))).toEqual([{ type: 'fir', requests: [] }]);
  });

  it('that ask for all there is are read up to a bound', () => {
    const flood = Buffer.alloc(60_000, 0xff);
    flood.set(bytes(`81cd${((flood.length - 4) / 4).toString(16)}`));
    const packets = parseRtcp(flood);
    expect(packets).toEqual([expect.objectContaining({ type: 'nack' })]);
    expect(JSON.stringify(packets).length).toBeLessThan(4_000);
  });

  it('NACKs name exactly what they are to', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65_535 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 200 })),
        (start, offsets) => {
          const sequences = offsets.sort((a, b) => a - b).map((offset) => (start + offset) & 0xffff);
          expect(parseRtcp(buildNack(1, 2, sequences))).toEqual([{ type: 'nack', ssrc: 2, sequences }]);
        },
      ),
    );
  });
});

describe('missing packets', () => {
  const arrive = (missing: MissingPackets, now: number, ...sequences: number[]): void => {
    for (const sequence of sequences) missing.received(sequence, now);
  };

  it('are asked for when they are not merely late, again after a round trip and a half, and then no more', () => {
    const missing = new MissingPackets(200);
    arrive(missing, 0, 65_534, 2);
    expect(missing.due(0)).toEqual([]);
    expect(missing.due(5, 40)).toEqual([65_535, 0, 1]);
    expect(missing.due(60, 40)).toEqual([]);
    missing.received(0, 60);
    expect(missing.due(65, 40)).toEqual([65_535, 1]);
    expect(missing.due(201, 40)).toEqual([]);
    expect(missing.due(300, 40)).toEqual([]);
  });

  it('are asked for five times at most', () => {
    const missing = new MissingPackets(1_000);
    arrive(missing, 0, 1, 3);
    const asked = Array.from({ length: 100 }, (_, index) => missing.due(index * 10, 10)).flat();
    expect(asked).toEqual([2, 2, 2, 2, 2]);
  });

  it('are not asked for where a key frame is less', () => {
    const missing = new MissingPackets(1_000);
    arrive(missing, 0, 1, 100);
    expect(missing.due(50)).toEqual([]);
    // Every other one is lost.
    for (let sequence = 102; sequence < 700; sequence += 2) missing.received(sequence, 0);
    expect(missing.due(50).length).toBeLessThanOrEqual(128);
  });
});

describe('key frame requests', () => {
  it('go at once, then less and less often until a key frame comes', () => {
    const requests = new KeyFrameRequests();
    expect(requests.due(0)).toBe(false);
    const times: number[] = [];
    for (let now = 0; now < 15_000; now += 20) {
      requests.want();
      if (requests.due(now)) times.push(now);
    }
    expect(times).toEqual([0, 500, 1_500, 3_500, 7_500, 11_500]);
    requests.satisfied();
    expect(requests.due(20_000)).toBe(false);
  });

  it('for one key frame after the other go once a second', () => {
    const requests = new KeyFrameRequests();
    let made = 0;
    for (let now = 0; now < 10_000; now += 20) {
      requests.want();
      if (requests.due(now)) made++;
      requests.satisfied();
    }
    expect(made).toBe(10);
  });
});
