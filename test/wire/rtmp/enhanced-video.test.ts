import fc from 'fast-check';
import {
  decodeAmf0,
  type EnhancedVideoFrame,
  type EnhancedVideoTag,
  encodeEnhancedVideoTag,
  parseEnhancedVideoTag,
  parseFlvVideoTag,
  RtmpError,
} from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { bytes, text } from './bytes.js';

const track = (fourCc: string, body: string, compositionTime?: number, trackId = 0) => ({
  trackId,
  fourCc,
  body: bytes(body),
  ...(compositionTime !== undefined && { compositionTime }),
});

interface Row {
  name: string;
  bytes: Uint8Array;
  value: EnhancedVideoTag;
  /** Bytes at the end without which it is still a tag. */
  tail: number;
}

/** Each both parses to and is written from its value. The names in brackets are those of Enhanced RTMP v2. */
const CANONICAL: Row[] = [
  ...(['avc1', 'hvc1', 'vvc1', 'av01', 'vp08', 'vp09'] as const).map((fourCc) => ({
    name: `a configuration of ${fourCc} (SequenceStart)`,
    bytes: bytes('90', text(fourCc), '01 64'),
    tail: 2,
    value: { frameType: 'key', packetType: 'sequence-start', tracks: [track(fourCc, '01 64')] } as const,
  })),
  ...(['avc1', 'hvc1', 'vvc1'] as const).map((fourCc) => ({
    name: `a frame of ${fourCc} with its composition time (CodedFrames)`,
    bytes: bytes('a1', text(fourCc), '000028', 'ab'),
    tail: 1,
    value: { frameType: 'inter', packetType: 'coded-frames', tracks: [track(fourCc, 'ab', 40)] } as const,
  })),
  ...(['av01', 'vp08', 'vp09'] as const).map((fourCc) => ({
    name: `a frame of ${fourCc}, which has no composition time`,
    bytes: bytes('91', text(fourCc), '000028', 'ab'),
    tail: 4,
    value: { frameType: 'key', packetType: 'coded-frames', tracks: [track(fourCc, '000028 ab')] } as const,
  })),
  {
    name: 'a negative composition time',
    bytes: bytes('a1', text('hvc1'), 'ffffff', 'ab'),
    tail: 1,
    value: { frameType: 'inter', packetType: 'coded-frames', tracks: [track('hvc1', 'ab', -1)] },
  },
  {
    name: 'a frame without composition time (CodedFramesX)',
    bytes: bytes('a3', text('hvc1'), '000028 ab'),
    tail: 4,
    value: { frameType: 'inter', packetType: 'coded-frames-x', tracks: [track('hvc1', '000028 ab')] },
  },
  {
    name: 'the end of a sequence (SequenceEnd)',
    bytes: bytes('92', text('av01')),
    tail: 0,
    value: { frameType: 'key', packetType: 'sequence-end', tracks: [track('av01', '')] },
  },
  {
    name: 'a descriptor for MPEG-2 TS (MPEG2TSSequenceStart)',
    bytes: bytes('95', text('av01'), '80'),
    tail: 1,
    value: { frameType: 'key', packetType: 'mpeg2ts-sequence-start', tracks: [track('av01', '80')] },
  },
  {
    name: 'a disposable frame of a codec that nobody knows',
    bytes: bytes('b1', '00 41 80 ff', '01'),
    tail: 1,
    value: {
      frameType: 'disposable-inter',
      packetType: 'coded-frames',
      tracks: [track('\u0000A\u0080\u00ff', '01')],
    },
  },
  {
    name: 'metadata, whatever its frame type (Metadata)',
    bytes: bytes('d4', text('hvc1'), '02 0009', text('colorInfo'), '03 0000 09'),
    tail: 16,
    value: {
      frameType: 'command',
      packetType: 'metadata',
      tracks: [{ trackId: 0, fourCc: 'hvc1', body: bytes('02 0009', text('colorInfo'), '03 0000 09') }],
    },
  },
  {
    name: 'a command, which has no FourCC',
    bytes: bytes('d0 01'),
    tail: 0,
    value: { packetType: 'command', command: 1 },
  },
  {
    name: 'a timestamp with nanoseconds (ModEx, TimestampOffsetNano)',
    bytes: bytes('97', '02', '000080', '01', text('av01'), 'ab'),
    tail: 1,
    value: { frameType: 'key', packetType: 'coded-frames', nanosecondOffset: 128, tracks: [track('av01', 'ab')] },
  },
  {
    name: 'one track with an id (Multitrack, OneTrack)',
    bytes: bytes('96', '01', text('avc1'), '02', '000000', 'ab'),
    tail: 1,
    value: {
      frameType: 'key',
      packetType: 'coded-frames',
      multitrack: 'one-track',
      tracks: [track('avc1', 'ab', 0, 2)],
    },
  },
  {
    name: 'tracks of one codec, each with its composition time (ManyTracks)',
    bytes: bytes('a6', '11', text('avc1'), '00 000004 00000a ab', '01 000003 800000'),
    tail: 0,
    value: {
      frameType: 'inter',
      packetType: 'coded-frames',
      multitrack: 'many-tracks',
      tracks: [track('avc1', 'ab', 10, 0), track('avc1', '', -0x800000, 1)],
    },
  },
  {
    name: 'tracks of several codecs (ManyTracksManyCodecs)',
    bytes: bytes('a6', '21', text('avc1'), '00 000004 00000a ab', text('vp09'), '01 000001 cd'),
    tail: 0,
    value: {
      frameType: 'inter',
      packetType: 'coded-frames',
      multitrack: 'many-codecs',
      tracks: [track('avc1', 'ab', 10, 0), track('vp09', 'cd', undefined, 1)],
    },
  },
];

const WRONG = [
  { name: 'no bytes', bytes: bytes(), code: 'flv.truncated' },
  { name: 'an ordinary tag', bytes: bytes('17 00 000000'), code: 'flv.header' },
  ...['98', '9f'].map((first) => ({
    name: `packet type ${Number.parseInt(first, 16) & 15}, reserved`,
    bytes: bytes(first, text('hvc1'), 'ab'),
    code: 'flv.header',
  })),
  { name: 'multitrack type 3, reserved', bytes: bytes('96 31', text('hvc1'), '00'), code: 'flv.header' },
  { name: 'multitrack in multitrack', bytes: bytes('96 16', text('hvc1'), '00 000000'), code: 'flv.header' },
  { name: 'a command that is not there', bytes: bytes('d0'), code: 'flv.truncated' },
  {
    name: 'a track too short for its composition time',
    bytes: bytes('96 11', text('avc1'), '00 000002 0000'),
    code: 'flv.truncated',
  },
];

describe('extended video tag header', () => {
  it.each(CANONICAL)('parses and writes $name', ({ bytes: payload, value }) => {
    expect(parseEnhancedVideoTag(payload)).toEqual(value);
    expect(encodeEnhancedVideoTag(value)).toEqual(payload);
    expect(parseFlvVideoTag(payload)).toMatchObject({ enhanced: true });
  });

  it.each(WRONG)('refuses $name', ({ bytes: payload, code }) => {
    expect(() => parseEnhancedVideoTag(payload)).toThrow(expect.objectContaining({ name: 'RtmpError', code }));
  });

  it.each(CANONICAL)('refuses $name cut short, unless that leaves whole tracks', ({ bytes: payload, value, tail }) => {
    const count = value.packetType === 'command' ? 0 : value.tracks.length;
    for (let length = 0; length < payload.length - tail; length += 1) {
      const cut = payload.subarray(0, length);
      let parsed: EnhancedVideoTag | undefined;
      try {
        parsed = parseEnhancedVideoTag(cut);
      } catch (error) {
        expect(error, `${length} bytes`).toMatchObject({ code: 'flv.truncated' });
      }
      if (parsed !== undefined) expect((parsed as EnhancedVideoFrame).tracks.length).toBeLessThan(count);
    }
  });

  it('leaves metadata for decodeAmf0', () => {
    const payload = bytes('94', text('hvc1'), '02 0009', text('colorInfo'), '03 0001 61 0101 0000 09');
    const { tracks } = parseEnhancedVideoTag(payload) as EnhancedVideoFrame;
    expect(decodeAmf0(tracks[0]?.body ?? bytes())).toEqual(['colorInfo', { a: true }]);
  });

  it.each([
    { name: 'a composition time in VP9', value: { tracks: [track('vp09', '', 5)] } },
    { name: 'a composition time above 24 bits', value: { tracks: [track('avc1', '', 0x800000)] } },
    { name: 'a composition time of half a millisecond', value: { tracks: [track('avc1', '', 0.5)] } },
    { name: 'no track', value: { tracks: [] } },
    { name: 'a frame that is a command', value: { frameType: 'command', tracks: [track('avc1', '')] } },
  ] as { name: string; value: Partial<EnhancedVideoFrame> }[])('does not write $name', ({ value }) => {
    const tag = { frameType: 'key', packetType: 'coded-frames', tracks: [], ...value } as const;
    expect(() => encodeEnhancedVideoTag(tag)).toThrow(
      expect.objectContaining({ name: 'RtmpError', code: 'flv.value' }),
    );
  });

  it('writes again what it could read of any bytes', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.integer({ min: 0x80, max: 0xff }), fc.uint8Array({ maxLength: 40 }), (first, rest) => {
        let tag: EnhancedVideoTag;
        try {
          tag = parseEnhancedVideoTag(bytes(Uint8Array.of(first), rest));
        } catch (error) {
          expect(error).toBeInstanceOf(RtmpError);
          return;
        }
        if (tag.packetType !== 'command' && (tag.nanosecondOffset ?? 0) > 999_999) return;
        read += 1;
        expect(parseEnhancedVideoTag(encodeEnhancedVideoTag(tag))).toEqual(tag);
      }),
      { numRuns: 5_000 },
    );
    expect(read).toBeGreaterThan(500);
  });
});
