import { describe, expect, it } from 'vitest';
import { AudioSender } from '../../../plugin/media/audio/audio-sender.js';
import type { RtpPacket } from '../../../plugin/media/rtp/rtp.js';
import { SentPackets } from './sent-packets.js';
import { flv, silence, twoSilences, wideband } from './speex-frames.js';

const out = new SentPackets();

function sender(options: { clockRate?: number; sequence?: number } = {}): AudioSender {
  const { clockRate = 16000, sequence = 100 } = options;
  return new AudioSender({ payloadType: 110, clockRate, ssrc: 42, sequence, timestamp: 0xffffff00, out });
}

/** Returns what is sent of it. */
function write(
  to: AudioSender,
  payload: Uint8Array,
  timestamp: number,
  kind: 'audio' | 'video' = 'audio',
): RtpPacket[] {
  to.write({ kind, timestamp, payload }, timestamp);
  return out.all.splice(0);
}

function payloadOf(packet: RtpPacket | undefined): number[] {
  return [...(packet?.bytes.subarray(packet.start, packet.end) ?? [])];
}

describe('a message of the client', () => {
  it('of one frame is one packet with the same octets', () => {
    const to = sender();
    const [packet, ...more] = write(to, flv(wideband(3)), 0);
    expect(more).toEqual([]);
    expect(packet).toMatchObject({ payloadType: 110, marker: true, sequence: 100, timestamp: 0xffffff00, ssrc: 42 });
    expect(payloadOf(packet)).toEqual([...wideband(3)]);
    expect(to).toMatchObject({ packets: 1, octets: 42 });
  });

  it('of two frames is two packets 20 ms apart', () => {
    const packets = write(sender(), flv(twoSilences), 0);
    expect(packets.map(payloadOf)).toEqual([[...silence], [...silence]]);
    expect(packets).toMatchObject([
      { marker: true, sequence: 100, timestamp: 0xffffff00 },
      { marker: false, sequence: 101, timestamp: 0x40 }, // 320 more, wrapped
    ]);
  });

  it('goes on from one message to the next', () => {
    const to = sender({ sequence: 65535 });
    write(to, flv(twoSilences), 0);
    expect(write(to, flv(wideband(0)), 40)).toMatchObject([{ marker: false, sequence: 1, timestamp: 0x180 }]);
    expect(write(to, flv(wideband(1)), 1060)).toMatchObject([
      { marker: true, sequence: 2, timestamp: 0x180 + 1020 * 16 },
    ]);
  });

  it('may be as long as a second', () => {
    const second = new Uint8Array(Math.ceil((50 * 9) / 8));
    for (let bit = 5; bit < 450; bit += 9) second[bit >> 3] = (second[bit >> 3] ?? 0) | (0x80 >> (bit & 7)); // 000001000 fifty times
    second[56] = (second[56] ?? 0) | 0b00011111; // what is left of the last octet
    const to = sender();
    // The timestamps of the client are 25 ms early once, and then right again.
    const packets = [0, 975, 2000].flatMap((timestamp) => write(to, flv(second), timestamp));
    expect(packets.length).toBe(150);
    expect(packets.filter(({ marker }) => marker).length).toBe(1);
  });

  it('counts 8 ticks per millisecond at 8 kHz', () => {
    const to = sender({ clockRate: 8000 });
    write(to, flv(wideband(0)), 0);
    expect(write(to, flv(wideband(1)), 20)).toMatchObject([{ timestamp: 0xffffff00 + 160 }]);
  });

  it.each([0xb2, 0xb6, 0xb0, 0xbf])('is Speex by its high nibble alone: %i', (octet) => {
    expect(write(sender(), Uint8Array.of(octet, ...wideband(1)), 0).length).toBe(1);
  });

  const refused: [name: string, payload: Uint8Array, kind: 'audio' | 'video', counts: object][] = [
    ['empty', new Uint8Array(0), 'audio', { unsupported: 1 }],
    ['PCMU', Uint8Array.of(0x82, ...new Uint8Array(160)), 'audio', { unsupported: 1 }],
    ['AAC', Uint8Array.of(0xaf, 1, 2, 3), 'audio', { unsupported: 1 }],
    ['video', Uint8Array.of(0xb2, ...wideband(1)), 'video', { unsupported: 1 }],
    ['Speex without a frame', Uint8Array.of(0xb2), 'audio', { malformed: 1 }],
    ['Speex of an invalid mode', flv(Uint8Array.of(0b01001000, 0, 0, 0)), 'audio', { malformed: 1 }],
    ['half a frame', flv(wideband(1).subarray(0, 20)), 'audio', { malformed: 1 }],
    ['16 MB', big(), 'audio', { malformed: 1 }],
  ];
  it.each(refused)('that is %s is counted and dropped', (_name, payload, kind, counts) => {
    const to = sender();
    expect(write(to, payload, 0, kind)).toEqual([]);
    expect(to).toMatchObject({ packets: 0, octets: 0, ...counts });
    expect(write(to, flv(wideband(1)), 20)).toMatchObject([{ marker: true, sequence: 100 }]);
  });
});

describe('another format in the same call', () => {
  it('changes the payload type and goes on', () => {
    const to = sender();
    write(to, flv(wideband(0)), 0);
    to.use({ payloadType: 97, clockRate: 16000 }, 20);
    expect(write(to, flv(wideband(1)), 20)).toMatchObject([{ payloadType: 97, sequence: 101, timestamp: 0x40 }]);
  });

  it('counts on in another clock rate', () => {
    const to = sender();
    write(to, flv(wideband(0)), 0);
    to.use({ payloadType: 97, clockRate: 8000 }, 20);
    write(to, flv(wideband(1)), 20);
    expect(write(to, flv(wideband(2)), 40)).toMatchObject([{ timestamp: 0x40 + 160 }]);
  });
});

/** One frame, the terminator and much that no decoder would read. */
function big(): Uint8Array {
  const payload = new Uint8Array(16 * 2 ** 20);
  payload.set(flv(wideband(1)));
  payload[43] = 0x7f;
  return payload;
}
