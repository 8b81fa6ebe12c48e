import { describe, expect, it } from 'vitest';
import type { ClientFrame } from '../../../plugin/call/ports.js';
import { AudioReceiver } from '../../../plugin/media/audio/audio-receiver.js';
import type { ReceiveFormats } from '../../../plugin/media/negotiation/formats.js';
import { buildRtp, parseRtp } from '../../../plugin/media/rtp/rtp.js';
import { flv, silence, twoSilences, wideband } from './speex-frames.js';

const formats: ReceiveFormats = Object.assign(new Array(128).fill(undefined), {
  96: { kind: 'speex', clockRate: 16000 },
  97: { kind: 'speex', clockRate: 8000 },
  100: { kind: 'telephone-event', clockRate: 16000 },
});

interface Sent {
  readonly sequence: number;
  readonly timestamp?: number;
  readonly arrival?: number;
  readonly payload?: Uint8Array;
  readonly payloadType?: number;
  readonly ssrc?: number;
}

class Far {
  readonly frames: ClientFrame[] = [];
  accepting = true;
  readonly receiver = new AudioReceiver({
    formats,
    player: {
      play: (frame) => {
        if (this.accepting) this.frames.push(frame);
        return this.accepting;
      },
    },
    reorder: { packets: 4, wait: 40 },
  });

  send(...all: (number | Sent)[]): this {
    for (const one of all) {
      const sent = typeof one === 'number' ? { sequence: one } : one;
      const { sequence, timestamp = sequence * 320, payload = wideband(sequence), payloadType = 96, ssrc = 7 } = sent;
      const packet = parseRtp(buildRtp({ payloadType, marker: false, sequence, timestamp, ssrc }, payload));
      if (typeof packet === 'string') throw new Error(packet);
      this.receiver.receive(packet, sent.arrival ?? sequence * 20);
    }
    return this;
  }

  get timestamps(): number[] {
    return this.frames.map(({ timestamp }) => timestamp);
  }
}

describe('packets of the far end', () => {
  it('become messages with the same octets behind the FLV octet, from 0', () => {
    const far = new Far().send(10, 11, 12);
    expect(far.timestamps).toEqual([0, 20, 40]);
    expect(far.frames.map(({ kind, payload }) => [kind, ...payload])).toEqual(
      [10, 11, 12].map((seed) => ['audio', ...flv(wideband(seed))]),
    );
    expect(far.receiver).toMatchObject({ packets: 3, octets: 126, lost: 0 });
  });

  it('behind CSRCs, an extension and before padding are found', () => {
    const far = new Far();
    const header = [0xb1, 96, 0, 5, 0, 0, 0, 0, 0, 0, 0, 7, 1, 1, 1, 1, 0xbe, 0xde, 0, 1, 2, 2, 2, 2];
    const packet = parseRtp(Uint8Array.of(...header, ...wideband(1), 0, 2));
    if (typeof packet === 'string') throw new Error(packet);
    far.receiver.receive(packet, 0);
    expect(far.frames.map(({ payload }) => [...payload])).toEqual([[...flv(wideband(1))]]);
  });

  it('of two frames become two messages', () => {
    const far = new Far().send({ sequence: 1, payload: twoSilences }, { sequence: 2, timestamp: 960 });
    expect(far.timestamps).toEqual([0, 20, 40]);
    expect(far.frames.slice(0, 2).map(({ payload }) => [...payload])).toEqual([[...flv(silence)], [...flv(silence)]]);
  });

  it('are in what the last answer says that their payload type means', () => {
    const far = new Far().send(1, 2);
    far.receiver.use(Object.assign([...formats], { 96: { kind: 'telephone-event', clockRate: 16000 } }));
    far.send(3);
    expect(far.receiver).toMatchObject({ played: 2, telephoneEvents: 1 });
    far.receiver.use(formats);
    far.send(4);
    expect(far.receiver).toMatchObject({ played: 3, telephoneEvents: 1 });
  });

  it('are put in order, and duplicates dropped', () => {
    const far = new Far().send(1, 3, 2, 2, 3, 4);
    expect(far.timestamps).toEqual([0, 20, 40, 60]);
    expect(far.receiver.window).toMatchObject({ reordered: 1, duplicates: 2 });
    expect(far.receiver).toMatchObject({ packets: 6, lost: 0 });
  });

  it('that are lost leave a gap in time', () => {
    const far = new Far().send(1, { sequence: 3, arrival: 60 });
    expect(far.timestamps).toEqual([0]);
    far.receiver.tick(99);
    expect(far.timestamps).toEqual([0]);
    far.receiver.tick(100);
    expect(far.timestamps).toEqual([0, 40]);
    expect(far.receiver.lost).toBe(1);
  });

  it('that come too late are dropped, and are not lost', () => {
    const far = new Far().send(1, 3, 4, 5, { sequence: 2, arrival: 110 });
    expect(far.timestamps).toEqual([0, 40, 60, 80]);
    expect(far.receiver.window.late).toBe(1);
    expect(far.receiver.lost).toBe(0);
  });

  it('from a new source go on in time', () => {
    const far = new Far().send(
      { sequence: 1, arrival: 0 },
      { sequence: 2, arrival: 20 },
      { sequence: 40000, timestamp: 5, ssrc: 8, arrival: 90 },
      { sequence: 40001, timestamp: 325, ssrc: 8, arrival: 110 },
    );
    expect(far.timestamps).toEqual([0, 20, 90, 110]);
    expect(far.receiver).toMatchObject({ ssrc: 8, lost: 0 });
  });

  it('that waited when the source changed are played before', () => {
    const far = new Far().send(1, 3, { sequence: 9, ssrc: 8, arrival: 60 });
    expect(far.timestamps).toEqual([0, 40, 60]);
  });

  it('at another clock rate go on in time', () => {
    const far = new Far().send(
      1,
      { sequence: 2, payloadType: 97, timestamp: 0 },
      { sequence: 3, payloadType: 97, timestamp: 160 },
    );
    expect(far.timestamps).toEqual([0, 20, 40]);
  });

  it('of telephone events and of unknown types are counted, and leave no gap', () => {
    const event = Uint8Array.of(5, 0x0a, 0, 160);
    const far = new Far().send(
      1,
      { sequence: 2, payloadType: 100, payload: event },
      { sequence: 3, payloadType: 13 },
      4,
    );
    expect(far.timestamps).toEqual([0, 60]);
    expect(far.receiver).toMatchObject({ telephoneEvents: 1, unknownPayloadType: 1, lost: 0 });
  });

  it('that are no Speex are counted and dropped', () => {
    const bad = Uint8Array.of(0b01001000, 0, 0, 0);
    const far = new Far().send(1, { sequence: 2, payload: bad }, { sequence: 3, payload: Uint8Array.of() }, 4);
    expect(far.timestamps).toEqual([0, 60]);
    expect(far.receiver.malformed).toBe(2);
  });

  it('that the client does not take are counted and gone', () => {
    const far = new Far().send(1);
    far.accepting = false;
    far.send(2, 3);
    far.accepting = true;
    far.send(4);
    expect(far.timestamps).toEqual([0, 60]);
    expect(far.receiver.droppedSlowReader).toBe(2);
  });
});

describe('jitter (RFC 3550 appendix A.8)', () => {
  it('is 0 for packets as regular as their timestamps', () => {
    expect(new Far().send(1, 2, 3, 4).receiver.jitter).toBe(0);
  });

  it('does not compare the packets of two sources', () => {
    const far = new Far().send(1, 2, { sequence: 9, timestamp: 99_999, ssrc: 8, arrival: 60 });
    expect(far.receiver.jitter).toBe(0);
  });

  it('moves by a sixteenth of each difference', () => {
    const far = new Far().send({ sequence: 1, arrival: 0 }, { sequence: 2, arrival: 36 });
    expect(far.receiver.jitter).toBe(1); // 16 ms later than expected
    far.send({ sequence: 3, arrival: 40 }); // 16 ms earlier
    expect(far.receiver.jitter).toBe(1 + 15 / 16);
  });

  it('takes no jump of the timestamps for jitter: a server that joins two legs keeps the source', () => {
    const far = new Far();
    for (let at = 0; at < 50; at++) far.send({ sequence: at, timestamp: at * 320 });
    for (let at = 50; at < 100; at++) far.send({ sequence: at, timestamp: 3_000_000_000 + at * 320 });
    expect(far.receiver).toMatchObject({ jitter: 0, lost: 0 });
    expect(far.receiver.window.wait).toBe(40);
    expect(far.timestamps).toEqual(Array.from({ length: 100 }, (_, at) => at * 20));
  });

  it('is measured on behind a jump, from where it was', () => {
    const far = new Far().send({ sequence: 1, arrival: 0 }, { sequence: 2, arrival: 36 });
    far.send({ sequence: 3, timestamp: 9_000_000, arrival: 56 });
    expect(far.receiver.jitter).toBe(1);
    far.send({ sequence: 4, timestamp: 9_000_320, arrival: 60 });
    expect(far.receiver.jitter).toBe(1 + 15 / 16);
  });

  it('counts a stall of the network, and what comes at once behind it', () => {
    const far = new Far().send(1, 2, ...[3, 4, 5].map((sequence) => ({ sequence, arrival: 500 })));
    expect(far.receiver.jitter).toBeGreaterThan(20);
  });
});
