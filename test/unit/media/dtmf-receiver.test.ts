import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tone } from '../../../plugin/call/ports.js';
import { DtmfReceiver } from '../../../plugin/media/audio/dtmf-receiver.js';

class Bench {
  readonly tones: Tone[] = [];
  readonly receiver = new DtmfReceiver((tone) => this.tones.push(tone));
  now = 0;

  hear(code: number, timestamp: number, duration: number, end = false): this {
    this.now += 20;
    const payload = Uint8Array.of(code, (end ? 0x80 : 0) | 10, duration >> 8, duration & 0xff);
    this.receiver.receive(payload, timestamp, 8000, this.now);
    return this;
  }

  get keys(): string[] {
    return this.tones.map(({ digit, duration }) => `${digit} ${duration}`);
  }
}

describe('a key of the far end', () => {
  it('is told once, when it is let go, however often its last packet comes', () => {
    const bench = new Bench().hear(5, 1_000, 160).hear(5, 1_000, 320);
    expect(bench.keys).toEqual([]);
    bench.hear(5, 1_000, 800, true).hear(5, 1_000, 800, true).hear(5, 1_000, 800, true);
    expect(bench.keys).toEqual(['5 100']);
  });

  it('is told when only its last packet has come', () => {
    expect(new Bench().hear(11, 1_000, 400, true).keys).toEqual(['# 50']);
  });

  it('whose last packets are lost is told when the next one begins', () => {
    const bench = new Bench().hear(1, 1_000, 160).hear(1, 1_000, 320).hear(1, 9_000, 160);
    expect(bench.keys).toEqual(['1 40']);
  });

  it('whose last packets are lost is told when nothing comes any more', () => {
    const bench = new Bench().hear(1, 1_000, 320);
    bench.receiver.tick(bench.now + 199);
    expect(bench.keys).toEqual([]);
    bench.receiver.tick(bench.now + 200);
    bench.receiver.tick(bench.now + 400);
    expect(bench.keys).toEqual(['1 40']);
    // The last packets were only late.
    bench.hear(1, 1_000, 480, true);
    expect(bench.keys).toEqual(['1 40']);
  });

  it('twice in a row is two keys', () => {
    const bench = new Bench().hear(1, 1_000, 320, true).hear(1, 3_000, 320, true);
    expect(bench.keys).toEqual(['1 40', '1 40']);
  });

  it('that is held longer than 16 bits can say is one (RFC 4733 section 2.5.1.3)', () => {
    const bench = new Bench()
      .hear(9, 1_000, 0xffff)
      .hear(9, 1_000 + 0xffff, 800)
      .hear(9, 1_000 + 0xffff, 1_600, true);
    expect(bench.keys).toEqual([`9 ${Math.round((0xffff + 1_600) / 8)}`]);
  });

  it('across the wrap of the timestamps is one', () => {
    const bench = new Bench().hear(9, 2 ** 32 - 10, 0xffff).hear(9, 0xffff - 10, 800, true);
    expect(bench.keys).toHaveLength(1);
  });
});

describe('what is no key', () => {
  it('as flash hook and the tones of modems is passed over', () => {
    expect(new Bench().hear(16, 1_000, 320, true).hear(36, 2_000, 320, true).keys).toEqual([]);
  });

  it('as less than four octets is counted', () => {
    const bench = new Bench();
    bench.receiver.receive(Uint8Array.of(1, 0x8a, 1), 0, 8000, 0);
    expect(bench.receiver.malformed).toBe(1);
  });

  it('of any kind does no harm', () => {
    const packet = fc.tuple(fc.uint8Array({ maxLength: 8 }), fc.nat(2 ** 32 - 1), fc.nat(10_000));
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 30 }), (packets) => {
        const bench = new Bench();
        for (const [payload, timestamp, arrival] of packets) {
          bench.receiver.receive(payload, timestamp, 8000, arrival);
          bench.receiver.tick(arrival);
        }
        expect(bench.tones.length).toBeLessThanOrEqual(packets.length);
        expect(bench.tones.every(({ digit, duration }) => digit.length === 1 && duration >= 0)).toBe(true);
      }),
    );
  });
});
