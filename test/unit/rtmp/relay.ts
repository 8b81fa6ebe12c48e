import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RtmpStream } from 'rtmp-server-ts';
import type { Scope } from '../../support/scope.js';
import { type ServeOptions, serve } from './serve.js';

export interface Frame {
  timestamp: number;
  hex: string;
}

/** A server that sends what one client publishes to all that play, and keeps the audio. */
export async function relaying(scope: Scope, options: ServeOptions = {}) {
  const served = await serve(scope, options);
  const audio: Frame[] = [];
  served.server.on('connection', (session) => {
    session.on('stream', (stream) => {
      const players = (): RtmpStream[] => served.streams.filter(({ playing }) => playing !== undefined);
      stream.on('audio', ({ timestamp, payload }) => {
        audio.push({ timestamp, hex: Buffer.from(payload).toString('hex') });
        for (const player of players()) player.sendAudio(timestamp, payload);
      });
      stream.on('video', ({ timestamp, payload }) => {
        for (const player of players()) player.sendVideo(timestamp, payload);
      });
      stream.on('data', ({ name, values }) => {
        const [handler, ...rest] = name === '@setDataFrame' ? values : [name, ...values];
        for (const player of players()) player.sendData(String(handler), ...rest);
      });
      stream.on('unpublish', () => {
        for (const player of players()) player.stopPlay();
      });
    });
  });
  return { ...served, audio };
}

export interface Tag extends Frame {
  type: 'audio' | 'video' | 'data';
}

/** The tags of an FLV file (video file format 10.1, section E.4) that hold something. */
export function flvTags(file: Buffer): Tag[] {
  const tags: Tag[] = [];
  for (let offset = 13; offset + 11 <= file.length; ) {
    const type = file[offset] === 8 ? 'audio' : file[offset] === 9 ? 'video' : 'data';
    const length = file.readUIntBE(offset + 1, 3);
    const timestamp = file.readUIntBE(offset + 4, 3) + file.readUInt8(offset + 7) * 0x1000000;
    const body = file.subarray(offset + 11, offset + 11 + length);
    if (length > 0) tags.push({ type, timestamp, hex: body.toString('hex') });
    offset += 11 + length + 4;
  }
  return tags;
}

export function flvAudio(file: Buffer): Frame[] {
  const audio = flvTags(file).filter(({ type }) => type === 'audio');
  return audio.map(({ timestamp, hex }) => ({ timestamp, hex }));
}

export function temporaryDirectory(scope: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'rtmp-'));
  scope.defer(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
