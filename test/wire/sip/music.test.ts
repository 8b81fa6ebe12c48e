import { describe, expect, it } from 'vitest';
import { compress, type Law } from '../../../plugin/embedded-sip/src/numbers/g711.js';
import { chooseFormat, EncodedTune, musicFormats } from '../../../plugin/embedded-sip/src/numbers/music-formats.js';
import { MusicPlayer } from '../../../plugin/embedded-sip/src/numbers/music-player.js';
import { RtpStream } from '../../../plugin/embedded-sip/src/numbers/rtp-stream.js';
import { parseSdp } from '../../../plugin/embedded-sip/src/numbers/sdp.js';
import { renderFrame, TUNE_FRAMES } from '../../../plugin/embedded-sip/src/numbers/tune.js';
import { FakeClock } from '../../unit/sip/support/fake-clock.js';

/** How strong a frequency is in samples, 0 to about 1 of full scale (one bin of a Fourier transform). */
function strength(samples: readonly number[], sampleRate: number, frequency: number): number {
  let [re, im] = [0, 0];
  for (const [i, sample] of samples.entries()) {
    const angle = (2 * Math.PI * frequency * i) / sampleRate;
    re += sample * Math.cos(angle);
    im += sample * Math.sin(angle);
  }
  return (2 * Math.hypot(re, im)) / samples.length / 32768;
}

const pitch = (midi: number) => 440 * 2 ** ((midi - 69) / 12);
const rates = [8_000, 16_000];

describe('the tune', () => {
  const whole = (rate: number) =>
    Array.from({ length: TUNE_FRAMES }, (_, frame) => [...renderFrame(frame, rate)]).flat();

  it('lasts 16 s in frames of 20 ms', () => {
    expect(TUNE_FRAMES).toBe(800);
    expect(rates.map((rate) => renderFrame(3, rate).length)).toEqual([160, 320]);
  });

  it.each(rates)('at %i Hz is loud enough, never clipped, and without a click, also where it begins again', (rate) => {
    const samples = whole(rate);
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(peak).toBeGreaterThan(8_000);
    expect(peak).toBeLessThan(30_000);
    const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    expect(rms).toBeGreaterThan(1_000);
    // Where frames meet it is no steeper than within them.
    const steps = samples.map((sample, i) => Math.abs(sample - (samples[i - 1] ?? samples.at(-1) ?? 0)));
    const length = rate / 50;
    const steepest = (meeting: boolean) =>
      steps.reduce((most, step, i) => ((i % length === 0) === meeting ? Math.max(most, step) : most), 0);
    expect(steepest(true)).toBeLessThanOrEqual(steepest(false));
    expect(Math.abs(samples.at(-1) ?? 0)).toBeLessThan(200);
  });

  it.each(rates)('at %i Hz plays its notes', (rate) => {
    // First beat of the bars: E5, A5, F5, D5, then E5, D6, A5, C5.
    for (const [bar, midi] of [76, 81, 77, 74, 76, 86, 81, 72].entries()) {
      const frames = [5, 6, 7, 8, 9, 10, 11, 12].map((frame) => [...renderFrame(bar * 100 + frame, rate)]);
      const heard = strength(frames.flat(), rate, pitch(midi));
      const beside = strength(frames.flat(), rate, pitch(midi + 6));
      expect({ bar, heard: heard > 0.05, clear: heard > 4 * beside }).toEqual({ bar, heard: true, clear: true });
    }
  });

  it('is encoded once, each frame in its order, whoever asks', () => {
    const seen: number[] = [];
    const tune = new EncodedTune(8_000, (samples) => Uint8Array.of(seen.push(samples.length)));
    expect([0, 1, 0, 1, 4].map((index) => tune.frame(index)[0])).toEqual([1, 2, 1, 2, 5]);
    tune.frame(TUNE_FRAMES - 1);
    expect(seen).toHaveLength(TUNE_FRAMES);
    expect(tune.frame(TUNE_FRAMES + 1)[0]).toBe(2);
    expect(seen).toHaveLength(TUNE_FRAMES);
  });
});

describe('G.711', () => {
  // Ends of the ranges, the first steps on both sides of zero, and one of every segment's lower ends.
  it.each<[Law, number, number]>([
    ['PCMU', 0, 0xff],
    ['PCMU', -1, 0x7f],
    ['PCMU', 32_767, 0x80],
    ['PCMU', -32_768, 0x00],
    ['PCMU', 124, 0xef],
    ['PCMU', 380, 0xdf],
    ['PCMU', 892, 0xcf],
    ['PCMU', 1_916, 0xbf],
    ['PCMU', 3_964, 0xaf],
    ['PCMU', 8_060, 0x9f],
    ['PCMU', 16_252, 0x8f],
    ['PCMA', 0, 0xd5],
    ['PCMA', -1, 0x55],
    ['PCMA', 32_767, 0xaa],
    ['PCMA', -32_768, 0x2a],
    ['PCMA', 256, 0xc5],
    ['PCMA', 512, 0xf5],
    ['PCMA', 1_024, 0xe5],
    ['PCMA', 2_048, 0x95],
    ['PCMA', 4_096, 0x85],
    ['PCMA', 8_192, 0xb5],
    ['PCMA', 16_384, 0xa5],
  ])('%s of %i is octet %i', (law, sample, octet) => expect(compress(law, Int16Array.of(sample))[0]).toBe(octet));
});

describe('the format a caller gets', () => {
  const formats = musicFormats(() => ({ encode: () => undefined }));
  const choice = (line: string, ...maps: string[]) => {
    const lines = ['v=0', `m=audio 4000 RTP/AVP ${line}`, ...maps.map((map) => `a=rtpmap:${map}`)];
    const [media] = parseSdp(lines.join('\r\n')) ?? [];
    const chosen = media && chooseFormat(media, formats);
    return chosen && `${chosen.payloadType} ${chosen.format.name}`;
  };
  it.each([
    ['0', [], '0 PCMU/8000'],
    ['8 0', [], '8 PCMA/8000'],
    ['0 8', ['0 PCMU/8000', '8 PCMA/8000'], '0 PCMU/8000'],
    ['97 0', ['97 speex/16000'], '97 speex/16000'],
    ['97 0', ['97 SPEEX/8000/1'], '97 speex/8000'],
    ['97 8', ['97 speex/32000'], '8 PCMA/8000'],
    ['96 111 101 9 8', ['96 opus/48000/2', '111 speex/16000', '101 telephone-event/8000'], '111 speex/16000'],
    ['110', ['110 pcmu/8000'], '110 PCMU/8000'],
    ['97', [], undefined],
    ['9 18 101', ['101 telephone-event/8000'], undefined],
    ['0', ['0 opus/48000/2'], undefined],
    ['x 128 -1 *', [], undefined],
  ])('of %s with %j: %s', (line, maps, expected) => expect(choice(line, ...maps)).toBe(expected));

  it('is G.711 alone where there is no Speex encoder', () => {
    expect(musicFormats(undefined).map(({ name }) => name)).toEqual(['PCMU/8000', 'PCMA/8000']);
  });
});

describe('the clock of all calls', () => {
  it('is one timer, runs while somebody listens, and serves each 50 times a second', () => {
    const clock = new FakeClock();
    const player = new MusicPlayer(clock);
    const heard = [0, 0, 0];
    const listeners = heard.map((_, index) => () => {
      heard[index] = (heard[index] ?? 0) + 1;
    });
    for (const listener of listeners) player.add(listener);
    expect(clock.pendingCount).toBe(1);
    clock.advance(1_000);
    expect(heard).toEqual([50, 50, 50]);
    for (const listener of listeners.slice(1)) player.delete(listener);
    clock.advance(1_000);
    expect(heard).toEqual([100, 50, 50]);
    for (const listener of listeners) player.delete(listener);
    expect(clock.pendingCount).toBe(0);
  });

  it('keeps the rate when timers are late, makes up for a short hold-up and lets a long one be a gap', () => {
    let now = 0;
    let due: (() => void) | undefined;
    const player = new MusicPlayer({
      now: () => now,
      schedule: (_milliseconds, call) => {
        due = call;
        return { cancel: () => undefined };
      },
    });
    let heard = 0;
    player.add(() => {
      heard++;
    });
    const at = (time: number) => {
      now = time;
      due?.();
      return heard;
    };
    expect([23, 41, 79, 80].map(at)).toEqual([1, 2, 3, 4]);
    expect(at(145)).toBe(7);
    expect(at(10_000)).toBe(13);
    expect(at(10_020)).toBe(14);
  });
});

describe('a stream of our own', () => {
  it('counts packets and ticks, marks the first, and wraps', () => {
    const stream = new RtpStream();
    const payload = Uint8Array.of(1, 2, 3);
    const packets = Array.from({ length: 70_000 }, () => stream.packet(97, payload, 0x10000));
    const [first, second] = packets;
    if (!first || !second) throw new Error('no packets');
    expect([first[0], first[1], second[1]]).toEqual([0x80, 0x80 | 97, 97]);
    expect(first.subarray(12)).toEqual(Buffer.from(payload));
    for (const [index, packet] of packets.entries()) {
      const sequence = (first.readUInt16BE(2) + index) & 0xffff;
      const timestamp = (first.readUInt32BE(4) + index * 0x10000) % 2 ** 32;
      if (packet.readUInt16BE(2) !== sequence || packet.readUInt32BE(4) !== timestamp) throw new Error(`at ${index}`);
    }
    expect(new Set(packets.map((packet) => packet.readUInt32BE(8))).size).toBe(1);
  });
});
