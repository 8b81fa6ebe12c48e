import { parseFlvVideoTag } from 'rtmp-server-ts';

/** Whether a video message is an AVC sequence header, in FLV's own form: what the pictures after it are decoded with. */
export function isSequenceHeader(payload: Uint8Array): boolean {
  const tag = parseFlvVideoTag(payload);
  return tag?.codec === 'avc' && tag.avcPacketType === 'sequence-header';
}

/** Whether a video message holds a picture that builds on no other. */
export function isKeyFrame(payload: Uint8Array): boolean {
  return parseFlvVideoTag(payload)?.frameType === 'key';
}
