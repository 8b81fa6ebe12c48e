/** RFC 5168: asks for a key frame where the far end knows no RTCP feedback. */
export const mediaControl = 'application/media_control+xml';

/** Longest body that is looked at. */
const maxLength = 2048;

export const pictureFastUpdate = [
  '<?xml version="1.0" encoding="utf-8"?>',
  '<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>',
  '',
].join('\r\n');

/** Whether the body of an INFO asks for a key frame. */
export function asksForPicture(contentType: string, body: string): boolean {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase();
  return type === mediaControl && body.length <= maxLength && /<picture_fast_update\s*\/?>/.test(body);
}
