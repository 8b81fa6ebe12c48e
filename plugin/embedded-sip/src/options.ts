import type { Clock } from './clock.js';
import type { SipLogEvent } from './log.js';

/** Everything a peer can grow. Passing a limit affects that peer only. */
export interface EmbeddedSipLimits {
  /** Largest SIP message over TCP, in bytes; a larger one closes its connection. Datagrams are bounded by UDP itself. */
  readonly messageBytes: number;
  /** Longest header or body line in bytes; a request with a longer one is answered 400. */
  readonly lineBytes: number;
  /** Most header lines in a message; a request with more is answered 400. */
  readonly headerCount: number;
  /** Transactions alive at once, both kinds together; beyond it requests get 503 and clients NOK. */
  readonly transactions: number;
  /** Bytes of the requests that these transactions hold; beyond it the same. */
  readonly transactionBytes: number;
  /** Dialogs alive at once, early ones included; beyond it an INVITE gets 503 or NOK. */
  readonly dialogs: number;
  /** SIP connections over TCP, both directions; beyond it a new one is closed at once. */
  readonly tcpConnections: number;
  /** Of these, accepted from one address. */
  readonly tcpConnectionsPerAddress: number;
  /** How long a TCP peer may take for one message once it has begun it, in milliseconds. */
  readonly tcpMessageMs: number;
  /** How long a silent TCP connection is kept, in milliseconds. */
  readonly tcpIdleMs: number;
  /** Bytes waiting for a slow reader, per TCP connection of either kind; beyond it the connection is closed. */
  readonly pendingBytes: number;
  /** Connections on the control port; beyond it a new one is closed at once. */
  readonly controlConnections: number;
  /** Largest frame a control client may send, in bytes; a larger one closes its connection. */
  readonly controlFrameBytes: number;
  /** Route slots one control connection may hold; beyond it `route` gets NOK. */
  readonly routesPerConnection: number;
  /** How long a dialog outlives the connection that owned it, in milliseconds. */
  readonly ownerlessDialogMs: number;
  /** Calls to echo at once; beyond it 486. */
  readonly echoCalls: number;
  /** An echo call without an RTP packet for this long is ended, in milliseconds. */
  readonly echoSilenceMs: number;
  /** Longest echo call, in milliseconds. */
  readonly echoCallMs: number;
  /** Calls to music at once; beyond it 486. */
  readonly musicCalls: number;
  /** Longest call to music, in milliseconds. */
  readonly musicCallMs: number;
}

/** Makes an encoder of 20 ms frames: 160 samples at 8 kHz, 320 at 16 kHz. */
export type SpeexEncoderFactory = (sampleRate: 8_000 | 16_000) => {
  encode(samples: Int16Array): Uint8Array | undefined;
};

export const DEFAULT_LIMITS: EmbeddedSipLimits = {
  messageBytes: 262_144,
  lineBytes: 8_192,
  headerCount: 256,
  transactions: 20_000,
  transactionBytes: 67_108_864,
  dialogs: 10_000,
  tcpConnections: 1_000,
  tcpConnectionsPerAddress: 500,
  tcpMessageMs: 30_000,
  tcpIdleMs: 3_600_000,
  pendingBytes: 8_388_608,
  controlConnections: 64,
  controlFrameBytes: 12_228,
  routesPerConnection: 256,
  ownerlessDialogMs: 3_600_000,
  echoCalls: 500,
  echoSilenceMs: 60_000,
  echoCallMs: 3_600_000,
  musicCalls: 500,
  musicCallMs: 600_000,
};

export interface EmbeddedSipOptions {
  /** Address that the SIP listeners bind, IPv4 or IPv6, e.g. 127.0.0.1. */
  readonly host: string;
  /** SIP port, the same for UDP and TCP; 0 picks a free one. */
  readonly port: number;
  /** Where control clients connect: default 127.0.0.1, any free port, a random secret. */
  readonly control?: { readonly host?: string; readonly port?: number; readonly secret?: string };
  /** Whether echo, music and busy answer at this server's own addresses; default true. */
  readonly numbers?: boolean;
  /** For music in Speex, called once for each rate; without it music is PCMU and PCMA alone. */
  readonly speexEncoder?: SpeexEncoderFactory;
  /** Address put into Via, Contact and SDP for peers that are not on loopback, e.g. the public one behind NAT. */
  readonly advertisedAddress?: string;
  readonly limits?: Partial<EmbeddedSipLimits>;
  readonly clock?: Clock;
  readonly logger?: (event: SipLogEvent) => void;
}
