import { describe, expect, it } from 'vitest';
import { MediaError } from '../../../plugin/call/ports.js';
import type { MediaDescription, MediaFormat } from '../../../plugin/call/session-description.js';
import type { AudioCodec } from '../../../plugin/media/audio/flv-audio.js';
import { agreeAudio, answerAudio, offerAudio } from '../../../plugin/media/negotiation/formats.js';
import { formatsOf } from '../../../plugin/media/negotiation/own-formats.js';
import { transcodingFormats } from './transcoding-formats.js';

const speex16: MediaFormat = { payloadType: 96, encoding: 'speex', clockRate: 16000 };
const speex8: MediaFormat = { payloadType: 97, encoding: 'speex', clockRate: 8000 };
const pcmu: MediaFormat = { payloadType: 0, encoding: 'pcmu', clockRate: 8000 };
const event8: MediaFormat = { payloadType: 101, encoding: 'telephone-event', clockRate: 8000 };

function audioSection(changes: Partial<MediaDescription> = {}): MediaDescription {
  return {
    kind: 'audio',
    port: 4000,
    protocol: 'RTP/AVP',
    direction: 'sendrecv',
    formats: [speex16],
    ...changes,
  };
}

function agree(changes: Partial<MediaDescription> = {}, address = '192.0.2.1') {
  return agreeAudio({ address, media: [audioSection(changes)] });
}

it('offers wideband, narrowband and the events of both in this order', () => {
  expect(offerAudio('192.0.2.9', 20000)).toEqual({
    address: '192.0.2.9',
    media: [
      {
        kind: 'audio',
        port: 20000,
        rtcpMux: true,
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

  it('may be any other of the answer too', () => {
    const { send, others } = agreeAudio(
      { address: '192.0.2.1', media: [audioSection({ formats: [pcmu, event8, { ...speex16, payloadType: 104 }] })] },
      transcodingFormats,
    );
    expect(send).toEqual(pcmu);
    expect(others).toEqual([{ codec: 'speex', payloadType: 104, clockRate: 16000, packetDuration: 20 }]);
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
  it.each(['RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF'])('goes with %s', (protocol) => {
    expect(agree({ protocol }).send).toEqual(speex16);
  });
});

describe('the far end', () => {
  it('is at the c= line of the session', () => {
    expect(agree().target).toEqual({ host: '192.0.2.1', port: 4000, rtcpPort: 4001 });
  });
  it('is at the c= line of the section where it has one', () => {
    expect(agree({ address: '192.0.2.2' }).target.host).toBe('192.0.2.2');
  });
  it('may name another port for RTCP', () => expect(agree({ rtcpPort: 5000 }).target.rtcpPort).toBe(5000));
  it('may take RTCP on the port of RTP, whatever else it names', () => {
    expect(agree({ rtcpMux: true, rtcpPort: 5000 }).target).toEqual({ host: '192.0.2.1', port: 4000, rtcpPort: 4000 });
  });
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
    ['another protocol', () => agree({ protocol: 'UDP/TLS/RTP/SAVP' }), /we speak RTP\/AVP, the far end UDP\/TLS/],
    ['other codecs', () => agree({ formats: [pcmu] }), /we speak speex\/16000, .*; the far end pcmu\/8000/],
    ['another rate', () => agree({ formats: [{ ...speex16, clockRate: 32000 }] }), /the far end speex\/32000/],
    ['only events', () => agree({ formats: [event8] }), /the far end telephone-event\/8000/],
    ['nothing', () => agree({ formats: [] }), /the far end no format/],
    ['a payload type that is none', () => agree({ formats: [{ ...speex16, payloadType: 128 }] }), /the far end speex/],
  ];
  it.each(rows)('%s', (_name, answer, message) => {
    expect(answer).toThrow(MediaError);
    expect(answer).toThrow(expect.objectContaining({ code: 'NoCommonCodec', message: expect.stringMatching(message) }));
  });
});

describe('an offer', () => {
  const offer = (changes: Partial<MediaDescription> = {}, more: MediaDescription[] = []) =>
    answerAudio({ address: '192.0.2.1', media: [audioSection(changes), ...more] }, '192.0.2.8', 20000);

  it("is answered with its first Speex format and the events of its rate, under the caller's numbers", () => {
    const formats = [pcmu, { ...speex16, payloadType: 110 }, speex8, { ...event8, payloadType: 99 }];
    const { answer, agreement } = offer({ formats: [...formats, { ...event8, payloadType: 98, clockRate: 16000 }] });
    expect(answer.address).toBe('192.0.2.8');
    expect(answer.media).toEqual([
      expect.objectContaining({
        port: 20000,
        direction: 'sendrecv',
        formats: [
          { ...speex16, payloadType: 110 },
          { ...event8, payloadType: 98, clockRate: 16000 },
        ],
      }),
    ]);
    expect(agreement.send).toMatchObject({ payloadType: 110 });
    expect(agreement.receive[110]).toEqual({ kind: 'speex', clockRate: 16000 });
  });

  it('may give another meaning to the numbers that we offer under', () => {
    const { agreement } = offer({
      formats: [
        { ...speex8, payloadType: 96 },
        { ...event8, payloadType: 97 },
      ],
    });
    expect(agreement.receive[96]).toEqual({ kind: 'speex', clockRate: 8000 });
    expect(agreement.receive[97]).toEqual({ kind: 'telephone-event', clockRate: 8000 });
  });

  it('has every other section refused, in its place', () => {
    const video: MediaDescription = { ...audioSection(), kind: 'video', port: 4002, formats: [{ ...speex16 }] };
    expect(offer({}, [video]).answer.media).toEqual([
      expect.objectContaining({ kind: 'audio', port: 20000 }),
      expect.objectContaining({ kind: 'video', port: 0, protocol: 'RTP/AVP', formats: video.formats }),
    ]);
  });

  it.each([
    ['sendrecv', 'sendrecv'],
    ['sendonly', 'recvonly'],
    ['recvonly', 'sendonly'],
    ['inactive', 'inactive'],
  ] as const)('that is %s is answered %s', (direction, answered) => {
    expect(offer({ direction }).answer.media[0]?.direction).toBe(answered);
  });

  it('of RTCP on the port of RTP is taken, and only where it is made', () => {
    expect(offer({ rtcpMux: true }).answer.media[0]?.rtcpMux).toBe(true);
    expect(offer().answer.media[0]).not.toHaveProperty('rtcpMux');
  });

  it('from an address of zeros is answered recvonly', () => {
    expect(offer({ address: '0.0.0.0' }).answer.media[0]?.direction).toBe('recvonly');
  });

  it('without anything in common cannot be answered', () => {
    expect(() => offer({ formats: [pcmu] })).toThrow(expect.objectContaining({ code: 'NoCommonCodec' }));
  });
});

describe('with a codec to transcode', () => {
  const pcma: MediaFormat = { payloadType: 8, encoding: 'pcma', clockRate: 8000 };
  const description = (formats: readonly MediaFormat[], changes: Partial<MediaDescription> = {}) => ({
    address: '192.0.2.1',
    media: [{ kind: 'audio', port: 4000, protocol: 'RTP/AVP', direction: 'sendrecv', formats, ...changes } as const],
  });

  it('the offer lists what passes through first, then G.711', () => {
    const [audio] = offerAudio('192.0.2.9', 20000, transcodingFormats).media;
    expect(audio?.formats.map(({ payloadType, encoding, clockRate }) => [payloadType, encoding, clockRate])).toEqual([
      [96, 'speex', 16000],
      [97, 'speex', 8000],
      [0, 'pcmu', 8000],
      [8, 'pcma', 8000],
      [13, 'cn', 8000],
      [100, 'telephone-event', 16000],
      [101, 'telephone-event', 8000],
    ]);
  });

  it("the answer's first format decides", () => {
    const { send, codec, receive } = agreeAudio(description([pcma, pcmu, event8]), transcodingFormats);
    expect([send, codec]).toEqual([pcma, 'pcma']);
    expect([receive[0], receive[8], receive[96]]).toEqual([
      { kind: 'pcmu', clockRate: 8000 },
      { kind: 'pcma', clockRate: 8000 },
      { kind: 'speex', clockRate: 16000 },
    ]);
  });

  it('an offer is answered with Speex where it is in it, else with its first G.711', () => {
    const answered = (formats: readonly MediaFormat[]) =>
      answerAudio(description(formats), '192.0.2.9', 20000, { formats: transcodingFormats }).answer.media[0]?.formats;
    expect(answered([pcmu, pcma, { ...speex8, payloadType: 110 }])).toEqual([{ ...speex8, payloadType: 110 }]);
    expect(answered([pcma, pcmu, event8])).toEqual([pcma, event8]);
  });

  it.each([
    [undefined, 20],
    [10, 10],
    [30, 30],
    [60, 60],
    [5, 20],
    [200, 20],
    [22.5, 20],
  ])('a ptime of %s makes packets of %i ms', (ptime, duration) => {
    const changes = ptime === undefined ? {} : { ptime };
    expect(agreeAudio(description([pcmu], changes), transcodingFormats).packetDuration).toBe(duration);
  });
});

describe('comfort noise', () => {
  const cn: MediaFormat = { payloadType: 13, encoding: 'cn', clockRate: 8000 };
  const noiseOf = (formats: readonly MediaFormat[]) =>
    agreeAudio({ address: '192.0.2.1', media: [audioSection({ formats })] }, transcodingFormats).noise?.payloadType;
  const answered = (formats: readonly MediaFormat[]) => {
    const offer = { address: '192.0.2.1', media: [audioSection({ formats })] };
    return answerAudio(offer, '192.0.2.9', 20000, { formats: transcodingFormats });
  };

  it('is offered beside G.711, not beside Speex or Opus alone', () => {
    expect(formatsOf(['pcma'])).toContainEqual(cn);
    expect([...formatsOf(['speex', 'opus'])].filter(({ encoding }) => encoding === 'cn')).toEqual([]);
  });

  it('is agreed on when the answer has it beside G.711, wherever it stands', () => {
    expect(noiseOf([pcmu, cn, event8])).toBe(13);
    expect(noiseOf([cn, pcmu])).toBe(13);
    expect(noiseOf([pcmu, event8])).toBeUndefined();
    expect(noiseOf([speex16, cn])).toBeUndefined();
  });

  it('alone is no codec', () => {
    expect(() => noiseOf([cn])).toThrow(expect.objectContaining({ code: 'NoCommonCodec' }));
    expect(() => answered([cn, event8])).toThrow(expect.objectContaining({ code: 'NoCommonCodec' }));
  });

  it('is answered when it is offered beside the G.711 that is taken, under its number', () => {
    const dynamic = { ...cn, payloadType: 118 };
    expect(answered([pcmu, dynamic, event8]).answer.media[0]?.formats).toEqual([pcmu, dynamic, event8]);
    expect(answered([pcmu, dynamic]).agreement).toMatchObject({ noise: dynamic });
    expect(answered([pcmu, dynamic]).agreement.receive[118]).toEqual({ kind: 'cn', clockRate: 8000 });
    expect(answered([pcmu, event8]).answer.media[0]?.formats).toEqual([pcmu, event8]);
    expect(answered([pcmu, speex16, cn]).answer.media[0]?.formats).toEqual([speex16]);
  });

  it('of 16 kHz is refused: wideband here has its own', () => {
    const wide = { ...cn, payloadType: 98, clockRate: 16000 };
    expect(answered([pcmu, cn, wide]).answer.media[0]?.formats).toEqual([pcmu, cn]);
  });
});

describe('Opus', () => {
  const opus: MediaFormat = { payloadType: 111, encoding: 'opus', clockRate: 48000, channels: 2 };

  it('is offered with the events of its clock', () => {
    const { media } = offerAudio('192.0.2.9', 20000, formatsOf(['opus']));
    expect(media[0]?.formats).toEqual([
      ...[{ ...opus, payloadType: 98, parameters: 'minptime=10;useinbandfec=1' }],
      { payloadType: 102, encoding: 'telephone-event', clockRate: 48000, parameters: '0-15' },
    ]);
  });

  it('is answered where it passes, else what does', () => {
    const offer = { address: '192.0.2.1', media: [audioSection({ formats: [pcmu, opus, speex16] })] };
    const formats = formatsOf(['opus', 'speex', 'pcmu']);
    const answered = (passing: AudioCodec[]) =>
      answerAudio(offer, '192.0.2.9', 20000, { formats, passing }).agreement.codec;
    expect(answered(['opus', 'speex'])).toBe('opus');
    expect(answered(['speex'])).toBe('speex');
    expect(answered([])).toBe('pcmu');
  });
});
