import { SpeexCodec } from 'speex-wasm';
import { loadSpeex } from 'speex-wasm/node';
import { describe, expect, it } from 'vitest';
import { Receiver } from '../../../flash_phone/web/worklet/receiver.js';
import { Resampler } from '../../../flash_phone/web/worklet/resampler.js';
import { Sender } from '../../../flash_phone/web/worklet/sender.js';

const sine = (hz: number, rate: number, length: number) =>
  Float32Array.from({ length }, (_, at) => 0.5 * Math.sin((2 * Math.PI * hz * at) / rate));

/** Signal to noise, in dB, of what should be this tone and nothing else. */
function purity(samples: Float32Array, hz: number, rate: number): number {
  let [a, b] = [0, 0];
  for (const [at, value] of samples.entries()) {
    a += (2 * value * Math.sin((2 * Math.PI * hz * at) / rate)) / samples.length;
    b += (2 * value * Math.cos((2 * Math.PI * hz * at) / rate)) / samples.length;
  }
  let noise = 0;
  for (const [at, value] of samples.entries()) {
    const tone = a * Math.sin((2 * Math.PI * hz * at) / rate) + b * Math.cos((2 * Math.PI * hz * at) / rate);
    noise += (value - tone) ** 2 / samples.length;
  }
  return 10 * Math.log10((a * a + b * b) / 2 / noise);
}

const inBlocks = (samples: Float32Array, process: (block: Float32Array) => Iterable<number>, size = 128) => {
  const output: number[] = [];
  for (let at = 0; at + size <= samples.length; at += size) output.push(...process(samples.subarray(at, at + size)));
  return Float32Array.from(output);
};

describe('the resampler', () => {
  it.each([
    [48_000, 16_000],
    [44_100, 16_000],
    [16_000, 48_000],
    [16_000, 44_100],
    [8_000, 16_000],
    [16_000, 16_000],
  ])('brings a tone from %d to %d Hz, block by block, without adding to it', (from, to) => {
    const resampler = new Resampler(from, to);
    const output = inBlocks(sine(1_000, from, from), (block) => resampler.process(block));
    expect(Math.abs(output.length - to)).toBeLessThan(to / 100);
    // A second less its ends, a whole number of the tone's periods.
    expect(purity(output.subarray(to / 10, to / 10 + (to * 4) / 5), 1_000, to)).toBeGreaterThan(50);
  });

  it('keeps out what the lower rate cannot carry', () => {
    const resampler = new Resampler(48_000, 16_000);
    const output = inBlocks(sine(11_000, 48_000, 48_000), (block) => resampler.process(block));
    const loudest = Math.max(...output.subarray(1_000).map(Math.abs));
    expect(20 * Math.log10(loudest / 0.5)).toBeLessThan(-50);
  });
});

/** What is heard of a tone that is said, both at 48 kHz. */
function throughBoth(sender: Sender, receiver: Receiver, change: (message: Uint8Array) => Uint8Array = (same) => same) {
  let timestamp = 0;
  let now = 0;
  return inBlocks(sine(440, 48_000, 96_000), (block) => {
    for (const message of sender.process(block)) {
      receiver.insert(change(message), timestamp, now);
      timestamp += 20;
    }
    now += (block.length * 1000) / 48_000;
    const heard = new Float32Array(128);
    receiver.fill(heard);
    return heard;
  });
}

const energy = (samples: Float32Array) => samples.reduce((sum, value) => sum + value * value, 0) / samples.length;

describe('from microphone to speaker', () => {
  it('speaks Speex wideband and hears it', async () => {
    const speex = await loadSpeex();
    expect(speex, 'npm run build makes it').toBeDefined();
    const first: number[] = [];
    const heard = throughBoth(new Sender(48_000, speex), new Receiver(48_000, speex), (message) => {
      first.push(message[0] ?? 0);
      return message;
    });
    expect(new Set(first)).toEqual(new Set([0xb2]));
    expect(energy(heard.subarray(48_000))).toBeCloseTo(0.125, 1);
    expect(energy(heard.subarray(48_000))).toBeGreaterThan(0.06);
  });

  it('without Speex it speaks and hears mu-law', () => {
    const heard = throughBoth(new Sender(48_000, undefined), new Receiver(48_000, undefined), (message) => {
      expect([message[0], message.length]).toEqual([0x82, 161]);
      return message;
    });
    expect(purity(heard.subarray(48_000, 48_000 + 43_200), 440, 48_000)).toBeGreaterThan(25);
  });

  it('takes packets of several frames, A-law, and anything else for nothing', async () => {
    const speex = await loadSpeex();
    const receiver = new Receiver(48_000, speex);
    const encoder = speex && new SpeexCodec(speex).createEncoder({ sampleRate: 16_000 });
    const frame = encoder?.encode(new Int16Array(320)) ?? new Uint8Array();
    receiver.insert(Uint8Array.of(0xb2, ...frame), 0, 0);
    receiver.insert(Uint8Array.of(0x72, ...new Uint8Array(480)), 20, 20);
    expect(receiver.statistics.bufferMs).toBe(80);
    for (const message of [[], [0xb2], [0x2f, 1, 2], [0x52, 1], [0xb2, 0xff, 0xff]]) {
      receiver.insert(Uint8Array.from(message), 40, 40);
    }
    expect(receiver.unsupported).toBe(5);
  });
});
