import { copyBits, padLastOctet, readBits } from './bits.js';

/**
 * A Speex packet holds one or more frames of 20 ms, packed bit by bit: each a narrowband frame, then none, one or two
 * layers that widen it. Nothing marks the boundaries; they follow from the size of each frame's mode. Sizes are those
 * of the Speex manual, section "Bit allocation", headers included.
 */
export type SpeexBand = 'narrowband' | 'wideband' | 'ultra-wideband';

/** Why a packet cannot be taken apart. */
export type SpeexFault =
  | 'no-frame' // empty, or nothing but padding and in-band messages
  | 'truncated' // a frame is longer than what is left of the packet
  | 'invalid-mode' // a mode that is not defined, a layer without a frame, a third layer
  | 'too-many-frames'; // more than maxFrames

export type SpeexLayout =
  | {
      readonly ok: true;
      /** The widest band of any frame in the packet. */
      readonly band: SpeexBand;
      /** For each frame the number of the bit behind it. In-band messages belong to the frame that follows. */
      readonly ends: readonly number[];
    }
  | { readonly ok: false; readonly fault: SpeexFault };

export type SpeexSplit =
  | { readonly ok: true; readonly band: SpeexBand; readonly frames: readonly Uint8Array[] }
  | { readonly ok: false; readonly fault: SpeexFault };

export type SpeexJoin =
  | { readonly ok: true; readonly packet: Uint8Array }
  | { readonly ok: false; readonly fault: SpeexFault };

/** Milliseconds of one frame, whatever its band. */
export const frameDuration = 20;

/** Most frames taken from one packet, 1 s: a frame can be as short as 5 bits, so a long message could hold millions. */
export const maxFrames = 50;

const bands: readonly SpeexBand[] = ['narrowband', 'wideband', 'ultra-wideband'];

/** Bits of a narrowband frame by mode: 1 bit (0) and 4 bits of mode, then parameters. */
const narrowbandBits: readonly number[] = [5, 43, 119, 160, 220, 300, 364, 492, 79];
const narrowbandHeader = 5;
const userMessage = 13;
const inbandMessage = 14;
const terminator = 15;

/** Bits of a layer by mode: 1 bit (1) and 3 bits of mode, then parameters. */
const layerBits: readonly number[] = [4, 36, 112, 192, 352];
const maxLayers = 2;

/** Bits that follow the 4 bit code of an in-band message. */
const inbandBits: readonly number[] = [1, 1, 4, 4, 4, 4, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64];

/** Finds the frames of a packet. Never throws; at most {@link maxFrames} steps and as many in-band messages as fit. */
export function inspectPacket(packet: Uint8Array): SpeexLayout {
  const available = packet.length * 8;
  const ends: number[] = [];
  let widest = 0;
  let at = 0;
  while (available - at >= narrowbandHeader) {
    const header = readBits(packet, at, narrowbandHeader);
    if (header === terminator) break;
    if (header === inbandMessage || header === userMessage) {
      at += messageBits(packet, at, header);
      if (at > available) return truncated;
      continue;
    }
    const size = narrowbandBits[header];
    if (size === undefined) return invalidMode;
    if (ends.length === maxFrames) return tooManyFrames;
    at += size;
    let layers = 0;
    while (at < available && readBits(packet, at, 1) === 1) {
      const layer = layerBits[readBits(packet, at + 1, 3)];
      if (layer === undefined || layers === maxLayers) return invalidMode;
      at += layer;
      layers++;
    }
    if (at > available) return truncated;
    widest = Math.max(widest, layers);
    ends.push(at);
  }
  if (ends.length === 0) return noFrame;
  // Messages behind the last frame stay with it: there is no frame left to carry them.
  ends[ends.length - 1] = at;
  return { ok: true, band: bands[widest] ?? 'narrowband', ends };
}

/**
 * Takes a packet apart into packets of one frame each, padded with the terminator. A packet of one frame is returned as
 * it is: the same bytes, not copied.
 */
export function splitPacket(packet: Uint8Array): SpeexSplit {
  const layout = inspectPacket(packet);
  if (!layout.ok) return layout;
  if (layout.ends.length === 1) return { ok: true, band: layout.band, frames: [packet] };
  const frames: Uint8Array[] = [];
  let start = 0;
  for (const end of layout.ends) {
    const frame = new Uint8Array((end - start + 7) >> 3);
    copyBits(packet, start, end - start, frame, 0);
    padLastOctet(frame, end - start);
    frames.push(frame);
    start = end;
  }
  return { ok: true, band: layout.band, frames };
}

/** Packs the frames of several packets into one, the reverse of {@link splitPacket}. */
export function joinPackets(packets: readonly Uint8Array[]): SpeexJoin {
  const lengths: number[] = [];
  let total = 0;
  let frames = 0;
  for (const packet of packets) {
    const layout = inspectPacket(packet);
    if (!layout.ok) return layout;
    const length = layout.ends[layout.ends.length - 1] ?? 0;
    lengths.push(length);
    total += length;
    frames += layout.ends.length;
  }
  if (frames === 0) return noFrame;
  if (frames > maxFrames) return tooManyFrames;
  const joined = new Uint8Array((total + 7) >> 3);
  let at = 0;
  for (const [index, packet] of packets.entries()) {
    const length = lengths[index] ?? 0;
    copyBits(packet, 0, length, joined, at);
    at += length;
  }
  padLastOctet(joined, at);
  return { ok: true, packet: joined };
}

/** The bits of a layer that widens by nothing: a layer follows (1), its mode is 0 (000). */
const emptyLayer = Uint8Array.of(0b10000000);
const emptyLayerBits = 4;

/**
 * Makes a wideband packet of a narrowband one of one frame: the same sound under a layer that adds none to it, for
 * decoders that expect wideband. A packet of anything else is returned as it is.
 */
export function widenPacket(packet: Uint8Array): Uint8Array {
  const layout = inspectPacket(packet);
  const end = layout.ok && layout.ends.length === 1 && layout.band === 'narrowband' ? layout.ends[0] : undefined;
  if (end === undefined) return packet;
  const widened = new Uint8Array((end + emptyLayerBits + 7) >> 3);
  copyBits(packet, 0, end, widened, 0);
  copyBits(emptyLayer, 0, emptyLayerBits, widened, end);
  padLastOctet(widened, end + emptyLayerBits);
  return widened;
}

/** Length of an in-band message with its header, as libspeex's decoder skips it. */
function messageBits(packet: Uint8Array, at: number, header: number): number {
  const code = readBits(packet, at + narrowbandHeader, 4);
  const content = header === inbandMessage ? (inbandBits[code] ?? 0) : 5 + 8 * code;
  return narrowbandHeader + 4 + content;
}

const noFrame = { ok: false, fault: 'no-frame' } as const;
const truncated = { ok: false, fault: 'truncated' } as const;
const invalidMode = { ok: false, fault: 'invalid-mode' } as const;
const tooManyFrames = { ok: false, fault: 'too-many-frames' } as const;
