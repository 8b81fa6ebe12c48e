import { inspectPacket } from 'speex-wasm';
import { describe, expect, it } from 'vitest';
import type { ClientFrame } from '../../../plugin/call/ports.js';
import { AudioReceiver } from '../../../plugin/media/audio/audio-receiver.js';
import { AudioSender } from '../../../plugin/media/audio/audio-sender.js';
import type { AudioCodec } from '../../../plugin/media/audio/flv-audio.js';
import { opusHeader } from '../../../plugin/media/audio/opus.js';
import { buildRtp, parseRtp } from '../../../plugin/media/rtp/rtp.js';
import { speak } from '../../support/speech.js';
import { speexCodec } from '../../support/speex.js';
import { SentPackets } from './sent-packets.js';

/** Silence as codecs themselves have it: small packets now and then, and between them nothing. */
interface Coded {
  readonly timestamp: number;
  readonly packet: Uint8Array;
}

/** Speech, two seconds of nothing, and speech again, by an encoder that knows voice from silence. */
async function speexWithSilence(): Promise<Coded[]> {
  const speech = await speak('One, two.');
  const samples = Int16Array.from([...speech, ...new Int16Array(32_000), ...speech]);
  const encoder = (await speexCodec()).createEncoder({ sampleRate: 16_000, vbr: true, dtx: true });
  const coded: Coded[] = [];
  for (let at = 0; at + 320 <= samples.length; at += 320) {
    const packet = encoder.encode(samples.subarray(at, at + 320));
    if (packet !== undefined) coded.push({ timestamp: at / 16, packet });
  }
  encoder.free();
  return coded;
}

/** RFC 7587 section 3.1.3: in silence an encoder sends a packet every 400 ms, of as little as its first octet. */
const opusToc = 9 << 3;
const opusWithSilence: readonly Coded[] = [
  ...[0, 20, 40].map((timestamp) => ({ timestamp, packet: Uint8Array.of(opusToc, 1, 2, 3) })),
  ...[60, 460, 860].map((timestamp) => ({ timestamp, packet: Uint8Array.of(opusToc) })),
  ...[1180, 1200].map((timestamp) => ({ timestamp, packet: Uint8Array.of(opusToc, 4, 5) })),
];

const speexWithout = await speexWithSilence();
const clockRates = { speex: 16_000, opus: 48_000 };
const before = { speex: Uint8Array.of(0xb2), opus: opusHeader };

describe.each<['speex' | 'opus', readonly Coded[]]>([
  ['speex', speexWithout],
  ['opus', opusWithSilence],
])('silence in %s', (codec, coded) => {
  const ticks = clockRates[codec] / 1000;

  it('of the far end passes as it is, in time, and is no loss', () => {
    const frames: ClientFrame[] = [];
    const formats = Object.assign(new Array<{ kind: AudioCodec; clockRate: number } | undefined>(128).fill(undefined), {
      98: { kind: codec, clockRate: clockRates[codec] },
    });
    const play = (frame: ClientFrame): boolean => frames.push(frame) > 0;
    const receiver = new AudioReceiver({ formats, player: { play }, receives: new Set([codec]) });
    for (const [sequence, { timestamp, packet }] of coded.entries()) {
      const header = { payloadType: 98, marker: false, sequence, timestamp: timestamp * ticks, ssrc: 7 };
      const rtp = parseRtp(buildRtp(header, packet));
      receiver.receive(typeof rtp === 'string' ? expect.fail(rtp) : rtp, timestamp);
      receiver.tick(timestamp);
    }
    const audio = frames.filter(({ payload }) => payload[0] !== 0x90);
    expect(audio.map(({ timestamp }) => timestamp)).toEqual(coded.map(({ timestamp }) => timestamp));
    expect(audio.map(({ payload }) => [...payload])).toEqual(coded.map(({ packet }) => [...before[codec], ...packet]));
    expect(receiver).toMatchObject({ lost: 0, concealed: 0, malformed: 0, jitter: 0 });
  });

  it('of a client passes as it is, in time, and what follows a pause is marked', () => {
    const out = new SentPackets();
    const sender = new AudioSender({
      ...{ codec, payloadType: 98, clockRate: clockRates[codec], ssrc: 1, sequence: 0, timestamp: 0, noise: 13, out },
    });
    for (const { timestamp, packet } of coded) {
      sender.tick(timestamp);
      const payload = Uint8Array.of(...before[codec], ...packet);
      sender.write({ kind: 'audio', timestamp, payload }, timestamp);
    }
    const packets = out.all;
    expect(packets.map(({ timestamp }) => timestamp / ticks)).toEqual(coded.map(({ timestamp }) => timestamp));
    expect(packets.map(({ bytes, start, end }) => [...bytes.subarray(start, end)])).toEqual(
      coded.map(({ packet }) => [...packet]),
    );
    const marked = packets.filter(({ marker }) => marker).map(({ timestamp }) => timestamp / ticks);
    const paused = coded.filter(({ timestamp }, at) => timestamp - (coded[at - 1]?.timestamp ?? -999) > 40);
    expect(marked).toEqual(paused.map(({ timestamp }) => timestamp));
    expect(sender).toMatchObject({ malformed: 0, late: 0, comfortNoise: 0 });
  });
});

it('Speex was told from silence: there are small packets and there are none', () => {
  const steps = speexWithout.map(({ timestamp }, at) => timestamp - (speexWithout[at - 1]?.timestamp ?? 0));
  expect(Math.max(...steps)).toBeGreaterThan(100);
  expect(Math.min(...speexWithout.map(({ packet }) => packet.length))).toBeLessThan(12);
  expect(speexWithout.every(({ packet }) => inspectPacket(packet).ok)).toBe(true);
});
