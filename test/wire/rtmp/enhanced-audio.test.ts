import fc from 'fast-check';
import {
  type EnhancedAudioTag,
  encodeEnhancedAudioTag,
  encodeMultichannelConfig,
  type MultichannelConfig,
  parseEnhancedAudioTag,
  parseFlvAudioTag,
  parseMultichannelConfig,
  RtmpError,
} from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { bytes, repeat, text } from './bytes.js';

const opus = (body: string, trackId = 0) => ({ trackId, fourCc: 'Opus', body: bytes(body) });

interface Row {
  name: string;
  bytes: Uint8Array;
  value: EnhancedAudioTag;
  /** Lengths at which a tag with fewer tracks ends. */
  whole?: number[];
}

/** Each both parses to and is written from its value. The names in brackets are those of Enhanced RTMP v2. */
const CANONICAL: Row[] = [
  {
    name: 'an Opus frame (CodedFrames)',
    bytes: bytes('91', text('Opus'), 'fc 01 02'),
    value: { packetType: 'coded-frames', tracks: [opus('fc 01 02')] },
  },
  {
    name: 'an Opus ID header (SequenceStart)',
    bytes: bytes('90', text('Opus'), text('OpusHead'), '01 01 0138 0000bb80 0000 00'),
    value: {
      packetType: 'sequence-start',
      tracks: [{ trackId: 0, fourCc: 'Opus', body: bytes(text('OpusHead'), '01 01 0138 0000bb80 0000 00') }],
    },
  },
  {
    name: 'an Opus start without an ID header',
    bytes: bytes('90', text('Opus')),
    value: { packetType: 'sequence-start', tracks: [opus('')] },
  },
  {
    name: 'the end of a sequence (SequenceEnd)',
    bytes: bytes('92', text('Opus')),
    value: { packetType: 'sequence-end', tracks: [opus('')] },
  },
  {
    name: 'a channel layout (MultichannelConfig)',
    bytes: bytes('94', text('ec-3'), '01 06 0000003f'),
    value: {
      packetType: 'multichannel-config',
      tracks: [{ trackId: 0, fourCc: 'ec-3', body: bytes('01 06 0000003f') }],
    },
  },
  ...(['fLaC', 'mp4a', '.mp3', 'ac-3', 'ec-3'] as const).map((fourCc) => ({
    name: `a frame of ${fourCc}`,
    bytes: bytes('91', text(fourCc), 'ab'),
    value: { packetType: 'coded-frames', tracks: [{ trackId: 0, fourCc, body: bytes('ab') }] } as const,
  })),
  {
    name: 'a codec that nobody knows, whose four bytes are kept',
    bytes: bytes('91', '00 41 80 ff', '01'),
    value: { packetType: 'coded-frames', tracks: [{ trackId: 0, fourCc: '\u0000A\u0080\u00ff', body: bytes('01') }] },
  },
  {
    name: 'a timestamp with nanoseconds (ModEx, TimestampOffsetNano)',
    bytes: bytes('97', '02', '0f423f', '01', text('Opus'), 'fc'),
    value: { packetType: 'coded-frames', nanosecondOffset: 999_999, tracks: [opus('fc')] },
  },
  {
    name: 'one track with an id (Multitrack, OneTrack)',
    bytes: bytes('95', '01', text('Opus'), '07', 'fc 01'),
    value: { packetType: 'coded-frames', multitrack: 'one-track', tracks: [opus('fc 01', 7)] },
  },
  {
    name: 'tracks of one codec (ManyTracks)',
    bytes: bytes('95', '11', text('Opus'), '00 000002 fc01', '01 000000', '02 000001 ff'),
    whole: [12, 16],
    value: {
      packetType: 'coded-frames',
      multitrack: 'many-tracks',
      tracks: [opus('fc01', 0), opus('', 1), opus('ff', 2)],
    },
  },
  {
    name: 'tracks of several codecs (ManyTracksManyCodecs)',
    bytes: bytes('95', '20', text('mp4a'), '00 000002 1190', text('Opus'), '01 000000'),
    whole: [12],
    value: {
      packetType: 'sequence-start',
      multitrack: 'many-codecs',
      tracks: [{ trackId: 0, fourCc: 'mp4a', body: bytes('1190') }, opus('', 1)],
    },
  },
  {
    name: 'tracks with nanoseconds',
    bytes: bytes('97', '02', '000001', '05', '11', text('Opus'), '00 000001 fc'),
    value: { packetType: 'coded-frames', nanosecondOffset: 1, multitrack: 'many-tracks', tracks: [opus('fc')] },
  },
];

const PARSED_ONLY: Row[] = [
  {
    name: 'a ModEx of a type that is not defined, which is passed over',
    bytes: bytes('97', '00', 'aa', 'f1', text('Opus'), 'fc'),
    value: { packetType: 'coded-frames', tracks: [opus('fc')] },
  },
  {
    name: 'two ModEx, one after the other',
    bytes: bytes('97', '00', 'aa', '17', '03', '00000500', '01', text('Opus'), 'fc'),
    value: { packetType: 'coded-frames', nanosecondOffset: 5, tracks: [opus('fc')] },
  },
  {
    name: 'a ModEx of 255 bytes, the most for a size of 8 bits',
    bytes: bytes('97', 'fe', repeat(0xaa, 255), '11', text('Opus'), 'fc'),
    value: { packetType: 'coded-frames', tracks: [opus('fc')] },
  },
  {
    name: 'a ModEx of 256 bytes, with a size of 16 bits',
    bytes: bytes('97', 'ff 00ff', repeat(0xaa, 256), '11', text('Opus'), 'fc'),
    value: { packetType: 'coded-frames', tracks: [opus('fc')] },
  },
  {
    name: 'a ModEx of 65536 bytes',
    bytes: bytes('97', 'ff ffff', repeat(0xaa, 65_536), '11', text('Opus'), 'fc'),
    value: { packetType: 'coded-frames', tracks: [opus('fc')] },
  },
];

const WRONG = [
  { name: 'no bytes', bytes: bytes(), code: 'flv.truncated' },
  { name: 'another format', bytes: bytes('b2 00'), code: 'flv.header' },
  ...['93', '96', '98', '9f'].map((first) => ({
    name: `packet type ${Number.parseInt(first, 16) & 15}, reserved`,
    bytes: bytes(first, text('Opus'), 'fc'),
    code: 'flv.header',
  })),
  { name: 'multitrack type 3, reserved', bytes: bytes('95 31', text('Opus'), '00'), code: 'flv.header' },
  { name: 'multitrack in multitrack', bytes: bytes('95 15', text('Opus'), '00 000000'), code: 'flv.header' },
  { name: 'ModEx in multitrack', bytes: bytes('95 17', text('Opus'), '00 000000'), code: 'flv.header' },
  { name: 'nanoseconds in 2 bytes', bytes: bytes('97 01 0001 01', text('Opus')), code: 'flv.header' },
  { name: 'a track beyond the end', bytes: bytes('95 11', text('Opus'), '00 000002 fc'), code: 'flv.truncated' },
  { name: 'many tracks of which there is none', bytes: bytes('95 11', text('Opus')), code: 'flv.truncated' },
  { name: 'a megabyte of ModEx', bytes: bytes('97', endlessModEx(1_000_000)), code: 'flv.truncated' },
];

describe('extended audio tag header', () => {
  it.each(CANONICAL)('parses and writes $name', ({ bytes: payload, value }) => {
    expect(parseEnhancedAudioTag(payload)).toEqual(value);
    expect(encodeEnhancedAudioTag(value)).toEqual(payload);
    expect(parseFlvAudioTag(payload)).toMatchObject({ codec: 'enhanced' });
  });

  it.each(PARSED_ONLY)('parses $name', ({ bytes: payload, value }) => {
    expect(parseEnhancedAudioTag(payload)).toEqual(value);
  });

  it.each(WRONG)('refuses $name', ({ bytes: payload, code }) => {
    expect(() => parseEnhancedAudioTag(payload)).toThrow(expect.objectContaining({ name: 'RtmpError', code }));
  });

  it.each([...CANONICAL, ...PARSED_ONLY])('refuses $name cut short, unless that leaves whole tracks', (row) => {
    const { tracks } = row.value;
    const body = tracks.at(-1)?.body.length ?? 0;
    for (let length = 0; length < Math.min(row.bytes.length - body, 300); length += 1) {
      const cut = row.bytes.subarray(0, length);
      if (row.whole?.includes(length)) expect(parseEnhancedAudioTag(cut).tracks.length).toBeLessThan(tracks.length);
      else expect(() => parseEnhancedAudioTag(cut)).toThrow(expect.objectContaining({ code: 'flv.truncated' }));
    }
  });

  it.each([
    { name: 'a FourCC of three characters', value: { tracks: [{ trackId: 0, fourCc: 'abc', body: bytes() }] } },
    { name: 'a FourCC beyond one byte', value: { tracks: [{ trackId: 0, fourCc: 'ab€c', body: bytes() }] } },
    { name: 'no track', value: { tracks: [] } },
    { name: 'two tracks without multitrack', value: { tracks: [opus(''), opus('', 1)] } },
    { name: 'two tracks as one', value: { multitrack: 'one-track', tracks: [opus(''), opus('', 1)] } },
    { name: 'track id 256', value: { multitrack: 'one-track', tracks: [opus('', 256)] } },
    {
      name: 'two codecs as one',
      value: { multitrack: 'many-tracks', tracks: [opus(''), { trackId: 1, fourCc: 'mp4a', body: bytes() }] },
    },
    {
      name: 'a track of 16 MiB among others',
      value: { multitrack: 'many-tracks', tracks: [{ ...opus(''), body: new Uint8Array(0x1000000) }] },
    },
    { name: 'a million nanoseconds', value: { nanosecondOffset: 1_000_000, tracks: [opus('')] } },
  ] as { name: string; value: Omit<EnhancedAudioTag, 'packetType'> }[])('does not write $name', ({ value }) => {
    expect(() => encodeEnhancedAudioTag({ packetType: 'coded-frames', ...value })).toThrow(
      expect.objectContaining({ name: 'RtmpError', code: 'flv.value' }),
    );
  });

  it('writes and parses any tag', () => {
    fc.assert(
      fc.property(anyTag(), (tag) => {
        expect(parseEnhancedAudioTag(encodeEnhancedAudioTag(tag))).toEqual(tag);
      }),
      { numRuns: 500 },
    );
  });

  it('answers any bytes with a tag or an RtmpError', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0x90, max: 0x9f }), fc.uint8Array({ maxLength: 40 }), (first, rest) => {
        try {
          parseEnhancedAudioTag(bytes(Uint8Array.of(first), rest));
        } catch (error) {
          expect(error).toBeInstanceOf(RtmpError);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('multichannel config', () => {
  const rows: { name: string; bytes: Uint8Array; value: MultichannelConfig }[] = [
    { name: 'a number of channels', bytes: bytes('00 02'), value: { order: 'unspecified', channels: 2 } },
    { name: '5.1 by flags', bytes: bytes('01 06 0000003f'), value: { order: 'native', channels: 6, flags: 0x3f } },
    {
      name: 'right before left',
      bytes: bytes('02 03 01 00 fe'),
      value: { order: 'custom', channels: 3, mapping: bytes('01 00 fe') },
    },
  ];

  it.each(rows)('parses and writes $name', ({ bytes: body, value }) => {
    expect(parseMultichannelConfig(body)).toEqual(value);
    expect(encodeMultichannelConfig(value)).toEqual(body);
  });

  it.each(rows)('refuses $name cut short', ({ bytes: body }) => {
    for (let length = 0; length < body.length; length += 1) {
      expect(() => parseMultichannelConfig(body.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'flv.truncated' }),
      );
    }
  });

  it('refuses an order that is not defined, and does not write what does not fit', () => {
    expect(() => parseMultichannelConfig(bytes('03 02'))).toThrow(expect.objectContaining({ code: 'flv.header' }));
    expect(() => encodeMultichannelConfig({ order: 'unspecified', channels: 256 })).toThrow(
      expect.objectContaining({ code: 'flv.value' }),
    );
    expect(() => encodeMultichannelConfig({ order: 'custom', channels: 2, mapping: bytes('00') })).toThrow(
      expect.objectContaining({ code: 'flv.value' }),
    );
  });
});

function endlessModEx(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => [0x00, 0xaa, 0x17][index % 3] ?? 0);
}

function anyTag(): fc.Arbitrary<EnhancedAudioTag> {
  const fourCc = fc.constantFrom('Opus', 'fLaC', 'mp4a', '.mp3', 'ac-3', 'ec-3', '\u00ff\u0000\u0080~');
  const track = fc.record({
    trackId: fc.integer({ min: 0, max: 255 }),
    fourCc,
    body: fc.uint8Array({ maxLength: 20 }),
  });
  const tracks = fc.array(track, { minLength: 1, maxLength: 4 });
  const shape = fc.oneof(
    track.map((only) => ({ tracks: [{ ...only, trackId: 0 }] })),
    track.map((only) => ({ multitrack: 'one-track' as const, tracks: [only] })),
    fc
      .tuple(tracks, fourCc)
      .map(([many, one]) => ({ multitrack: 'many-tracks' as const, tracks: many.map((t) => ({ ...t, fourCc: one })) })),
    tracks.map((many) => ({ multitrack: 'many-codecs' as const, tracks: many })),
  );
  const header = fc.record(
    {
      packetType: fc.constantFrom('sequence-start', 'coded-frames', 'sequence-end', 'multichannel-config'),
      nanosecondOffset: fc.integer({ min: 0, max: 999_999 }),
    },
    { requiredKeys: ['packetType'] },
  );
  return fc.tuple(header, shape).map(([head, body]) => ({ ...head, ...body }) as EnhancedAudioTag);
}
