import fc from 'fast-check';
import { inspectPacket, joinPackets, maxFrames, splitPacket, widenPacket } from 'speex-wasm';
import { describe, expect, it } from 'vitest';
import { layer, narrowband, pack } from './bit-strings.js';

const wideband = narrowband(5) + layer(1); // 300 + 36 bits: exactly 42 octets
const silence = narrowband(0) + layer(0); // 5 + 4 bits: what a wideband encoder sends in DTX

describe('size of a frame', () => {
  // Speex manual, "Bit allocation for narrowband modes" and "... for high-band in wideband mode".
  const rows: [name: string, text: string, bits: number, band: string][] = [
    ['narrowband mode 0', narrowband(0), 5, 'narrowband'],
    ['narrowband mode 1', narrowband(1), 43, 'narrowband'],
    ['narrowband mode 2', narrowband(2), 119, 'narrowband'],
    ['narrowband mode 3', narrowband(3), 160, 'narrowband'],
    ['narrowband mode 4', narrowband(4), 220, 'narrowband'],
    ['narrowband mode 5', narrowband(5), 300, 'narrowband'],
    ['narrowband mode 6', narrowband(6), 364, 'narrowband'],
    ['narrowband mode 7', narrowband(7), 492, 'narrowband'],
    ['narrowband mode 8', narrowband(8), 79, 'narrowband'],
    ['layer mode 0', narrowband(0) + layer(0), 5 + 4, 'wideband'],
    ['layer mode 1', narrowband(1) + layer(1), 43 + 36, 'wideband'],
    ['layer mode 2', narrowband(5) + layer(2), 300 + 112, 'wideband'],
    ['layer mode 3', narrowband(6) + layer(3), 364 + 192, 'wideband'],
    ['layer mode 4', narrowband(7) + layer(4), 492 + 352, 'wideband'],
    ['two layers', narrowband(6) + layer(3) + layer(1), 364 + 192 + 36, 'ultra-wideband'],
    // Mode 14, code 9 (stereo): 8 bits follow. The message belongs to its frame.
    ['in-band message', `01110 1001 10101010${narrowband(3)}`, 5 + 4 + 8 + 160, 'narrowband'],
    // Mode 13, size 2: 5 bits and 2 octets follow.
    ['user message', `01101 0010 11111 ${'10'.repeat(8)}${wideband}`, 5 + 4 + 5 + 16 + 336, 'wideband'],
  ];
  it.each(rows)('%s', (_name, text, bits, band) => {
    expect(inspectPacket(pack(text))).toEqual({ ok: true, band, ends: [bits] });
    expect(inspectPacket(pack(text + text))).toEqual({ ok: true, band, ends: [bits, bits * 2] });
  });

  it.each([1, 1, 4, 4, 4, 4, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64].map((size, code) => [code, size] as const))(
    'in-band message %i has %i bits of content',
    (code, size) => {
      const text = `01110${code.toString(2).padStart(4, '0')}${'1'.repeat(size)}${narrowband(8, '1')}`;
      expect(inspectPacket(pack(text))).toMatchObject({ ends: [9 + size + 79] });
    },
  );
});

describe('packets that are none', () => {
  const rows: [name: string, bytes: Uint8Array, fault: string][] = [
    ['empty', new Uint8Array(0), 'no-frame'],
    ['only a terminator', pack('01111'), 'no-frame'],
    ['only an in-band message', pack('01110 1001 10101010'), 'no-frame'],
    ['narrowband mode 9', pack(`${narrowband(8)}01001${'0'.repeat(80)}`), 'invalid-mode'],
    ['narrowband mode 12', pack('01100'), 'invalid-mode'],
    ['layer mode 5', pack(`${narrowband(0)}1101${'0'.repeat(64)}`), 'invalid-mode'],
    ['layer mode 7', pack(`${narrowband(0)}1111${'0'.repeat(64)}`), 'invalid-mode'],
    ['a layer without a frame', pack(layer(1)), 'invalid-mode'],
    ['three layers', pack(narrowband(1) + layer(1) + layer(1) + layer(1)), 'invalid-mode'],
    ['a frame cut short', pack(narrowband(5)).subarray(0, 37), 'truncated'],
    ['a layer cut short', pack(wideband).subarray(0, 41), 'truncated'],
    ['an in-band message cut short', pack(`01110 1111 ${'0'.repeat(8)}`), 'truncated'],
    ['more frames than a second', new Uint8Array(1_000_000), 'too-many-frames'],
  ];
  it.each(rows)('%s', (_name, bytes, fault) => {
    expect(splitPacket(bytes)).toEqual({ ok: false, fault });
    expect(joinPackets([bytes])).toEqual({ ok: false, fault });
  });

  it('joining nothing is no packet', () => expect(joinPackets([])).toEqual({ ok: false, fault: 'no-frame' }));
  it('joins no more than a packet may hold', () => {
    const half = pack(silence.repeat(maxFrames / 2));
    expect(joinPackets([half, half])).toMatchObject({ ok: true });
    expect(joinPackets([half, half, pack(silence)])).toEqual({ ok: false, fault: 'too-many-frames' });
  });
});

describe('splitting', () => {
  it('returns a packet of one frame itself', () => {
    const packet = pack(wideband);
    const split = splitPacket(packet);
    expect(split.ok && split.frames[0]).toBe(packet);
  });

  it('leaves what follows the terminator of a single frame alone', () => {
    const packet = Uint8Array.of(...pack(`${wideband}01111`), 1, 2, 3);
    const split = splitPacket(packet);
    expect(split.ok && split.frames).toEqual([packet]);
  });

  it('pads each frame with 0 and then 1s', () => {
    const split = splitPacket(pack(silence + silence + silence));
    // 0 0000 1000, then 0111 111
    const frame = Uint8Array.of(0b00000100, 0b00111111);
    expect(split).toEqual({ ok: true, band: 'wideband', frames: [frame, frame, frame] });
  });

  it('keeps messages with the frame behind them, and the last with the frame before', () => {
    const stereo = '01110 1001 10101010'.replaceAll(' ', '');
    const split = splitPacket(pack(stereo + narrowband(3) + stereo + narrowband(1) + stereo));
    expect(split.ok && split.frames).toEqual([pack(stereo + narrowband(3)), pack(stereo + narrowband(1) + stereo)]);
  });

  it('takes frames of different modes apart', () => {
    const texts = [narrowband(6, '101') + layer(3, '11'), silence, narrowband(8, '1') + layer(0), wideband];
    const split = splitPacket(pack(texts.join('')));
    expect(split.ok && split.frames).toEqual(texts.map(pack));
  });

  it('finds whole frames or a fault wherever a packet is cut', () => {
    const packet = pack(wideband + silence + wideband);
    for (let length = 0; length <= packet.length; length++) {
      const layout = inspectPacket(packet.subarray(0, length));
      if (layout.ok) expect([336, 345, 681]).toContain(layout.ends[layout.ends.length - 1]);
      else expect(['no-frame', 'truncated']).toContain(layout.fault);
    }
  });
});

describe('widening', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('puts an empty layer on a narrowband frame of mode %i', (mode) => {
    const frame = narrowband(mode, '10110011'.repeat(70));
    expect(widenPacket(pack(frame))).toEqual(pack(frame + layer(0)));
  });

  it.each([
    ['a wideband frame', pack(wideband)],
    ['two frames', pack(narrowband(3) + narrowband(3))],
    ['what is no Speex', Uint8Array.of(0x50)],
    ['nothing', new Uint8Array()],
  ])('leaves %s as it is', (_, packet) => expect(widenPacket(packet)).toBe(packet));
});

describe('any input', () => {
  const content = fc.array(fc.constantFrom('0', '1'), { minLength: 500, maxLength: 500 }).map((bits) => bits.join(''));
  const layerText = fc.tuple(fc.integer({ min: 0, max: 4 }), content).map(([mode, bits]) => layer(mode, bits));
  const frameText = fc
    .tuple(fc.integer({ min: 0, max: 8 }), content, fc.array(layerText, { maxLength: 2 }))
    .map(([mode, bits, layers]) => narrowband(mode, bits) + layers.join(''));

  it('splits what was packed and joins what was split', () => {
    fc.assert(
      fc.property(fc.array(frameText, { minLength: 1, maxLength: 8 }), (texts) => {
        const packet = pack(texts.join(''));
        const split = splitPacket(packet);
        if (!split.ok) throw new Error(split.fault);
        expect(split.frames).toEqual(texts.map(pack));
        expect(joinPackets(split.frames)).toEqual({ ok: true, packet });
      }),
    );
  });

  it('gives frames that stand alone, or a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const split = splitPacket(bytes);
        if (!split.ok) return;
        expect(split.frames.length).toBeLessThanOrEqual(maxFrames);
        for (const frame of split.frames) expect(inspectPacket(frame)).toMatchObject({ ok: true, ends: { length: 1 } });
      }),
      { numRuns: 2000 },
    );
  });
});
