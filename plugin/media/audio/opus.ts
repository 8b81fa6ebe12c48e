/**
 * Opus between Enhanced RTMP and RTP. A packet is the same in both (RFC 6716 section 3, RFC 7587 section 4.2), whatever is
 * in it: up to 120 ms in one or more frames, mono or stereo. Only what stands before it differs.
 */

/** Ticks of a millisecond: RTP counts 48 kHz whatever the packet holds (RFC 7587 section 4.1). */
const ticksPerMs = 48;

/** Longest packet, in milliseconds (RFC 6716 section 3.2.5). */
const maxDuration = 120;

/** Milliseconds of one frame by the configuration in the TOC octet (RFC 6716 section 3.1, table 2), each four times. */
const silk = [10, 20, 40, 60];
const hybrid = [10, 20];
const celt = [2.5, 5, 10, 20];
const frameDurations: readonly number[] = [
  ...silk,
  ...silk,
  ...silk,
  ...hybrid,
  ...hybrid,
  ...celt,
  ...celt,
  ...celt,
  ...celt,
];

/** Milliseconds of a packet; undefined when it is none. */
export function opusDuration(packet: Uint8Array): number | undefined {
  const [toc, count] = [packet[0], packet[1]];
  if (toc === undefined) return undefined;
  const frame = frameDurations[toc >> 3] ?? 0;
  const code = toc & 3;
  if (code === 0) return frame;
  if (code < 3) return frame * 2;
  // Code 3: the second octet holds the number of frames (section 3.2.5).
  const duration = frame * ((count ?? 0) & 0x3f);
  return duration > 0 && duration <= maxDuration ? duration : undefined;
}

/** AudioPacketType of Enhanced RTMP (v2, "Enhanced Audio"). */
const sequenceStart = 0;
const codedFrames = 1;
const modEx = 7;

/** Octets before an Opus packet: the ExHeader's first, then the FourCC. */
export const opusHeader = Uint8Array.of(0x90 | codedFrames, 0x4f, 0x70, 0x75, 0x73);

/**
 * The identification header of RFC 7845 section 5.1. Its channel count is a hint for players: every packet says for itself
 * whether it is stereo.
 */
export function opusIdentification(channels: 1 | 2): Uint8Array {
  const rate = ticksPerMs * 1000;
  return Uint8Array.of(
    ...Buffer.from('OpusHead'),
    ...[1, channels, 0, 0, rate & 0xff, (rate >> 8) & 0xff, 0, 0, 0, 0, 0],
  );
}

/** The message that opens a stream. */
export function opusSequenceStart(channels: 1 | 2): Uint8Array {
  return Uint8Array.of(0x90 | sequenceStart, ...opusHeader.subarray(1), ...opusIdentification(channels));
}

/** Whether a packet is stereo: the TOC octet's third bit from the right. */
export function isStereo(packet: Uint8Array): boolean {
  return ((packet[0] ?? 0) & 4) !== 0;
}

export type OpusMessage =
  | { readonly kind: 'packet'; readonly packet: Uint8Array; readonly duration: number }
  /** Sequence headers and ends, which RTP has no use for. */
  | { readonly kind: 'other' };

/** Reads the body of an audio tag whose FourCC is `Opus`; undefined when it holds no packet that could be sent. */
export function readOpusMessage(body: Uint8Array): OpusMessage | undefined {
  const type = (body[0] ?? 0) & 0x0f;
  // Packets with modifiers have their FourCC elsewhere, so they never get here.
  if (type === modEx) return undefined;
  if (type !== codedFrames) return { kind: 'other' };
  const packet = body.subarray(opusHeader.length);
  const duration = opusDuration(packet);
  return duration === undefined ? undefined : { kind: 'packet', packet, duration };
}
