/**
 * RFC 6184: how NAL units become RTP payloads. Single NAL unit packets (section 5.6) in both modes; in mode 1 also STAP-A
 * (section 5.7.1) for small ones; FU-A (section 5.8) for those that are too long:
 *
 *     STAP-A   F NRI 24 | each: length (16), NAL unit
 *     FU-A     F NRI 28 | S E R type | part of the NAL unit without its first octet
 *
 * Mode 0 has no fragments, but a key frame of an encoder that knows nothing of packets has to cross the network somehow.
 * As one datagram of 30,000 octets it does not: fragments of IP are lost in firewalls, and phones cut it off at their
 * buffers (baresip at 8192). FU-A is what phones that negotiate mode 0 send and understand.
 */
export type PacketizationMode = 0 | 1;

export interface Payload {
  /** Octets before `body`. */
  readonly prefix?: Uint8Array;
  readonly body: Uint8Array;
}

export const stapA = 24;
export const fuA = 28;

/** Octets of payload: with the headers of IPv6, UDP and RTP and the tag of SRTP within the 1280 of any IPv6 link. */
export const maxPayload = 1200;

/** The payloads of the NAL units of one picture, in order. */
export function packetize(nals: readonly Uint8Array[], mode: PacketizationMode): Payload[] {
  const payloads: Payload[] = [];
  let group: Uint8Array[] = [];
  let groupLength = 1;
  const flush = (): void => {
    const [only] = group;
    if (only !== undefined) payloads.push({ body: group.length === 1 ? only : aggregate(group, groupLength) });
    group = [];
    groupLength = 1;
  };
  for (const nal of nals) {
    if (mode === 0 || groupLength + 2 + nal.length > maxPayload) flush();
    if (nal.length > maxPayload) {
      fragment(nal, payloads);
    } else {
      group.push(nal);
      groupLength += 2 + nal.length;
    }
  }
  flush();
  return payloads;
}

function aggregate(nals: readonly Uint8Array[], length: number): Uint8Array {
  const body = new Uint8Array(length);
  let importance = 0;
  let at = 1;
  for (const nal of nals) {
    // The greatest NRI and any F of what is inside (section 5.7).
    const [first = 0] = nal;
    importance = Math.max(importance & 0x60, first & 0x60) | ((importance | first) & 0x80);
    body[at] = nal.length >> 8;
    body[at + 1] = nal.length & 0xff;
    body.set(nal, at + 2);
    at += 2 + nal.length;
  }
  body[0] = importance | stapA;
  return body;
}

/** Fragments of nearly the same length: the last one is not a scrap that costs a packet as much as the others. */
function fragment(nal: Uint8Array, payloads: Payload[]): void {
  const [header = 0] = nal;
  const count = Math.ceil((nal.length - 1) / (maxPayload - 2));
  const step = Math.ceil((nal.length - 1) / count);
  for (let at = 1; at < nal.length; at += step) {
    const start = at === 1 ? 0x80 : 0;
    const end = at + step >= nal.length ? 0x40 : 0;
    const prefix = Uint8Array.of((header & 0xe0) | fuA, start | end | (header & 0x1f));
    payloads.push({ prefix, body: nal.subarray(at, at + step) });
  }
}
