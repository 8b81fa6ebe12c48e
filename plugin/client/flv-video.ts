/**
 * The first two octets of the video messages that a call plays (FLV specification E.4.3.1): frame type and codec, then, for
 * H.264, the packet type. Looked at for each picture and player, and therefore not by way of the whole tag.
 */
const keyFrame = 1;
const avc = 7;
const sequenceHeader = 0;

/** Whether a video message is an AVC sequence header: what the pictures after it are decoded with. */
export function isSequenceHeader(payload: Uint8Array): boolean {
  return ((payload[0] ?? 0) & 0x8f) === avc && payload[1] === sequenceHeader;
}

/** Whether a video message holds a picture that builds on no other. */
export function isKeyFrame(payload: Uint8Array): boolean {
  return (((payload[0] ?? 0) >> 4) & 7) === keyFrame;
}
