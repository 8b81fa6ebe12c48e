import type { Direction, MediaDescription, SessionDescription } from '../../call/session-description.js';
import { isPort, isUnspecified, type MediaTarget } from '../rtp/media-target.js';

/** What the far end's section wants of what it receives. */
export interface Reception {
  /** Where it wants to receive. */
  readonly target: MediaTarget;
  /** What it does, hold by an address of zeros included. */
  readonly direction: Direction;
  /** Whether it wants to receive: false on hold. */
  readonly sending: boolean;
}

export function receptionOf(section: MediaDescription, { address }: SessionDescription): Reception {
  const host = section.address ?? address;
  const rtcpPort = section.rtcpMux ? section.port : (section.rtcpPort ?? section.port + 1);
  const sending = (section.direction === 'sendrecv' || section.direction === 'recvonly') && !isUnspecified(host);
  return {
    target: { host, port: section.port, rtcpPort: isPort(rtcpPort) ? rtcpPort : 0 },
    direction: sending ? section.direction : withoutReceiving[section.direction],
    sending,
  };
}

/** What we may do when the peer wants this (RFC 3264 section 6.1). */
export const mirrored: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** The direction of a side that wants to hear nothing: it has put the call on hold, or has no address to receive at. */
export const withoutReceiving: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendonly',
  sendonly: 'sendonly',
  recvonly: 'inactive',
  inactive: 'inactive',
};
