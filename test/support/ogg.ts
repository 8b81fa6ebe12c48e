import { runProgram } from './process.js';
import { readAudio, writeWav } from './speech.js';

const quiet = ['-nostdin', '-v', 'error'];

/** Opus packets of speech, each of `frameDuration` milliseconds, as FFmpeg's libopus makes them. */
export async function encodeOpus(samples: Int16Array, frameDuration = 20): Promise<Buffer[]> {
  const options = ['-c:a', 'libopus', '-application', 'voip', '-frame_duration', String(frameDuration)];
  const wav = await writeWav(samples);
  const ogg = await runProgram('ffmpeg', [...quiet, '-i', '-', ...options, '-f', 'ogg', '-'], { input: wav });
  // The first two are headers (RFC 7845 section 3).
  return readOgg(ogg).slice(2);
}

/** Opus packets of 20 ms as samples of 16 kHz. */
export async function decodeOpus(packets: readonly Uint8Array[]): Promise<Int16Array> {
  const head = Buffer.concat([Buffer.from('OpusHead'), Buffer.from('0101000080bb0000000000', 'hex')]);
  const tags = Buffer.concat([Buffer.from('OpusTags'), Buffer.alloc(8)]);
  const pages = [head, tags, ...packets].map((packet, index) =>
    oggPage(packet, { index, granule: Math.max(0, index - 1) * 960, first: index === 0 }),
  );
  return await readAudio(Buffer.concat(pages), ['-f', 'ogg']);
}

/** The packets of an Ogg file with one stream (RFC 3533 section 6). */
function readOgg(file: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 0; at + 27 <= file.length; ) {
    const segments = file.subarray(at + 27, at + 27 + file.readUInt8(at + 26));
    at += 27 + segments.length;
    for (const size of segments) {
      parts.push(file.subarray(at, at + size));
      at += size;
      if (size === 255) continue;
      packets.push(Buffer.concat(parts));
      parts = [];
    }
  }
  return packets;
}

interface Page {
  readonly index: number;
  readonly granule: number;
  readonly first: boolean;
}

function oggPage(packet: Uint8Array, { index, granule, first }: Page): Buffer {
  const segments = Buffer.alloc(Math.floor(packet.length / 255) + 1, 255);
  segments.writeUInt8(packet.length % 255, segments.length - 1);
  const header = Buffer.alloc(27);
  header.write('OggS');
  header.writeUInt8(first ? 2 : 0, 5);
  header.writeBigUInt64LE(BigInt(granule), 6);
  header.writeUInt32LE(1, 14);
  header.writeUInt32LE(index, 18);
  header.writeUInt8(segments.length, 26);
  const page = Buffer.concat([header, segments, packet]);
  page.writeUInt32LE(checksum(page), 22);
  return page;
}

/** CRC-32 with polynomial 04c11db7, not reflected, from 0 (RFC 3533 section 6). */
function checksum(page: Buffer): number {
  let crc = 0;
  for (const octet of page) {
    crc ^= octet << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}
