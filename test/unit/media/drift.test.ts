import { describe, expect, it } from 'vitest';
import { AudioReceiver } from '../../../plugin/media/audio/audio-receiver.js';
import { AudioSender } from '../../../plugin/media/audio/audio-sender.js';
import type { ReceiveFormats } from '../../../plugin/media/negotiation/formats.js';
import { buildRtp, parseRtp } from '../../../plugin/media/rtp/rtp.js';

/** An hour of a source whose clock is wrong by ten times what quartz is, and of ours. */
const hour = 3_600_000;
const rates = [0.999, 1, 1.001];

const formats: ReceiveFormats = Object.assign(new Array(128).fill(undefined), {
  0: { kind: 'pcmu', clockRate: 8000 },
  13: { kind: 'cn', clockRate: 8000 },
});

describe.each(rates)('over an hour, of a clock that runs %d times as fast as ours', (rate) => {
  it('what a client says goes on at once, and its timestamps stay with it', () => {
    // FFmpeg's messages: no multiple of a packet.
    const message = Uint8Array.of(0x82, ...new Uint8Array(186).fill(0xff));
    const length = 186 / 8;
    let sent = 0;
    let last = 0;
    let [most, least] = [0, 0];
    const sendRtp = (packet: Buffer): void => {
      sent++;
      last = packet.readUInt32BE(4) / 8;
    };
    const sender = new AudioSender({
      ...{ codec: 'pcma', payloadType: 8, clockRate: 8000, ssrc: 1, sequence: 0, timestamp: 0, out: { sendRtp } },
    });
    for (let said = 0; said < hour; said += length) {
      const payload = Uint8Array.from(message);
      sender.write({ kind: 'audio', timestamp: Math.floor(said), payload }, said / rate);
      const behind = said + length - (last + 20);
      [most, least] = [Math.max(most, behind), Math.min(least, behind)];
    }
    // Never more is kept than what is not a packet yet, and the jitter of timestamps in whole milliseconds.
    expect(most).toBeLessThan(25);
    expect(least).toBeGreaterThan(-25);
    expect(Math.abs(sent * 20 - hour)).toBeLessThan(60);
    expect(sender).toMatchObject({ late: 0, malformed: 0 });
  });

  it('what a client hears follows the far end, through silence that we fill by our own clock', () => {
    let last = -20;
    let [most, least, back, holes] = [0, 0, 0, 0];
    let now = 0;
    const receiver = new AudioReceiver({
      formats,
      receives: new Set(['pcmu']),
      player: {
        play: ({ timestamp }) => {
          if (timestamp <= last) back++;
          if (timestamp - last > 40) holes++;
          last = timestamp;
          const delay = now - timestamp / rate;
          [most, least] = [Math.max(most, delay), Math.min(least, delay)];
          return true;
        },
      },
    });
    let sequence = 0;
    const send = (payloadType: number, payload: Uint8Array, timestamp: number): void => {
      const header = { payloadType, marker: false, sequence: sequence++ & 0xffff, timestamp: timestamp * 8, ssrc: 7 };
      const packet = parseRtp(buildRtp(header, payload));
      receiver.receive(typeof packet === 'string' ? expect.fail(packet) : packet, now);
    };
    const speech = new Uint8Array(160).fill(0xff);
    // Half a minute each of speech and of silence.
    for (let said = 0; said < hour; said += 20) {
      now = said / rate;
      receiver.tick(now);
      const position = said % 60_000;
      if (position < 30_000) send(0, speech, said);
      else if (position === 30_000) send(13, Uint8Array.of(60), said);
    }
    expect({ back, holes }).toEqual({ back: 0, holes: 0 });
    // Noise is heard 60 ms late, and by 30 ms more or less after half a minute of a wrong clock.
    expect(most).toBeLessThan(140);
    expect(least).toBeGreaterThan(-140);
    expect(receiver).toMatchObject({ lost: 0, concealed: 0, malformed: 0 });
    expect(receiver.jitter).toBeLessThan(1);
  });
});
