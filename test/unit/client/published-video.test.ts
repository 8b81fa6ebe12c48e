import type { AmfValue, DataMessage } from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import type { ClientFrame } from '../../../plugin/call/ports.js';
import { PublishedVideo, readMetadata } from '../../../plugin/client/published-video.js';

const message = (timestamp: number, first: number, type: number, length = 6): ClientFrame => {
  const payload = new Uint8Array(length);
  payload.set([first, type]);
  return { kind: 'video', timestamp, payload };
};
const header = message(0, 0x17, 0);
const key = (timestamp: number, length?: number): ClientFrame => message(timestamp, 0x17, 1, length);
const inter = (timestamp: number, length?: number): ClientFrame => message(timestamp, 0x27, 1, length);

function publishing(heard: boolean, ...frames: ClientFrame[]): PublishedVideo {
  const published = new PublishedVideo();
  for (const frame of frames) published.message(frame, heard);
  return published;
}

describe('what is known of published video', () => {
  it('is nothing before there is any, and of other codecs', () => {
    expect(new PublishedVideo().current).toBeUndefined();
    // H.263, and HEVC of Enhanced RTMP.
    expect(publishing(false, message(0, 0x12, 0)).current).toBeUndefined();
    const hevc = { kind: 'video', timestamp: 0, payload: Uint8Array.of(0x90, 0x68, 0x76, 0x63, 0x31) } as const;
    expect(publishing(false, hevc).current).toBeUndefined();
  });

  it('is the header, and the pictures from a key frame on', () => {
    const [first, second, third] = [key(0), inter(33), inter(66)];
    expect(publishing(false, header, inter(0), first, second, third).current).toEqual({
      sequenceHeader: header.payload,
      recent: [first, second, third],
    });
    expect(publishing(false, header, key(0), inter(33), third, first).current?.recent).toEqual([first]);
  });

  it('also of Enhanced RTMP with the FourCC avc1', () => {
    const enhanced = { kind: 'video', timestamp: 0, payload: Uint8Array.of(0x90, 0x61, 0x76, 0x63, 0x31, 1) } as const;
    expect(publishing(false, enhanced).current?.sequenceHeader).toBe(enhanced.payload);
  });

  it('has no pictures of more than a second, of more than 1 MiB, or that a call got', () => {
    const seconds = Array.from({ length: 40 }, (_, index) => inter(33 * (index + 1)));
    expect(publishing(false, header, key(0), ...seconds).current?.recent).toEqual([]);
    expect(publishing(false, header, key(0, 600_000), inter(33, 600_000)).current?.recent).toEqual([]);
    expect(publishing(true, header, key(0), inter(33)).current?.recent).toEqual([]);
  });

  it('is forgotten with the publish', () => {
    const published = publishing(false, header, key(0));
    published.reset();
    expect(published.current).toBeUndefined();
    published.announced();
    expect(published.current).toEqual({});
  });
});

describe('metadata', () => {
  const read = (name: string, ...values: AmfValue[]) =>
    readMetadata({ type: 'data', encoding: 0, streamId: 1, timestamp: 0, name, values } satisfies DataMessage);

  it.each([
    ['7, as FFmpeg and OBS say it', 7],
    ['avc1', 'avc1'],
    ['the FourCC as a number', 0x61766331],
  ])('says that there is H.264: %s', (_name, videocodecid) => {
    expect(read('@setDataFrame', 'onMetaData', { videocodecid, width: 1280 })).toEqual({ video: true });
    expect(read('onMetaData', { videocodecid })).toEqual({ video: true });
  });

  it('says that there is none', () => {
    expect(read('@setDataFrame', 'onMetaData', { audiocodecid: 11 })).toEqual({ video: false });
    expect(read('@setDataFrame', 'onMetaData', { videocodecid: 2 })).toEqual({ video: false });
  });

  it('is not any other data', () => {
    expect(read('onTextData', { text: 'x' })).toBeUndefined();
    expect(read('@setDataFrame', 'onMetaData')).toBeUndefined();
    expect(read('onMetaData', 7)).toBeUndefined();
  });
});
