import { describe, expect, it } from 'vitest';
import type { ClientAudio, ClientCodec } from '../../../plugin/call/client-audio.js';
import type { AudioTools } from '../../../plugin/media/audio/audio-tools.js';
import type { AudioCodec } from '../../../plugin/media/audio/flv-audio.js';
import type { ForeignCodecs } from '../../../plugin/media/audio/foreign.js';
import { heardAs } from '../../../plugin/media/audio/heard-as.js';
import { clientFormats } from '../../../plugin/media/negotiation/client-formats.js';
import { codecOf, isNoise } from '../../../plugin/media/negotiation/own-formats.js';
import { speexCodec } from '../../support/speex.js';

const none: AudioTools = {};
const speexTools: AudioTools = { transcoding: { codec: await speexCodec() } };
/** Says what it can; nothing here asks it to do it. */
const unasked = () => expect.fail('nothing is to be made here');
const foreign: ForeignCodecs = {
  decodes: () => true,
  encodes: (codec) => codec !== 'mp3',
  decode: unasked,
  encode: unasked,
};
const ffmpegOnly: AudioTools = { foreign };
const all: AudioTools = { ...speexTools, foreign };

const client = (sends: ClientCodec | undefined, ...receives: ClientCodec[]): ClientAudio => ({
  ...(sends && { sends }),
  ...(receives.length > 0 && { receives: new Set(receives) }),
});

/** Flash Player 11 and later, 9, and an encoder. */
const flash11: readonly ClientCodec[] = ['mp3', 'nelly8', 'nelly', 'pcma', 'pcmu', 'aac', 'speex'];
const flash9: readonly ClientCodec[] = ['mp3', 'nelly8', 'nelly', 'nelly16', 'aac'];

describe('what is offered', () => {
  it.each<[string, ClientAudio, AudioTools, string]>([
    ['of whom nothing is known', client(undefined), speexTools, 'speex speex pcmu pcma'],
    ['of whom nothing is known, without a Speex codec', client(undefined), none, 'speex speex'],
    ['of Flash Player 11', client(undefined, ...flash11), all, 'speex speex pcmu pcma'],
    ['that sends mu-law', client('pcmu'), speexTools, 'pcmu speex speex pcma'],
    ['that sends A-law, without a Speex codec', client('pcma'), none, 'pcma pcmu'],
    ['that plays G.711 but no Speex', client(undefined, 'pcmu', 'pcma'), speexTools, 'pcmu pcma speex speex'],
    ['of Enhanced RTMP', client(undefined, 'speex', 'opus'), speexTools, 'opus speex speex pcmu pcma'],
    ['that sends Opus', client('opus'), speexTools, 'opus'],
    ['that sends Opus, with FFmpeg', client('opus'), all, 'opus speex speex pcmu pcma'],
    ['that sends Nellymoser', client('nelly8', ...flash11), all, 'speex speex pcmu pcma'],
    ['that sends AAC, without a Speex codec', client('aac', ...flash11), ffmpegOnly, 'pcmu pcma'],
    ['of Flash Player 9', client(undefined, ...flash9), all, 'speex speex pcmu pcma'],
  ])('to a client %s', (_, audio, tools, expected) => {
    const { offered } = clientFormats(audio, tools);
    const codecs = offered.filter(codecOf);
    expect(codecs.map(({ encoding }) => encoding).join(' ')).toBe(expected);
    // Events on each clock that the codecs have, and on no other.
    const rates = (formats: typeof offered) => [...new Set(formats.map(({ clockRate }) => clockRate))].sort();
    expect(rates(offered.filter(({ encoding }) => encoding === 'telephone-event'))).toEqual(rates(codecs));
    // Comfort noise beside G.711, and behind it.
    const g711 = offered.some(({ encoding }) => encoding === 'pcmu');
    expect(offered.slice(codecs.length).filter(isNoise).length).toBe(g711 ? 1 : 0);
  });

  it('is Opus with 48 kHz and two channels, whatever is in it', () => {
    const [opus] = clientFormats(client('opus'), none).offered;
    expect(opus).toMatchObject({ encoding: 'opus', clockRate: 48000, channels: 2 });
  });

  it.each<[string, ClientAudio, AudioTools, RegExp]>([
    ['sends Nellymoser, without FFmpeg', client('nelly8', ...flash11), speexTools, /sends Nellymoser.*SONO_FFMPEG/],
    ['sends AAC, without FFmpeg', client('aac'), speexTools, /sends AAC.*install it/],
    ['plays MP3 alone, which FFmpeg cannot make', client(undefined, 'mp3'), all, /MP3.*no such codec/],
    ['is of Flash Player 9, without FFmpeg', client(undefined, ...flash9), speexTools, /install it/],
  ])('is nothing to a client that %s', (_, audio, tools, message) => {
    const offer = () => clientFormats(audio, tools);
    expect(offer).toThrow(expect.objectContaining({ code: 'NoCommonCodec', message: expect.stringMatching(message) }));
  });
});

describe('a far end is heard in', () => {
  it.each<[AudioCodec, string, ClientAudio, AudioTools, ClientCodec | undefined]>([
    ['speex', 'of whom nothing is known', client(undefined), none, 'speex'],
    ['pcmu', 'of whom nothing is known', client(undefined), speexTools, 'speex'],
    ['pcmu', 'that sends A-law', client('pcma'), speexTools, 'pcmu'],
    ['speex', 'that sends A-law', client('pcma'), speexTools, 'speex'],
    ['pcmu', 'that plays it and Speex', client('speex', ...flash11), speexTools, 'pcmu'],
    ['pcma', 'that plays Speex alone', client('speex', 'speex'), speexTools, 'speex'],
    ['speex', 'that plays G.711 but no Speex', client('pcmu', 'pcmu'), speexTools, 'pcmu'],
    ['speex', 'that plays Nellymoser alone', client('nelly8', 'nelly8'), all, 'nelly8'],
    ['pcmu', 'that sends Nellymoser and says nothing', client('nelly8'), all, 'nelly8'],
    ['speex', 'that sends Nellymoser and plays Speex', client('nelly8', ...flash11), all, 'speex'],
    ['speex', 'of Flash Player 9', client(undefined, ...flash9), all, 'nelly16'],
    ['opus', 'that sends it', client('opus'), none, 'opus'],
    ['opus', 'that does not play it', client('speex', 'speex'), all, undefined],
    ['speex', 'that plays MP3 alone, which FFmpeg cannot make', client(undefined, 'mp3'), all, undefined],
  ])('%s by a client %s', (from, _, audio, tools, expected) => expect(heardAs(from, audio, tools)).toBe(expected));
});
