import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../../support/process.js';

export interface AudioTag {
  readonly timestamp: number;
  readonly body: Buffer;
}

/** Speech encoded by libspeex through FFmpeg, `framesPerPacket` frames to a message, as the audio tags of an FLV file. */
export async function encodeSpeechFlv(framesPerPacket: number, ...options: string[]): Promise<AudioTag[]> {
  return withSpeech('flv', encodeWideband(framesPerPacket, options), async (flv) => audioTags(await readFile(flv)));
}

/** The same as the packets of an Ogg file, at 8 kHz. */
export async function encodeSpeechOgg(framesPerPacket: number): Promise<Buffer[]> {
  const options = ['-ar', '8000', '-frames_per_packet', String(framesPerPacket)];
  // The first two packets are the Speex header and the comments.
  return withSpeech('ogg', options, async (ogg) => oggPackets(await readFile(ogg)).slice(2));
}

/** What libspeex hears in the wideband speech: 16 bit samples, 640 octets for each frame. */
export async function decodedSpeech(): Promise<Buffer> {
  return withSpeech('flv', encodeWideband(1, []), (flv) =>
    runProgram('ffmpeg', ['-v', 'error', '-c:a', 'libspeex', '-i', flv, '-f', 's16le', '-']),
  );
}

/** Writes the speech to a file, which is there while `use` runs. */
export async function withSpeech<T>(
  format: string,
  options: readonly string[],
  use: (file: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'speech-'));
  try {
    const wav = join(directory, 'speech.wav');
    await runProgram('espeak-ng', ['-w', wav, 'The quick brown fox jumps over the lazy dog. One, two, three, four.']);
    if (format === 'wav') return await use(wav);
    const encoded = join(directory, `encoded.${format}`);
    await runProgram('ffmpeg', ['-v', 'error', '-i', wav, '-ac', '1', '-c:a', 'libspeex', ...options, encoded]);
    return await use(encoded);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** FFmpeg's options for wideband Speex. */
export function encodeWideband(framesPerPacket: number, options: readonly string[]): string[] {
  return ['-ar', '16000', '-frames_per_packet', String(framesPerPacket), ...options];
}

/** FLV: 9 octets of header, then the size of the tag before (4) and a tag of 11 octets of header and a body, repeated. */
function audioTags(file: Buffer): AudioTag[] {
  const tags: AudioTag[] = [];
  for (let at = 13; at + 11 <= file.length; ) {
    const size = file.readUIntBE(at + 1, 3);
    const timestamp = file.readUIntBE(at + 4, 3) + file.readUInt8(at + 7) * 2 ** 24;
    if (file.readUInt8(at) === 8) tags.push({ timestamp, body: file.subarray(at + 11, at + 11 + size) });
    at += 11 + size + 4;
  }
  return tags;
}

/** Ogg pages: 27 octets of header, a table of segment sizes, the segments; one below 255 ends a packet. */
export function oggPackets(file: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const segments = file.readUInt8(at + 26);
    let data = at + 27 + segments;
    for (const size of file.subarray(at + 27, data)) {
      parts.push(file.subarray(data, data + size));
      data += size;
      if (size === 255) continue;
      packets.push(Buffer.concat(parts));
      parts = [];
    }
    at = data;
  }
  return packets;
}
