import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { AudioFlow } from '../../../plugin/media/audio/audio-flow.js';
import { foreignRate } from '../../../plugin/media/audio/foreign.js';
import { Ffmpeg } from '../../../plugin/media/ffmpeg/ffmpeg.js';
import { FlvReader, flvAudioTag, flvHeader } from '../../../plugin/media/ffmpeg/flv.js';
import { matroska } from '../../../plugin/media/ffmpeg/matroska.js';
import { agreeAudio } from '../../../plugin/media/negotiation/formats.js';
import { compareSpeech } from '../../support/compare-speech.js';
import { decodeOpus, encodeOpus } from '../../support/ogg.js';
import { type Scope, test } from '../../support/scope.js';
import { audioMessages, decodeMessages, encodeFlvAs, encodeSpeex, type FlvAudio, speak } from '../../support/speech.js';
import { speexCodec } from '../../support/speex.js';
import { transcodingFormats } from './transcoding-formats.js';

// Ten processes at a time: a busy machine takes several times as long.
vi.setConfig({ testTimeout: 60_000 });
const speech = await speak();

/** How FFmpeg makes them. */
const codecs = {
  nelly8: ['-c:a', 'nellymoser', '-ar', '8000'],
  nelly16: ['-c:a', 'nellymoser', '-ar', '16000'],
  aac: ['-c:a', 'aac', '-ar', '44100'],
  mp3: ['-c:a', 'libmp3lame', '-ar', '44100'],
} as const;
type Codec = keyof typeof codecs | 'opus';
const names = [...Object.keys(codecs), 'opus'] as Codec[];

const opusOctets = Buffer.from('\x91Opus', 'latin1');

/** As a client sends it. */
async function published(codec: Codec): Promise<FlvAudio[]> {
  if (codec !== 'opus') return audioMessages(await encodeFlvAs(speech, codecs[codec]));
  const packets = await encodeOpus(speech);
  return packets.map((packet, at) => ({ timestamp: at * 20, body: Buffer.concat([opusOctets, packet]) }));
}

function played(codec: Codec, messages: readonly FlvAudio[]): Promise<Int16Array> {
  if (codec !== 'opus') return decodeMessages(messages);
  expect(messages.every(({ body }) => body.subarray(0, 5).equals(opusOctets))).toBe(true);
  return decodeOpus(messages.map(({ body }) => body.subarray(5)));
}

async function ffmpeg(processes = 4, path = 'ffmpeg'): Promise<Ffmpeg> {
  const found = await Ffmpeg.find({ path, processes });
  if (found === undefined) throw new Error('there is no FFmpeg; run test/support/install-peers.sh');
  return found;
}

/** What came out of one direction. */
class Output<T extends Uint8Array | Int16Array> {
  readonly parts: { readonly data: T; readonly timestamp: number }[] = [];
  readonly failures: string[] = [];
  readonly #waiting = new Set<() => void>();

  readonly take = (data: T, timestamp: number): void => {
    this.parts.push({ data, timestamp });
    for (const check of this.#waiting) check();
  };

  readonly failed = (reason: string): void => {
    this.failures.push(reason);
    for (const check of this.#waiting) check();
  };

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }
}

/** At the pace of speech, as calls do: how much is behind is part of what is tested. */
async function pace(messages: readonly FlvAudio[], write: (message: FlvAudio) => void): Promise<void> {
  const start = performance.now();
  for (const message of messages) {
    const wait = start + message.timestamp - (messages[0]?.timestamp ?? 0) - performance.now();
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
    write(message);
  }
}

describe.concurrent('FFmpeg', () => {
  // A client that is connected for 49 days.
  test.for(names)('decodes %s with its timestamps, over their wrap too', async (codec, { scope }) => {
    const output = new Output<Int16Array>();
    const stream = (await ffmpeg()).decode(codec, output);
    scope.defer(() => stream.close());
    const messages = (await published(codec)).filter(({ timestamp }) => timestamp < 3000);
    await pace(messages, ({ body, timestamp }) => stream.write(body, (timestamp + 2 ** 32 - 1000) % 2 ** 32));
    const last = 3000 - 1000 - 100;
    await output.until(() => output.failures.length > 0 || (output.parts.at(-1)?.timestamp ?? 0) - last < 1000);
    expect(output.failures).toEqual([]);
    let samples = 0;
    const first = output.parts[0]?.timestamp ?? 0;
    for (const { data, timestamp } of output.parts) {
      const elapsed = (timestamp - first + 2 ** 32) % 2 ** 32;
      expect(Math.abs(elapsed - (samples * 1000) / foreignRate)).toBeLessThan(40);
      samples += data.length;
    }
    expect(first).toBeGreaterThanOrEqual(2 ** 32 - 1000);
    const heard = Int16Array.from(output.parts.flatMap(({ data }) => [...data]));
    const { correlation, longestGapMs } = compareSpeech(speech.subarray(0, 3 * 16000), heard);
    expect(correlation).toBeGreaterThan(0.9);
    expect(longestGapMs).toBeLessThanOrEqual(40);
  });

  test.for(names)('encodes %s from Speex with its timestamps', async (codec, { scope }) => {
    const output = new Output<Uint8Array>();
    const stream = (await ffmpeg()).encode(codec, output);
    scope.defer(() => stream.close());
    const messages = (await encodeSpeex(speech)).slice(0, 150).map((body, index) => ({ body, timestamp: index * 20 }));
    await pace(messages, ({ body, timestamp }) => stream.write(body, timestamp + 500));
    await output.until(() => output.failures.length > 0 || (output.parts.at(-1)?.timestamp ?? 0) > 3000);
    expect(output.failures).toEqual([]);
    const heard = await played(
      codec,
      output.parts.map(({ data, timestamp }) => ({ body: Buffer.from(data), timestamp })),
    );
    const { correlation, longestGapMs } = compareSpeech(speech.subarray(0, 3 * 16000), heard);
    expect(correlation).toBeGreaterThan(0.85);
    expect(longestGapMs).toBeLessThanOrEqual(40);
  });
});

const nelly = audioMessages(await encodeFlvAs(speech, codecs.nelly8));

/** FFmpeg processes that this one has started (proc(5): pid, name, state, parent). */
function children(): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const [, name, , parent] = /^\d+ \((.*)\) (\S) (\d+)/.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? [];
      return name === 'ffmpeg' && Number(parent) === process.pid ? [Number(entry)] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

describe('a process', () => {
  test('that is killed is followed by another, three times', async ({ scope }) => {
    const output = new Output<Int16Array>();
    const codecs = await ffmpeg();
    const stream = codecs.decode('nelly8', output);
    scope.defer(() => stream.close());
    let at = 0;
    const speakOn = (): boolean => {
      const { body = Buffer.alloc(0), timestamp = 0 } = nelly[at++ % nelly.length] ?? {};
      return stream.write(body, timestamp);
    };
    for (let kill = 0; kill < 4; kill++) {
      const before = output.parts.length;
      const timer = setInterval(speakOn, 10);
      await output.until(() => output.parts.length > before);
      clearInterval(timer);
      for (const pid of children()) process.kill(pid, 'SIGKILL');
      while (codecs.running > 0) await new Promise(setImmediate);
    }
    await output.until(() => output.failures.length > 0);
    expect(output.failures).toEqual([expect.stringMatching(/FFmpeg failed 4 times.*SIGKILL/)]);
    expect(speakOn()).toBe(false);
    expect(children()).toEqual([]);
  });

  test('ends with its stream, and gives its place to another', async ({ scope }) => {
    const codecs = await ffmpeg(1);
    const first = codecs.decode('nelly8', new Output<Int16Array>());
    scope.defer(() => first.close());
    expect(codecs.running).toBe(1);
    const refused = new Output<Int16Array>();
    codecs.decode('nelly8', refused);
    await refused.until(() => refused.failures.length > 0);
    expect(refused.failures).toEqual([expect.stringMatching('SONO_FFMPEG_PROCESSES')]);
    first.close();
    first.close();
    expect(codecs.running).toBe(0);
    const next = new Output<Int16Array>();
    const stream = codecs.decode('nelly8', next);
    scope.defer(() => stream.close());
    for (const { body, timestamp } of nelly.slice(0, 60)) stream.write(body, timestamp);
    await next.until(() => next.parts.length > 0);
    stream.close();
    while (children().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  test('that does not read is not fed for ever', async ({ scope }) => {
    const codecs = await ffmpeg(1, await program(scope, 'case $* in *coders*) exec ffmpeg "$@";; esac; exec sleep 60'));
    const stream = codecs.decode('nelly8', new Output<Int16Array>());
    scope.defer(() => stream.close());
    const body = Buffer.alloc(1000, 0x52);
    let taken = 0;
    while (taken < 10_000 && stream.write(body, taken)) taken++;
    expect(taken).toBeLessThan(200);
  });

  test('that writes no FLV, or ends at once, is given up', async ({ scope }) => {
    for (const end of ['exec echo this is no media at all', 'echo cannot do that >&2; exit 3']) {
      const codecs = await ffmpeg(1, await program(scope, `case $* in *coders*) exec ffmpeg "$@";; esac; ${end}`));
      const output = new Output<Int16Array>();
      const stream = codecs.decode('nelly8', output);
      scope.defer(() => stream.close());
      const timer = setInterval(() => stream.write(nelly[0]?.body ?? Buffer.alloc(0), 0), 5);
      scope.defer(() => clearInterval(timer));
      await output.until(() => output.failures.length > 0);
      expect(output.failures[0]).toMatch(
        /^FFmpeg failed 4 times: (?:its output cannot be read|it ended|cannot do that)/,
      );
      expect(codecs.running).toBe(0);
    }
  });

  test('is not started over and over for a client that changes its codec to and fro', async ({ scope }) => {
    const transcoding = { codec: await speexCodec() };
    const codecs = await ffmpeg(2);
    const reasons: string[] = [];
    const format = { payloadType: 0, encoding: 'pcmu', clockRate: 8000 };
    const audio = { kind: 'audio', port: 4000, protocol: 'RTP/AVP', direction: 'sendrecv', formats: [format] } as const;
    const flow = new AudioFlow(agreeAudio({ address: '192.0.2.1', media: [audio] }, transcodingFormats), {
      ...{
        player: { play: () => true },
        out: { sendRtp: () => {} },
        cname: 'test',
        ssrc: 1,
        sequence: 0,
        timestamp: 0,
      },
      ...{ transcoding, foreign: codecs, refused: (reason) => reasons.push(reason) },
    });
    scope.defer(() => flow.free());
    for (let at = 0; at < 100; at++) {
      const payload = at % 2 === 0 ? Buffer.alloc(65, 0x52) : Buffer.alloc(161, 0x82);
      flow.write({ kind: 'audio', timestamp: at * 20, payload }, at * 20);
      expect(codecs.running).toBeLessThanOrEqual(1);
    }
    await Promise.resolve();
    expect(reasons[0]).toMatch('changed its codec too often');
    flow.free();
    expect(codecs.running).toBe(0);
  });

  test('that does not exist is not found', async () => {
    expect(await Ffmpeg.find({ path: '/nowhere/ffmpeg', processes: 1 })).toBeUndefined();
    expect(await Ffmpeg.find({ path: 'false', processes: 1 })).toBeUndefined();
  });
});

async function program(scope: Scope, script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'program-'));
  scope.defer(() => rm(folder, { recursive: true }));
  const path = join(folder, 'ffmpeg');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

describe('Matroska', () => {
  const bodies = [Buffer.of(1), Buffer.alloc(300, 7), Buffer.alloc(8000, 9)].map((packet) =>
    Buffer.concat([opusOctets, packet]),
  );
  const file = Buffer.concat([matroska.header, ...bodies.map((body, at) => matroska.write(body, at * 2 ** 34))]);

  it('is read in pieces of any length', () => {
    for (const size of [1, 2, 3, 7, 64, 1000, file.length]) {
      const found: [number, string][] = [];
      const reader = matroska.reader((body, position) => found.push([position, body.toString('hex')]));
      for (let at = 0; at < file.length; at += size) expect(reader.push(file.subarray(at, at + size))).toBe(true);
      expect(found).toEqual(bodies.map((body, at) => [at * 2 ** 34, body.toString('hex')]));
    }
  });

  it('that is none ends the reading, whatever it is', () => {
    expect(matroska.reader(() => {}).push(flvHeader)).toBe(false);
    expect(matroska.reader(() => {}).push(Buffer.alloc(10))).toBe(false);
    const tooLong = Buffer.from('1f43b675ffa3100fffff', 'hex');
    expect(matroska.reader(() => {}).push(Buffer.concat([matroska.header, tooLong]))).toBe(false);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        matroska.reader(() => {}).push(Buffer.concat([matroska.header, bytes]));
      }),
    );
  });
});

describe('FLV', () => {
  it('is read in pieces of any length', () => {
    const bodies = [Buffer.of(0x52, 1, 2), Buffer.alloc(0), Buffer.alloc(300, 7)];
    const tags = bodies.map((body, index) => flvAudioTag(body, index * 2 ** 24 + 5));
    const script = flvAudioTag(Buffer.of(1), 0);
    script[0] = 18;
    const file = Buffer.concat([flvHeader, script, ...tags]);
    for (let size = 1; size <= file.length; size++) {
      const found: [number, string][] = [];
      const reader = new FlvReader((body, timestamp) => found.push([timestamp, body.toString('hex')]));
      for (let at = 0; at < file.length; at += size) expect(reader.push(file.subarray(at, at + size))).toBe(true);
      expect(found).toEqual(bodies.map((body, index) => [index * 2 ** 24 + 5, body.toString('hex')]));
    }
  });

  it('that is none ends the reading, whatever it is', () => {
    const reader = new FlvReader(() => {});
    expect(reader.push(Buffer.from('RIFF....WAVEfmt '))).toBe(false);
    const tooLong = new FlvReader(() => {});
    expect(tooLong.push(Buffer.concat([flvHeader, Buffer.alloc(11, 0xff)]))).toBe(false);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        new FlvReader(() => {}).push(Buffer.concat([flvHeader, bytes]));
      }),
    );
  });
});
