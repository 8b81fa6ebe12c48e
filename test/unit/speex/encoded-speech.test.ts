import { joinPackets, type SpeexBand, splitPacket } from 'speex-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeSpeechFlv, encodeSpeechOgg } from './encoded-speech.js';

/**
 * The encoder's frames do not depend on how many go into a packet. So the frames split from its long packets must be,
 * bit for bit, the packets it makes of one frame each.
 */
describe.each([
  ['wideband', 'constant bit rate', ['-cbr_quality', '8']],
  ['wideband', 'low quality', ['-cbr_quality', '3']],
  ['wideband', 'discontinuous transmission', ['-vad', '1', '-dtx', '1']],
  ['wideband', 'variable bit rate', ['-q:a', '7']],
] as const)('%s speech, %s', (band, _name, options) => {
  check(band, async (frames) => (await encodeSpeechFlv(frames, ...options)).map(({ body }) => body.subarray(1)));
});

describe('narrowband speech, constant bit rate', () => {
  check('narrowband', encodeSpeechOgg);
});

function check(band: SpeexBand, encode: (framesPerPacket: number) => Promise<Buffer[]>): void {
  let single: Buffer[] = [];
  beforeAll(async () => {
    single = await encode(1);
  });

  it('a packet of one frame is one frame', () => {
    expect(single.length).toBeGreaterThan(150);
    for (const packet of single) {
      const split = splitPacket(packet);
      expect(split).toMatchObject({ ok: true, band });
      expect(split.ok && split.frames[0]).toBe(packet);
    }
  });

  it.each([2, 3, 8])('packets of %i frames split into the same frames', async (count) => {
    const packets = await encode(count);
    const split = packets.map((packet) => splitPacket(packet)).map((result) => (result.ok ? result.frames : []));
    for (const frames of split.slice(0, -1)) expect(frames.length).toBe(count);
    // FFmpeg fills the last packet with more terminators, which a packet of one frame keeps.
    expect(split.flat().map(withoutTail).map(hex)).toEqual(single.map(hex));
  });

  it('joined frames are the packets of the encoder', async () => {
    const packets = await encode(3);
    for (const [index, packet] of packets.entries()) {
      const three = single.slice(index * 3, index * 3 + 3);
      if (three.length < 3) continue;
      const joined = joinPackets(three);
      expect(joined.ok && hex(joined.packet)).toBe(hex(packet));
    }
  });
}

function withoutTail(frame: Uint8Array): Uint8Array {
  const joined = joinPackets([frame]);
  return joined.ok ? joined.packet : frame;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
