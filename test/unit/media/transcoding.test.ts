import { inspectPacket, joinPackets } from 'speex-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ClientFrame } from '../../../plugin/call/ports.js';
import { AudioReceiver } from '../../../plugin/media/audio/audio-receiver.js';
import { AudioSender, type SendFormat } from '../../../plugin/media/audio/audio-sender.js';
import { flvOctet } from '../../../plugin/media/audio/flv-audio.js';
import { compress, expand, type Law } from '../../../plugin/media/audio/g711.js';
import { Downsampler, Upsampler } from '../../../plugin/media/audio/resampler.js';
import { agreeAudio } from '../../../plugin/media/negotiation/formats.js';
import { buildRtp, parseRtp, type RtpPacket } from '../../../plugin/media/rtp/rtp.js';
import { compareSpeech } from '../../support/compare-speech.js';
import { speak } from '../../support/speech.js';
import { speexCodec } from '../../support/speex.js';
import { SentPackets } from './sent-packets.js';
import { transcodingFormats } from './transcoding-formats.js';

const codec = await speexCodec();
const transcoding = { codec };
const laws = ['pcmu', 'pcma'] as const;

/** 16 kHz. */
let speech: Int16Array = new Int16Array();
/** What G.711 keeps of it. */
let telephone: Int16Array = new Int16Array();
let speexPackets: Uint8Array[] = [];
beforeAll(async () => {
  speech = await speak();
  telephone = new Downsampler().process(speech.subarray(0, speech.length & ~1));
  const encoder = codec.createEncoder({ sampleRate: 16000 });
  speexPackets = frames(speech, 320).flatMap((frame) => encoder.encode(frame) ?? []);
  encoder.free();
});

function frames(samples: Int16Array, size: number): Int16Array[] {
  return Array.from({ length: Math.floor(samples.length / size) }, (_, at) =>
    samples.subarray(at * size, (at + 1) * size),
  );
}

function concat(parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

/** G.711 or narrowband samples as those of the original's rate. */
const widen = (samples: Int16Array): Int16Array => new Upsampler().process(samples);

function decodeSpeex(packets: readonly Uint8Array[], sampleRate: 8000 | 16000): Int16Array {
  const decoder = codec.createDecoder({ sampleRate });
  const parts = packets.map((packet) => {
    const decoded = decoder.decode(packet);
    return decoded.ok ? decoded.samples : expect.fail(decoded.fault);
  });
  decoder.free();
  return concat(parts);
}

const payloadOf = ({ bytes, start, end }: RtpPacket): Uint8Array => bytes.subarray(start, end);

class Client {
  readonly #sent = new SentPackets();
  readonly sender: AudioSender;

  constructor(format: SendFormat) {
    this.sender = new AudioSender({ ...format, transcoding, ssrc: 1, sequence: 0, timestamp: 0, out: this.#sent });
  }

  get packets(): readonly RtpPacket[] {
    return this.#sent.all;
  }

  write(body: Uint8Array, timestamp: number): void {
    this.sender.write({ kind: 'audio', timestamp, payload: body }, timestamp);
  }

  speex(packet: Uint8Array, timestamp: number): void {
    this.write(Uint8Array.of(flvOctet.speex, ...packet), timestamp);
  }

  /** The speech as a client of G.711 sends it: in messages of uneven length. */
  g711(law: Law): void {
    const octets = compress(law, telephone);
    for (let at = 0, step = 170; at < octets.length; at += step, step = step === 170 ? 186 : 170) {
      this.write(Uint8Array.of(flvOctet[law], ...octets.subarray(at, at + step)), Math.round(at / 8));
    }
  }
}

const pcmu: SendFormat = { codec: 'pcmu', payloadType: 0, clockRate: 8000 };
const pcma: SendFormat = { codec: 'pcma', payloadType: 8, clockRate: 8000 };
const wideband: SendFormat = { codec: 'speex', payloadType: 110, clockRate: 16000 };
const narrowband: SendFormat = { codec: 'speex', payloadType: 111, clockRate: 8000 };

describe('a client of Speex and a far end of G.711', () => {
  it.each([
    [pcmu, 20],
    [pcma, 20],
    [pcmu, 30],
    [pcma, 10],
    [pcma, 60],
  ])('the far end hears the speech: %o in packets of %i ms', (format, packetDuration) => {
    const client = new Client({ ...format, packetDuration });
    for (const [index, packet] of speexPackets.entries()) client.speex(packet, index * 20);
    const law = format.codec as Law;
    for (const [index, packet] of client.packets.entries()) {
      expect(packet).toMatchObject({ payloadType: format.payloadType, sequence: index, marker: index === 0 });
      expect(packet.timestamp).toBe(index * packetDuration * 8);
      expect(packet.end - packet.start).toBe(packetDuration * 8);
    }
    const heard = widen(concat(client.packets.map((packet) => expand(law, payloadOf(packet)))));
    expect(heard.length).toBeGreaterThan(speech.length - 320 - packetDuration * 16);
    const compared = compareSpeech(speech, heard);
    expect(compared.correlation).toBeGreaterThan(0.9);
    expect(compared.longestGapMs).toBeLessThanOrEqual(40);
    // Frame, look-ahead and the two filters.
    expect(Math.abs(compared.lagMs)).toBeLessThanOrEqual(50);
    expect(client.sender).toMatchObject({ transcoded: client.packets.length, malformed: 0, concealed: 0 });
    client.sender.free();
  });

  it('messages of several frames are as many packets', () => {
    const client = new Client(pcmu);
    const joined = joinPackets(speexPackets.slice(0, 4));
    client.speex(joined.ok ? joined.packet : expect.fail(joined.fault), 0);
    expect(client.packets.map(({ timestamp }) => timestamp)).toEqual([0, 160, 320, 480]);
    client.sender.free();
  });

  it('makes up what is missing for up to 100 ms, and leaves a longer silence', () => {
    const client = new Client(pcmu);
    const at = 60;
    for (let index = 0; index < at; index++) client.speex(speexPackets[index] ?? new Uint8Array(), index * 20);
    client.speex(speexPackets[at + 4] ?? new Uint8Array(), (at + 4) * 20);
    expect(client.sender.concealed).toBe(4);
    expect(client.packets.map(({ timestamp }) => timestamp)).toEqual(
      Array.from({ length: at + 5 }, (_, index) => index * 160),
    );
    expect(client.packets.some(({ marker }, index) => marker && index > 0)).toBe(false);
    client.speex(speexPackets[at + 5] ?? new Uint8Array(), 5000);
    expect(client.packets.at(-1)).toMatchObject({ marker: true, timestamp: 40_000, sequence: at + 5 });
    expect(client.sender.concealed).toBe(4);
    client.sender.free();
  });

  it('counts what is no Speex, and goes on', () => {
    const client = new Client(pcmu);
    client.speex(Uint8Array.of(0x50), 0);
    client.speex(new Uint8Array(), 0);
    client.speex(speexPackets[0] ?? new Uint8Array(), 0);
    expect(client.sender).toMatchObject({ malformed: 2, packets: 1 });
    client.sender.free();
  });
});

describe('a client of G.711', () => {
  it.each(laws)('passes to a far end of the same law: the same octets, in packets of 20 ms (%s)', (law) => {
    const client = new Client(law === 'pcmu' ? pcmu : pcma);
    client.g711(law);
    const heard = Buffer.concat(client.packets.map(payloadOf));
    expect(heard.equals(Buffer.from(compress(law, telephone)).subarray(0, heard.length))).toBe(true);
    expect(heard.length).toBeGreaterThan(telephone.length - 160);
    expect(client.packets.map(({ timestamp }) => timestamp)).toEqual(client.packets.map((_, index) => index * 160));
    expect(client.sender).toMatchObject({ transcoded: 0, clientCodec: law });
  });

  it('is converted for a far end of the other law', () => {
    const client = new Client(pcma);
    client.g711('pcmu');
    const heard = concat(client.packets.map((packet) => expand('pcma', payloadOf(packet))));
    expect(compareSpeech(speech, widen(heard)).correlation).toBeGreaterThan(0.95);
    expect(client.sender.transcoded).toBe(client.packets.length);
  });

  it.each([
    [wideband, 16000, 0.9],
    [narrowband, 8000, 0.8],
  ] as const)('is heard by a far end of Speex: %o', (format, rate, likeness) => {
    const client = new Client(format);
    client.g711('pcma');
    const heard = decodeSpeex(client.packets.map(payloadOf), rate);
    const compared = compareSpeech(speech, rate === 8000 ? widen(heard) : heard);
    expect(compared.correlation).toBeGreaterThan(likeness);
    expect(compared.longestGapMs).toBeLessThanOrEqual(40);
    expect(client.packets[1]?.timestamp).toBe(rate / 50);
    client.sender.free();
  });
});

describe('a far end that takes several codecs', () => {
  const several: SendFormat = { ...wideband, others: [narrowband, pcma, pcmu] };

  it('gets what the client sends, as it is, and what it prefers of the rest', () => {
    const client = new Client(several);
    client.speex(speexPackets[0] ?? new Uint8Array(), 0);
    client.write(new Uint8Array(161).fill(0x82, 0, 1), 20);
    client.write(new Uint8Array(161).fill(0x72, 0, 1), 40);
    client.speex(speexPackets[1] ?? new Uint8Array(), 60);
    expect(client.packets.map(({ payloadType }) => payloadType)).toEqual([110, 0, 8, 110]);
    expect(client.sender).toMatchObject({ transcoded: 0, codec: 'speex', clockRate: 16000 });
    client.sender.free();
  });

  it('gets the next best when it takes that no more', () => {
    const client = new Client(several);
    client.write(new Uint8Array(161).fill(0x82, 0, 1), 0);
    client.sender.use({ ...wideband, others: [pcma] }, 20);
    client.write(new Uint8Array(161).fill(0x82, 0, 1), 20);
    expect(client.packets.map(({ payloadType }) => payloadType)).toEqual([0, 8]);
    expect(client.sender.transcoded).toBe(1);
    client.sender.free();
  });
});

describe('a client that changes', () => {
  it('to G.711 and back goes on in one stream', () => {
    const client = new Client(pcmu);
    for (let index = 0; index < 5; index++) client.speex(speexPackets[index] ?? new Uint8Array(), index * 20);
    for (let index = 5; index < 10; index++) {
      client.write(new Uint8Array(161).fill(0x82, 0, 1), index * 20);
    }
    expect(client.packets.map(({ sequence, timestamp }) => [sequence, timestamp])).toEqual(
      Array.from({ length: 10 }, (_, index) => [index, index * 160]),
    );
    expect(client.sender.clientCodec).toBe('pcmu');
    client.sender.free();
  });

  it('or a far end that does, goes on in one stream too, and memory is given back', () => {
    const client = new Client(wideband);
    client.speex(speexPackets[0] ?? new Uint8Array(), 0);
    client.sender.use(pcmu, 20);
    client.speex(speexPackets[1] ?? new Uint8Array(), 20);
    client.sender.use(wideband, 40);
    client.speex(speexPackets[2] ?? new Uint8Array(), 40);
    expect(client.packets.map(({ payloadType, sequence }) => [payloadType, sequence])).toEqual([
      [110, 0],
      [0, 1],
      [110, 2],
    ]);
    const { memory } = codec;
    for (let round = 0; round < 200; round++) {
      client.sender.use(round % 2 === 0 ? pcma : wideband, 40);
      client.speex(speexPackets[3] ?? new Uint8Array(), 60 + round * 20);
    }
    expect(codec.memory).toBe(memory);
    client.sender.free();
  });
});

describe('a far end of G.711', () => {
  const { receive } = agreeAudio(
    {
      address: '192.0.2.1',
      media: [
        {
          ...{ kind: 'audio', port: 4000, protocol: 'RTP/AVP', direction: 'sendrecv' },
          formats: [{ payloadType: 0, encoding: 'pcmu', clockRate: 8000 }],
        },
      ],
    },
    transcodingFormats,
  );

  class Far {
    readonly frames: ClientFrame[] = [];
    #sequence = 0;
    readonly receiver = new AudioReceiver({
      formats: receive,
      player: { play: (frame) => this.frames.push(frame) > 0 },
      transcoding,
    });

    /** @param at sample that the packet begins with */
    send(law: Law, octets: Uint8Array, at: number, skipped = 0): void {
      const payloadType = law === 'pcmu' ? 0 : 8;
      this.#sequence += 1 + skipped;
      const header = { payloadType, marker: false, sequence: this.#sequence, timestamp: at, ssrc: 9 };
      const packet = parseRtp(buildRtp(header, octets));
      if (typeof packet === 'string') throw new Error(packet);
      this.receiver.receive(packet, at / 8);
    }

    speech(law: Law, size: number): void {
      const octets = compress(law, telephone);
      for (let at = 0; at + size <= octets.length; at += size) this.send(law, octets.subarray(at, at + size), at);
    }
  }

  it.each([
    ['pcmu', 160],
    ['pcma', 160],
    ['pcmu', 240],
    ['pcma', 80],
    ['pcmu', 480],
  ] as const)('is heard as wideband Speex, one frame to a message: %s in packets of %i octets', (law, size) => {
    const far = new Far();
    far.speech(law, size);
    expect(far.frames.map(({ timestamp }) => timestamp)).toEqual(far.frames.map((_, index) => index * 20));
    for (const { payload } of far.frames) {
      expect(payload[0]).toBe(0xb2);
      expect(inspectPacket(payload.subarray(1))).toMatchObject({ ok: true, band: 'wideband', ends: { length: 1 } });
    }
    const heard = decodeSpeex(
      far.frames.map(({ payload }) => payload.subarray(1)),
      16000,
    );
    const compared = compareSpeech(speech, heard);
    expect(compared.correlation).toBeGreaterThan(0.9);
    expect(compared.longestGapMs).toBeLessThanOrEqual(40);
    expect(far.receiver).toMatchObject({ lost: 0, malformed: 0, unknownPayloadType: 0 });
    far.receiver.free();
  });

  it.each([
    ['pcmu', 'pcmu', 0x82],
    ['pcma', 'pcma', 0x72],
    ['pcma', 'pcmu', 0x72],
  ] as const)('of %s is heard as it is by a client that sends %s itself', (law, clientCodec, octet) => {
    const far = new Far();
    far.receiver.clientSends(clientCodec);
    far.send(
      law,
      Uint8Array.from({ length: 200 }, (_, at) => at),
      0,
    );
    expect([...(far.frames[0]?.payload ?? [])]).toEqual([octet, ...Array.from({ length: 200 }, (_, at) => at)]);
    expect(far.receiver.transcoded).toBe(0);
  });

  it('what is lost is made up for 100 ms, and the frames keep their times', () => {
    const far = new Far();
    const octets = compress('pcmu', telephone);
    const frame = (index: number): Uint8Array => octets.subarray(index * 160, index * 160 + 160);
    for (let index = 0; index < 50; index++) far.send('pcmu', frame(index), index * 160);
    far.send('pcmu', frame(54), 54 * 160, 4);
    far.receiver.tick(54 * 20 + 100);
    far.send('pcmu', frame(55), 55 * 160);
    expect(far.frames.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 56 }, (_, index) => index * 20));
    expect(far.receiver).toMatchObject({ concealed: 4, lost: 4 });
    far.receiver.free();
  });

  it('that is silent for a while, and sends nothing, leaves a gap in the times', () => {
    const far = new Far();
    const frame = compress('pcmu', telephone.subarray(0, 160));
    far.send('pcmu', frame, 0);
    far.send('pcmu', frame, 16_000);
    expect(far.frames.map(({ timestamp }) => timestamp)).toEqual([0, 2000]);
    expect(far.receiver.concealed).toBe(0);
    far.receiver.free();
  });

  it('that sends nothing in a packet, or more than 200 ms, is counted', () => {
    const far = new Far();
    far.send('pcmu', new Uint8Array(), 0);
    far.send('pcmu', new Uint8Array(1601), 160);
    expect(far.receiver.malformed).toBe(2);
    expect(far.frames).toEqual([]);
  });
});
