import fc from 'fast-check';
import { parseFlvAudioTag, parseFlvVideoTag } from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { bytes } from './bytes.js';

const MONO_16_BIT = { sampleSize: 16, channels: 1, headerLength: 1 };

describe('FLV audio tag', () => {
  it.each([
    {
      name: 'Speex as Flash writes it',
      bytes: 'b2',
      value: { codec: 'speex', codecId: 11, sampleRate: 5512, ...MONO_16_BIT },
    },
    {
      name: 'Speex as FFmpeg writes it',
      bytes: 'b6',
      value: { codec: 'speex', codecId: 11, sampleRate: 11025, ...MONO_16_BIT },
    },
    { name: 'mu-law', bytes: '82', value: { codec: 'pcmu', codecId: 8, sampleRate: 5512, ...MONO_16_BIT } },
    { name: 'A-law', bytes: '72', value: { codec: 'pcma', codecId: 7, sampleRate: 5512, ...MONO_16_BIT } },
    {
      name: 'Nellymoser 8 kHz',
      bytes: '52',
      value: { codec: 'nellymoser-8k-mono', codecId: 5, sampleRate: 5512, ...MONO_16_BIT },
    },
    {
      name: 'MP3, 44 kHz, 8 bits, stereo',
      bytes: '2d',
      value: { codec: 'mp3', codecId: 2, sampleRate: 44100, sampleSize: 8, channels: 2, headerLength: 1 },
    },
    {
      name: 'AAC sequence header',
      bytes: 'af 00',
      value: {
        codec: 'aac',
        codecId: 10,
        sampleRate: 44100,
        sampleSize: 16,
        channels: 2,
        headerLength: 2,
        aacPacketType: 'sequence-header',
      },
    },
    {
      name: 'AAC frame',
      bytes: 'ae 01',
      value: {
        codec: 'aac',
        codecId: 10,
        sampleRate: 44100,
        sampleSize: 16,
        channels: 1,
        headerLength: 2,
        aacPacketType: 'raw',
      },
    },
    {
      name: 'AAC cut short',
      bytes: 'aa',
      value: { codec: 'aac', codecId: 10, sampleRate: 22050, sampleSize: 16, channels: 1, headerLength: 1 },
    },
    {
      name: 'Enhanced RTMP',
      bytes: '90',
      value: { codec: 'enhanced', codecId: 9, sampleRate: 5512, sampleSize: 8, channels: 1, headerLength: 1 },
    },
  ])('parses $name', ({ bytes: payload, value }) => {
    expect(parseFlvAudioTag(bytes(payload))).toEqual(value);
  });

  it('has a name for each codec', () => {
    const codecs = Array.from({ length: 16 }, (_, id) => parseFlvAudioTag(Uint8Array.of(id << 4))?.codec);
    expect(new Set(codecs).size).toBe(16);
  });
});

describe('FLV video tag', () => {
  it.each([
    {
      name: 'AVC sequence header',
      bytes: '17 00 000000',
      value: {
        codec: 'avc',
        codecId: 7,
        frameType: 'key',
        avcPacketType: 'sequence-header',
        compositionTime: 0,
        headerLength: 5,
        enhanced: false,
      },
    },
    {
      name: 'AVC inter frame',
      bytes: '27 01 000028',
      value: {
        codec: 'avc',
        codecId: 7,
        frameType: 'inter',
        avcPacketType: 'nalu',
        compositionTime: 40,
        headerLength: 5,
        enhanced: false,
      },
    },
    {
      name: 'AVC with a negative composition time',
      bytes: '27 01 ffffff',
      value: {
        codec: 'avc',
        codecId: 7,
        frameType: 'inter',
        avcPacketType: 'nalu',
        compositionTime: -1,
        headerLength: 5,
        enhanced: false,
      },
    },
    {
      name: 'AVC end of sequence',
      bytes: '17 02 000000',
      value: {
        codec: 'avc',
        codecId: 7,
        frameType: 'key',
        avcPacketType: 'end-of-sequence',
        compositionTime: 0,
        headerLength: 5,
        enhanced: false,
      },
    },
    {
      name: 'AVC cut short',
      bytes: '17 01 0000',
      value: { codec: 'avc', codecId: 7, frameType: 'key', headerLength: 1, enhanced: false },
    },
    {
      name: 'Sorenson H.263, disposable',
      bytes: '32 00',
      value: { codec: 'h263', codecId: 2, frameType: 'disposable-inter', headerLength: 1, enhanced: false },
    },
    {
      name: 'On2 VP6 key frame',
      bytes: '14',
      value: { codec: 'vp6', codecId: 4, frameType: 'key', headerLength: 1, enhanced: false },
    },
    {
      name: 'Enhanced RTMP',
      bytes: '90 61766331',
      value: { codec: 'unknown', codecId: 0, frameType: 'key', headerLength: 1, enhanced: true },
    },
    {
      name: 'an unknown codec and frame type',
      bytes: '7f',
      value: { codec: 'unknown', codecId: 15, frameType: 'unknown', headerLength: 1, enhanced: false },
    },
  ])('parses $name', ({ bytes: payload, value }) => {
    expect(parseFlvVideoTag(bytes(payload))).toEqual(value);
  });
});

it('has nothing to say of an empty payload, and something of any other', () => {
  expect(parseFlvAudioTag(bytes())).toBeUndefined();
  expect(parseFlvVideoTag(bytes())).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 8 }), (payload) => {
      expect(parseFlvAudioTag(payload)?.headerLength).toBeLessThanOrEqual(payload.length);
      expect(parseFlvVideoTag(payload)?.headerLength).toBeLessThanOrEqual(payload.length);
    }),
  );
});
