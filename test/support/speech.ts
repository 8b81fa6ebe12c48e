import { runProgram } from './process.js';

/** Hz. All speech of the tests is 16 bit mono at this rate. */
export const sampleRate = 16_000;
/** Milliseconds of one Speex frame. */
export const frameMs = 20;
/** The first byte of Flash's Speex messages: codec 11, 44 kHz, 16 bit, mono, whatever the real rate is. */
export const speexByte = 0xb2;

const defaultText = 'The quick brown fox jumps over the lazy dog. One, two, three, four, five, six, seven, eight.';

/** A sentence as a person would say it. */
export async function speak(text = defaultText, voice = 'en'): Promise<Int16Array> {
  const wav = await runProgram('espeak-ng', ['--stdout', '-v', voice, '-s', '160', text]);
  return await readAudio(wav, ['-f', 'wav']);
}

/** Any audio that FFmpeg reads, as samples. */
export async function readAudio(file: Uint8Array, inputOptions: readonly string[] = []): Promise<Int16Array> {
  const output = ['-f', 's16le', '-ar', String(sampleRate), '-ac', '1', '-'];
  return samplesOf(await runProgram('ffmpeg', [...quiet, ...inputOptions, '-i', '-', ...output], { input: file }));
}

export async function writeWav(samples: Int16Array): Promise<Buffer> {
  return await runProgram('ffmpeg', [...quiet, ...rawInput, '-f', 'wav', '-'], { input: bytesOf(samples) });
}

/** Speex as FLV, as an encoder would publish it. */
export async function encodeFlv(samples: Int16Array, { framesPerMessage = 1, quality = 8 } = {}): Promise<Buffer> {
  const codec = ['-c:a', 'libspeex', '-cbr_quality', String(quality), '-frames_per_packet', String(framesPerMessage)];
  return await runProgram('ffmpeg', [...quiet, ...rawInput, ...codec, '-f', 'flv', '-'], { input: bytesOf(samples) });
}

/** Any codec as FLV, made as FFmpeg's options say. */
export async function encodeFlvAs(samples: Int16Array, options: readonly string[]): Promise<Buffer> {
  const output = [...options, '-ac', '1', '-f', 'flv', '-'];
  return await runProgram('ffmpeg', [...quiet, ...rawInput, ...output], { input: bytesOf(samples) });
}

/**
 * The audio messages that a Flash client with these settings sends: 0xB2 and one packet of `framesPerMessage` frames,
 * packed bit by bit. A last packet that is not full is left out.
 */
export async function encodeSpeex(
  samples: Int16Array,
  options: { readonly framesPerMessage?: number; readonly quality?: number } = {},
): Promise<Buffer[]> {
  const perMessage = (options.framesPerMessage ?? 1) * frameMs;
  const full = Math.floor(samples.length / ((sampleRate * perMessage) / 1000));
  const messages = audioMessages(await encodeFlv(samples, options)).slice(0, full);
  return messages.map(({ body }) => Buffer.concat([Buffer.of(speexByte), body.subarray(1)]));
}

/** Audio messages of any codec, in order, as samples. */
export async function decodeMessages(messages: readonly FlvAudio[]): Promise<Int16Array> {
  return await readAudio(flvOf(messages), ['-f', 'flv']);
}

/** Speex packets (without the FLV byte), in order, as samples. */
export async function decodeSpeex(packets: readonly Uint8Array[], decoder = 'libspeex'): Promise<Int16Array> {
  const flv = await runProgram('ffmpeg', [...quiet, '-c:a', decoder, '-f', 'flv', '-i', '-', '-f', 's16le', '-'], {
    input: flvFile(packets),
  });
  return samplesOf(flv);
}

export interface FlvAudio {
  readonly timestamp: number;
  /** The tag's body: the audio byte, then the packet. */
  readonly body: Buffer;
}

/** The audio tags of an FLV file (FLV specification 10.1, annex E.4). A cut-off last tag is left out. */
export function audioMessages(flv: Buffer): FlvAudio[] {
  const found: FlvAudio[] = [];
  for (let at = flvHeader.length; at + 11 <= flv.length; ) {
    const end = at + 11 + flv.readUIntBE(at + 1, 3);
    if (end > flv.length) break;
    const timestamp = flv.readUIntBE(at + 4, 3) + flv.readUInt8(at + 7) * 2 ** 24;
    if (flv[at] === audioTag && end > at + 12) found.push({ timestamp, body: flv.subarray(at + 11, end) });
    at = end + 4;
  }
  return found;
}

const audioTag = 8;
/** Signature, version 1, audio only, header length, and the size of the tag before the first. */
const flvHeader = Buffer.from('464c56010400000009' + '00000000', 'hex');

function flvFile(packets: readonly Uint8Array[]): Buffer {
  const body = (packet: Uint8Array) => Buffer.concat([Buffer.of(speexByte), packet]);
  return flvOf(packets.map((packet, index) => ({ timestamp: index * frameMs, body: body(packet) })));
}

function flvOf(messages: readonly FlvAudio[]): Buffer {
  const tags = messages.map(({ timestamp, body }) => {
    const tag = Buffer.alloc(11 + body.length + 4);
    tag.writeUInt8(audioTag, 0);
    tag.writeUIntBE(body.length, 1, 3);
    tag.writeUIntBE(timestamp % 2 ** 24, 4, 3);
    tag.set(body, 11);
    tag.writeUInt32BE(tag.length - 4, tag.length - 4);
    return tag;
  });
  return Buffer.concat([flvHeader, ...tags]);
}

const quiet = ['-nostdin', '-v', 'error'];
const rawInput = ['-f', 's16le', '-ar', String(sampleRate), '-ac', '1', '-i', '-'];

function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

function samplesOf(bytes: Buffer): Int16Array {
  const count = bytes.length >> 1;
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + count * 2));
}
