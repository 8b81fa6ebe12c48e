/** What the peer of a connection can make grow or last, be it a client or a server. Times are in milliseconds, sizes in bytes. */
export interface SessionLimits {
  /** From the connection to the end of the handshake. On a server also, before that, for the TLS handshake. */
  readonly handshakeTimeout: number;
  /** From the end of the handshake: on a server to the connect command, in a client to its answer. */
  readonly connectTimeout: number;
  /** One message of the peer; checked at its header, before memory is used for it. */
  readonly messageSize: number;
  /** Declared sizes of all messages of which the peer has sent a part. */
  readonly bytesInFlight: number;
  /** Chunk streams that the peer opens. */
  readonly chunkStreams: number;
  /** NetStreams of one connection at a time; on a server createStream beyond it gets `_error`. */
  readonly streams: number;
  /** Commands sent between connect and its answer that wait for it. */
  readonly commandBacklog: number;
  /** Bytes of {@link commandBacklog}. */
  readonly commandBacklogBytes: number;
  /** Bytes waiting in user land, above which audio and video are dropped. */
  readonly pendingMediaBytes: number;
  /** Bytes waiting in user land, above which the connection is closed. Media that would go beyond it is dropped. */
  readonly pendingBytes: number;
  /** Calls that wait for the peer's answer. */
  readonly pendingCalls: number;
  /** For the answer to a call. */
  readonly callTimeout: number;
  /** A ping that is unanswered for so long means that media is late: it is dropped until the answer comes. */
  readonly mediaDelay: number;
  /** Silence after which the peer is pinged. */
  readonly pingInterval: number;
  /** Time for the answer. */
  readonly pingTimeout: number;
  /** Time to send what is queued after close(). */
  readonly closeTimeout: number;
  /** One WebSocket message, which is kept until it is whole. */
  readonly webSocketMessageSize: number;
  /** Objects and arrays within one another in AMF. */
  readonly amfDepth: number;
  /** AMF values in one message. */
  readonly amfElements: number;
  /** Bytes that the AMF references in one message stand for. */
  readonly amfReferencedBytes: number;
}

/** Everything that clients can make grow or last. */
export interface RtmpLimits extends SessionLimits {
  /** Commands that a client may send per second in the long run. */
  readonly commandsPerSecond: number;
  /** Commands that it may send at once after a pause. */
  readonly commandBurst: number;
  /** For an HTTP request to arrive whole, and between two of them on a connection. */
  readonly httpTimeout: number;
  /** HTTP tunnel sessions. */
  readonly tunnelSessions: number;
  /** Bytes that one request of a tunnel sends; and of all in a session that have overtaken others. */
  readonly tunnelRequestSize: number;
  /** Requests of a tunnel session that have overtaken others and wait for them. */
  readonly tunnelRequests: number;
  /** Without a request that can be carried out. */
  readonly tunnelTimeout: number;
  /** Connections to one server: sockets and HTTP tunnel sessions. */
  readonly connections: number;
  /** Connections to one server from one address. */
  readonly connectionsPerAddress: number;
}

/** Everything that a server can make grow or last. */
export interface RtmpClientLimits extends SessionLimits {
  /** From the start to an open transport: name look-up, TCP, TLS, the first HTTP answer. For each that is tried. */
  readonly openTimeout: number;
  /** For the answer to each HTTP request of a tunnel. */
  readonly tunnelTimeout: number;
  /** Bytes of such an answer. */
  readonly tunnelAnswerSize: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

const SESSION_LIMITS: SessionLimits = {
  handshakeTimeout: 10_000,
  connectTimeout: 10_000,
  messageSize: 4 * MIB,
  bytesInFlight: 8 * MIB,
  chunkStreams: 256,
  streams: 32,
  commandBacklog: 64,
  commandBacklogBytes: 64 * KIB,
  pendingMediaBytes: 256 * KIB,
  pendingBytes: 4 * MIB,
  pendingCalls: 256,
  callTimeout: 60_000,
  mediaDelay: 500,
  pingInterval: 30_000,
  pingTimeout: 30_000,
  closeTimeout: 2_000,
  webSocketMessageSize: MIB,
  amfDepth: 64,
  amfElements: 16_384,
  amfReferencedBytes: MIB,
};

export const DEFAULT_RTMP_LIMITS: RtmpLimits = {
  ...SESSION_LIMITS,
  commandsPerSecond: 100,
  commandBurst: 2_000,
  httpTimeout: 30_000,
  tunnelSessions: 1_000,
  tunnelRequestSize: MIB,
  tunnelRequests: 16,
  tunnelTimeout: 30_000,
  connections: 10_000,
  connectionsPerAddress: 1_000,
};

/** A server may have somebody to ask before it answers connect: a registrar gives up after 32 s. */
export const DEFAULT_RTMP_CLIENT_LIMITS: RtmpClientLimits = {
  ...SESSION_LIMITS,
  connectTimeout: 40_000,
  openTimeout: 10_000,
  tunnelTimeout: 30_000,
  tunnelAnswerSize: 8 * MIB,
};

/** @throws RangeError for an unknown name, and for a value that is not a positive number */
export function resolveLimits<Limits extends SessionLimits>(defaults: Limits, limits: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in defaults)) throw new RangeError(`unknown limit ${name}`);
    if (!(typeof value === 'number' && value > 0))
      throw new RangeError(`limit ${name} is ${value}, it must be above 0`);
  }
  return { ...defaults, ...limits };
}
