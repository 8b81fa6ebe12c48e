import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientFrame } from '../../../plugin/call/ports.js';
import { AudioReceiver } from '../../../plugin/media/audio/audio-receiver.js';
import { AudioSender } from '../../../plugin/media/audio/audio-sender.js';
import { opusDuration, opusSequenceStart, readOpusMessage } from '../../../plugin/media/audio/opus.js';
import type { ReceiveFormats } from '../../../plugin/media/negotiation/formats.js';
import { buildRtp, parseRtp, type RtpPacket } from '../../../plugin/media/rtp/rtp.js';
import { SentPackets } from './sent-packets.js';

/** RFC 6716 section 3.1: configuration (5 bits), stereo (1), frame count code (2). */
const toc = (configuration: number, code: number, stereo = 0): number => (configuration << 3) | (stereo << 2) | code;

describe('the duration of an Opus packet', () => {
  it.each([
    ['SILK, 10 ms', [toc(0, 0), 1, 2], 10],
    ['SILK wideband, 60 ms', [toc(11, 0)], 60],
    ['hybrid, 20 ms', [toc(15, 0, 1)], 20],
    ['CELT, 2.5 ms', [toc(16, 0)], 2.5],
    ['CELT, 20 ms', [toc(31, 0)], 20],
    ['two frames of one size', [toc(1, 1), 1, 2], 40],
    ['two frames of two sizes', [toc(3, 2), 1, 2], 120],
    ['six frames of 20 ms', [toc(1, 3), 6], 120],
    ['48 frames of 2.5 ms, VBR and padded', [toc(16, 3), 0xc0 | 48], 120],
  ])('of %s', (_, packet, duration) => expect(opusDuration(Uint8Array.from(packet))).toBe(duration));

  it.each([
    ['nothing', []],
    ['no frame', [toc(1, 3), 0]],
    ['a frame count that is cut off', [toc(1, 3)]],
    ['more than 120 ms', [toc(1, 3), 7]],
    ['63 frames', [toc(3, 3), 63]],
  ])('is none of %s', (_, packet) => expect(opusDuration(Uint8Array.from(packet))).toBeUndefined());

  it('is found or not for any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const duration = opusDuration(bytes) ?? 2.5;
        expect(duration).toBeGreaterThanOrEqual(2.5);
        expect(duration).toBeLessThanOrEqual(120);
        readOpusMessage(bytes);
      }),
    );
  });
});

it('opens a stream with an identification header', () => {
  expect(Buffer.from(opusSequenceStart(2)).toString('hex')).toBe(
    [
      '90', // ExHeader, SequenceStart
      '4f707573', // Opus
      '4f70757348656164', // OpusHead
      '01', // version
      '02', // channels
      '0000', // pre-skip
      '80bb0000', // 48,000 Hz
      '0000', // gain
      '00', // mapping family
    ].join(''),
  );
});

const opus20 = Uint8Array.of(toc(9, 0), 1, 2, 3);
const message = (type: number, packet: Uint8Array): Uint8Array =>
  Uint8Array.of(0x90 | type, 0x4f, 0x70, 0x75, 0x73, ...packet);

class Client {
  readonly #sent = new SentPackets();
  readonly refused: string[] = [];
  readonly sender = new AudioSender({
    ...{ codec: 'opus', payloadType: 111, clockRate: 48000, ssrc: 1, sequence: 0, timestamp: 0 },
    out: this.#sent,
    refused: (reason) => this.refused.push(reason),
  });

  get packets(): readonly RtpPacket[] {
    return this.#sent.all;
  }

  write(payload: Uint8Array, timestamp: number): this {
    this.sender.write({ kind: 'audio', timestamp, payload }, timestamp);
    return this;
  }
}

describe('messages of Enhanced RTMP', () => {
  it('become packets with the same octets, on a clock of 48 kHz', () => {
    const stereo60 = Uint8Array.of(toc(11, 0, 1), 9);
    const client = new Client().write(message(0, Buffer.from('OpusHead')), 0);
    client.write(message(1, opus20), 0).write(message(1, stereo60), 20).write(message(1, opus20), 80);
    expect(client.packets.map(({ timestamp }) => timestamp)).toEqual([0, 960, 3840]);
    expect(client.packets.map(({ bytes, start, end }) => [...bytes.subarray(start, end)])).toEqual(
      [opus20, stereo60, opus20].map((packet) => [...packet]),
    );
    expect(client.sender).toMatchObject({ clientCodec: 'opus', codec: 'opus', transcoded: 0, malformed: 0 });
  });

  it('whose packets are none are counted and dropped', () => {
    const client = new Client();
    client.write(message(1, new Uint8Array()), 0).write(message(1, Uint8Array.of(toc(1, 3), 0)), 20);
    client.write(message(2, new Uint8Array()), 40).write(message(1, opus20), 60);
    expect(client.packets.length).toBe(1);
    expect(client.sender).toMatchObject({ malformed: 2, unsupported: 0 });
  });

  it('in another codec, or cut off, are counted and dropped', () => {
    const client = new Client();
    client.write(Buffer.from('\x91fLaC....', 'latin1'), 0).write(Uint8Array.of(0x91, 0x4f, 0x70), 20);
    expect(client.sender).toMatchObject({ unsupported: 2, clientCodec: undefined });
  });

  it('are refused in words where the far end takes Opus and the client sends Speex', () => {
    const client = new Client().write(Uint8Array.of(0xb2, 0x04, 0x3f), 0);
    expect(client.packets).toEqual([]);
    expect(client.refused).toEqual([expect.stringMatching(/the client sends Speex, the far end Opus/)]);
  });
});

it('Opus of a client whose far end has none is refused in words where there is no FFmpeg', () => {
  const refused: string[] = [];
  const sender = new AudioSender({
    ...{ codec: 'pcmu', payloadType: 0, clockRate: 8000, ssrc: 1, sequence: 0, timestamp: 0 },
    out: { sendRtp: () => expect.fail('sent') },
    refused: (reason) => refused.push(reason),
  });
  sender.write({ kind: 'audio', timestamp: 0, payload: message(1, opus20) }, 0);
  expect(refused).toEqual([
    expect.stringMatching(/sends Opus, the far end G.711 mu-law; that takes FFmpeg: install it/),
  ]);
  expect(sender.unsupported).toBe(1);
});

describe('packets of a far end', () => {
  const formats: ReceiveFormats = Object.assign(new Array(128).fill(undefined), {
    98: { kind: 'opus', clockRate: 48000 },
  });

  function receive(payloads: readonly Uint8Array[], play: (frame: ClientFrame) => boolean): AudioReceiver {
    const receiver = new AudioReceiver({ formats, player: { play }, receives: new Set(['opus']) });
    for (const [sequence, payload] of payloads.entries()) {
      const header = { payloadType: 98, marker: false, sequence, timestamp: sequence * 960, ssrc: 7 };
      const packet = parseRtp(buildRtp(header, payload));
      receiver.receive(typeof packet === 'string' ? expect.fail(packet) : packet, sequence * 20);
    }
    return receiver;
  }

  it('become messages behind a sequence header', () => {
    const frames: ClientFrame[] = [];
    const receiver = receive([opus20, opus20, new Uint8Array()], (frame) => frames.push(frame) > 0);
    expect(frames.map(({ timestamp, payload }) => [timestamp, ...payload])).toEqual([
      [0, ...opusSequenceStart(1)],
      [0, ...message(1, opus20)],
      [20, ...message(1, opus20)],
    ]);
    expect(receiver).toMatchObject({ heard: 'opus', malformed: 1, transcoded: 0 });
  });

  it('come behind another header once somebody plays, and every five seconds', () => {
    const taken: number[] = [];
    let offered = 0;
    const play = ({ timestamp, payload }: ClientFrame): boolean => {
      if (++offered <= 3) return false;
      if (payload[0] === 0x90) taken.push(timestamp);
      return true;
    };
    receive(new Array<Uint8Array>(600).fill(opus20), play);
    expect(taken).toEqual([40, 5040, 10_040]);
  });
});
