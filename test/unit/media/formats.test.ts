import { describe, expect, it } from 'vitest';
import { MediaError } from '../../../plugin/call/ports.js';
import type { MediaDescription, MediaFormat } from '../../../plugin/call/session-description.js';
import { agreeAudio, offerAudio } from '../../../plugin/media/formats.js';

const speex16: MediaFormat = { payloadType: 96, encoding: 'speex', clockRate: 16000 };
const speex8: MediaFormat = { payloadType: 97, encoding: 'speex', clockRate: 8000 };
const pcmu: MediaFormat = { payloadType: 0, encoding: 'pcmu', clockRate: 8000 };
const event8: MediaFormat = { payloadType: 101, encoding: 'telephone-event', clockRate: 8000 };

function agree(changes: Partial<MediaDescription> = {}, address = '192.0.2.1') {
  const audio: MediaDescription = {
    kind: 'audio',
    port: 4000,
    protocol: 'RTP/AVP',
    direction: 'sendrecv',
    formats: [speex16],
    ...changes,
  };
  return agreeAudio({ address, media: [audio] });
}

it('offers wideband, narrowband and the events of both in this order', () => {
  expect(offerAudio('192.0.2.9', 20000)).toEqual({
    address: '192.0.2.9',
    media: [
      {
        kind: 'audio',
        port: 20000,
        protocol: 'RTP/AVP',
        direction: 'sendrecv',
        ptime: 20,
        formats: [
          { payloadType: 96, encoding: 'speex', clockRate: 16000 },
          { payloadType: 97, encoding: 'speex', clockRate: 8000 },
          { payloadType: 100, encoding: 'telephone-event', clockRate: 16000, parameters: '0-15' },
          { payloadType: 101, encoding: 'telephone-event', clockRate: 8000, parameters: '0-15' },
        ],
      },
    ],
  });
});

describe('the codec', () => {
  it("is the first of the answer's that was offered", () => {
    expect(agree({ formats: [pcmu, event8, speex8, speex16] }).send).toEqual(speex8);
  });

  it("is sent with the peer's payload type", () => {
    expect(agree({ formats: [{ ...speex16, payloadType: 104 }] }).send.payloadType).toBe(104);
  });

  it('is received with our payload types, all that were offered', () => {
    const { receive } = agree();
    expect(receive[96]).toEqual({ kind: 'speex', clockRate: 16000 });
    expect(receive[97]).toEqual({ kind: 'speex', clockRate: 8000 });
    expect(receive[100]).toEqual({ kind: 'telephone-event', clockRate: 16000 });
    expect(receive[101]).toEqual({ kind: 'telephone-event', clockRate: 8000 });
    expect(receive.filter((format) => format !== undefined).length).toBe(4);
  });

  it("is received with the peer's number too", () => {
    const { receive } = agree({ formats: [{ ...speex16, payloadType: 104 }, { ...event8, payloadType: 105 }, pcmu] });
    expect(receive[104]).toEqual({ kind: 'speex', clockRate: 16000 });
    expect(receive[105]).toEqual({ kind: 'telephone-event', clockRate: 8000 });
    expect(receive[0]).toBeUndefined();
  });

  it("keeps our meaning of a number where the peer's differs", () => {
    const { send, receive } = agree({ formats: [{ ...speex16, payloadType: 97 }] });
    expect(send).toMatchObject({ payloadType: 97, clockRate: 16000 });
    expect(receive[97]).toEqual({ kind: 'speex', clockRate: 8000 });
  });

  it('does not depend on the ptime of the answer', () => expect(agree({ ptime: 40 }).send).toEqual(speex16));
  it('goes with RTP/AVPF', () => expect(agree({ protocol: 'RTP/AVPF' }).send).toEqual(speex16));
});

describe('the far end', () => {
  it('is at the c= line of the session', () => {
    expect(agree().target).toEqual({ host: '192.0.2.1', port: 4000, rtcpPort: 4001 });
  });
  it('is at the c= line of the section where it has one', () => {
    expect(agree({ address: '192.0.2.2' }).target.host).toBe('192.0.2.2');
  });
  it('may name another port for RTCP', () => expect(agree({ rtcpPort: 5000 }).target.rtcpPort).toBe(5000));
  it.each([{ port: 65535 }, { rtcpPort: 0 }, { rtcpPort: 70000 }])(
    'has no RTCP where there is no port: %o',
    (changes) => {
      expect(agree(changes).target.rtcpPort).toBe(0);
    },
  );

  it.each([
    ['sendrecv', true],
    ['recvonly', true],
    ['sendonly', false],
    ['inactive', false],
  ] as const)('that answers %s is sent to: %s', (direction, sending) => {
    expect(agree({ direction }).sending).toBe(sending);
  });
  it.each(['0.0.0.0', '::'])('at %s is on hold', (address) => expect(agree({}, address).sending).toBe(false));
});

describe('an answer without anything in common', () => {
  const rows: [name: string, answer: () => unknown, message: RegExp][] = [
    ['no section', () => agreeAudio({ address: '192.0.2.1', media: [] }), /no audio/],
    ['only video', () => agree({ kind: 'video' }), /no audio/],
    ['refused', () => agree({ port: 0 }), /port 0/],
    ['a port that is none', () => agree({ port: 70000 }), /70000, not 1-65535/],
    ['SRTP', () => agree({ protocol: 'RTP/SAVP' }), /offered RTP\/AVP, answered RTP\/SAVP/],
    ['other codecs', () => agree({ formats: [pcmu] }), /offered speex\/16000, .*; answered pcmu\/8000/],
    ['another rate', () => agree({ formats: [{ ...speex16, clockRate: 32000 }] }), /answered speex\/32000/],
    ['only events', () => agree({ formats: [event8] }), /answered telephone-event\/8000/],
    ['nothing', () => agree({ formats: [] }), /answered no format/],
    ['a payload type that is none', () => agree({ formats: [{ ...speex16, payloadType: 128 }] }), /answered speex/],
  ];
  it.each(rows)('%s', (_name, answer, message) => {
    expect(answer).toThrow(MediaError);
    expect(answer).toThrow(expect.objectContaining({ code: 'NoCommonCodec', message: expect.stringMatching(message) }));
  });
});
