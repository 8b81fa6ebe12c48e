/**
 * Feedback messages (RFC 4585 section 6.1, RFC 5104 section 4.3.1), which follow a report in a compound packet:
 *
 *    |V=2|P|  format |  type 205/206 |            length             |
 *    |                       SSRC of packet sender                   |
 *    |                       SSRC of media source (0 in FIR)         |
 *    |   NACK: packet id (16), bitmask of the 16 after it (16) ...   |
 *    |   FIR: SSRC (32), command number (8), reserved (24) ...       |
 */
export type RtcpFeedback =
  /** These packets of ours are missing. */
  | { readonly type: 'nack'; readonly ssrc: number; readonly sequences: readonly number[] }
  /** Picture loss indication: a key frame is needed. */
  | { readonly type: 'pli'; readonly ssrc: number }
  /** Full intra request: the same command comes again under the same number. */
  | { readonly type: 'fir'; readonly requests: readonly { readonly ssrc: number; readonly command: number }[] };

export const feedbackTypes = { transport: 205, payload: 206 } as const;
const formats = { nack: 1, pli: 1, fir: 4 } as const;

/** Packets looked at in one NACK: more are not kept for sending again anyway. */
const maxSequences = 512;
const maxRequests = 16;

/** Reads a packet behind its first four octets; undefined when it is another message, or too short for what it is. */
export function parseFeedback(packetType: number, format: number, body: Buffer): RtcpFeedback | undefined {
  if (body.length < 8) return undefined;
  const ssrc = body.readUInt32BE(4);
  if (packetType === feedbackTypes.transport) {
    return format === formats.nack ? { type: 'nack', ssrc, sequences: readSequences(body) } : undefined;
  }
  if (packetType !== feedbackTypes.payload) return undefined;
  if (format === formats.pli) return { type: 'pli', ssrc };
  return format === formats.fir ? { type: 'fir', requests: readRequests(body) } : undefined;
}

function readSequences(body: Buffer): number[] {
  const sequences: number[] = [];
  for (let at = 8; at + 4 <= body.length && sequences.length < maxSequences; at += 4) {
    const first = body.readUInt16BE(at);
    const mask = body.readUInt16BE(at + 2);
    sequences.push(first);
    for (let bit = 0; bit < 16; bit++) {
      if (((mask >> bit) & 1) === 1) sequences.push((first + 1 + bit) & 0xffff);
    }
  }
  return sequences;
}

function readRequests(body: Buffer): { ssrc: number; command: number }[] {
  const requests: { ssrc: number; command: number }[] = [];
  for (let at = 8; at + 8 <= body.length && requests.length < maxRequests; at += 8) {
    requests.push({ ssrc: body.readUInt32BE(at), command: body.readUInt8(at + 4) });
  }
  return requests;
}

/** @param sequences in rising order, modulo 2^16 */
export function buildNack(sender: number, media: number, sequences: readonly number[]): Buffer {
  const entries: { first: number; mask: number }[] = [];
  for (const sequence of sequences) {
    const last = entries.at(-1);
    const after = last === undefined ? 0 : (sequence - last.first - 1) & 0xffff;
    if (last !== undefined && after < 16) last.mask |= 1 << after;
    else entries.push({ first: sequence, mask: 0 });
  }
  const fci = Buffer.alloc(entries.length * 4);
  for (const [index, { first, mask }] of entries.entries()) fci.writeUInt32BE(first * 65536 + mask, index * 4);
  return build(feedbackTypes.transport, formats.nack, sender, media, fci);
}

export function buildPli(sender: number, media: number): Buffer {
  return build(feedbackTypes.payload, formats.pli, sender, media, Buffer.alloc(0));
}

/** @param command 0-255, another one for each new request */
export function buildFir(sender: number, media: number, command: number): Buffer {
  const fci = Buffer.alloc(8);
  fci.writeUInt32BE(media, 0);
  fci.writeUInt8(command, 4);
  return build(feedbackTypes.payload, formats.fir, sender, 0, fci);
}

function build(packetType: number, format: number, sender: number, media: number, fci: Buffer): Buffer {
  const packet = Buffer.alloc(12 + fci.length);
  packet.writeUInt8(0x80 | format, 0);
  packet.writeUInt8(packetType, 1);
  packet.writeUInt16BE(packet.length / 4 - 1, 2);
  packet.writeUInt32BE(sender, 4);
  packet.writeUInt32BE(media, 8);
  fci.copy(packet, 12);
  return packet;
}
