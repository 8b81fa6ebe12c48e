import { AmfEcmaArray, type AmfObject, type ConnectRequest } from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { clientCodecOf } from '../../../plugin/call/client-audio.js';
import { ClientCodecs } from '../../../plugin/client/client-codecs.js';

function connect(commandObject: AmfObject): ClientCodecs {
  const { audioCodecs } = commandObject;
  const request = { commandObject, ...(typeof audioCodecs === 'number' && { audioCodecs }) } as ConnectRequest;
  const after = (_ms: number, fire: () => void) => {
    timers.push(fire);
    return () => {};
  };
  return new ClientCodecs(request, { after });
}
const timers: (() => void)[] = [];

describe('what a client plays', () => {
  it.each<[string, AmfObject, string[] | undefined]>([
    ['says nothing', {}, undefined],
    ['says 0', { audioCodecs: 0 }, undefined],
    ['is Flash Player 11', { audioCodecs: 0x0df7 }, ['aac', 'mp3', 'nelly', 'nelly8', 'pcma', 'pcmu', 'speex']],
    ['is Flash Player 9', { audioCodecs: 0x0667 }, ['aac', 'mp3', 'nelly', 'nelly16', 'nelly8']],
    ['says G.711', { audioCodecs: 0x0180 }, ['pcma', 'pcmu']],
    ['lists Opus', { fourCcList: ['hvc1', 'Opus'] }, ['opus', 'speex']],
    ['lists everything', { audioCodecs: 0x0800, fourCcList: ['*'] }, ['opus', 'speex']],
    ['lists Opus in an associative array', { fourCcList: new AmfEcmaArray({ 0: 'Opus' }) }, ['opus', 'speex']],
    ['decodes Opus', { audioFourCcInfoMap: { Opus: 3 } }, ['opus', 'speex']],
    ['only encodes Opus', { audioFourCcInfoMap: { Opus: 2 } }, undefined],
    ['lists no strings', { fourCcList: [1, null], audioFourCcInfoMap: 'Opus' }, undefined],
  ])('that %s', async (_, commandObject, expected) => {
    const { receives } = await connect(commandObject).known();
    expect(receives && [...receives].sort()).toEqual(expected);
  });
});

describe('what a client sends', () => {
  it('is what its last message is in', async () => {
    const codecs = connect({});
    expect(await codecs.known()).toEqual({});
    codecs.heard(Uint8Array.of(0xb2, 1));
    codecs.heard(Uint8Array.of(0x82, 1));
    codecs.heard(new Uint8Array());
    expect(await codecs.known('silent')).toEqual({ sends: 'pcmu' });
  });

  it('is waited for where it dials by publishing', async () => {
    const codecs = connect({});
    const known = codecs.known('silent');
    const header = Uint8Array.of(0xaf, 0, 0x12, 0x10);
    codecs.heard(header);
    expect(await known).toEqual({ sends: 'aac', header });
  });

  it('is not waited for any longer than half a second', async () => {
    const known = connect({}).known('silent');
    for (const fire of timers) fire();
    expect(await known).toEqual({});
  });
});

describe('the codec of a message', () => {
  it.each([
    ['Speex', [0xb2], 'speex'],
    ["FFmpeg's Speex", [0xb6], 'speex'],
    ['mu-law', [0x82], 'pcmu'],
    ['A-law', [0x72], 'pcma'],
    ['Nellymoser of 8 kHz', [0x52], 'nelly8'],
    ['Nellymoser of 16 kHz', [0x42], 'nelly16'],
    ['Nellymoser of another rate', [0x62], 'nelly'],
    ['AAC', [0xaf, 1], 'aac'],
    ['MP3', [0x2f], 'mp3'],
    ['MP3 of 8 kHz', [0xe2], 'mp3'],
    ['Opus', [0x91, 0x4f, 0x70, 0x75, 0x73], 'opus'],
    ['another FourCC', [0x91, 0x66, 0x4c, 0x61, 0x43], undefined],
    ['a FourCC that is cut off', [0x91, 0x4f, 0x70, 0x75], undefined],
    ['ADPCM', [0x12], undefined],
    ['a number that is reserved', [0xc2], undefined],
    ['nothing', [], undefined],
  ])('of %s', (_, body, codec) => expect(clientCodecOf(Uint8Array.from(body))).toBe(codec));
});
