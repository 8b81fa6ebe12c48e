import fc from 'fast-check';
import { expect, it } from 'vitest';
import { g711Packetizer } from '../../../plugin/media/audio/packetizer.js';

interface Packet {
  readonly timestamp: number;
  readonly octets: number[];
}

function run(duration: number, pieces: readonly (readonly [timestamp: number, octets: readonly number[]])[]): Packet[] {
  const packets: Packet[] = [];
  const packetizer = g711Packetizer(duration);
  for (const [timestamp, octets] of pieces) {
    packetizer.write(Uint8Array.from(octets), timestamp, (bytes, start) =>
      packets.push({ timestamp: start, octets: [...bytes] }),
    );
  }
  return packets;
}

const counting = (from: number, length: number): number[] =>
  Array.from({ length }, (_, index) => (from + index) & 0xff);

it('cuts pieces of any length into packets of one, with all octets in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 700 })), fc.constantFrom(10, 20, 30, 60), (lengths, duration) => {
      let at = 0;
      const pieces = lengths.map((length) => {
        const piece = [Math.floor(at / 8), counting(at, length)] as const;
        at += length;
        return piece;
      });
      const packets = run(duration, pieces);
      expect(packets.length).toBe(Math.floor(at / (duration * 8)));
      expect(packets.flatMap(({ octets }) => octets)).toEqual(counting(0, packets.length * duration * 8));
      expect(packets.map(({ timestamp }) => timestamp)).toEqual(packets.map((_, index) => index * duration));
    }),
  );
});

it("takes FFmpeg's messages of 170 to 186 octets, whose timestamps are rounded", () => {
  const lengths = [186, 171, 186, 170, 186, 186, 171];
  let at = 0;
  const pieces = lengths.map((length) => {
    const timestamp = Math.round(at / 8);
    at += length;
    return [timestamp, counting(0, length)] as const;
  });
  expect(run(20, pieces).map(({ timestamp }) => timestamp)).toEqual([0, 20, 40, 60, 80, 100, 120]);
});

it('goes on where timestamps jitter by up to 40 ms, and follows a gap', () => {
  const packets = run(20, [
    [0, counting(0, 160)],
    [60, counting(0, 160)],
    [41, counting(0, 240)],
    [500, counting(9, 160)],
  ]);
  expect(packets.map(({ timestamp }) => timestamp)).toEqual([0, 20, 40, 500]);
  // The 10 ms before the gap are left out.
  expect(packets[3]?.octets[0]).toBe(9);
});

it('goes on over the wrap of timestamps', () => {
  const packets = run(20, [
    [2 ** 32 - 10, counting(0, 160)],
    [10, counting(0, 160)],
  ]);
  expect(packets.map(({ timestamp }) => timestamp)).toEqual([2 ** 32 - 10, 10]);
});

it('starts anew where a source counts anew', () => {
  expect(
    run(20, [
      [90_000, counting(0, 200)],
      [0, counting(0, 160)],
    ]).map(({ timestamp }) => timestamp),
  ).toEqual([90_000, 0]);
});

it('says how much is missing before a piece', () => {
  const packetizer = g711Packetizer(20);
  expect(packetizer.gapBefore(5000)).toBe(0);
  packetizer.write(new Uint8Array(160), 5000, () => {});
  expect([5020, 5060, 5080, 4000].map((timestamp) => packetizer.gapBefore(timestamp))).toEqual([0, 0, 60, 0]);
});
