/** Everything that a peer can make grow or last. Times are in milliseconds, sizes in bytes. */
export interface RtmpLimits {
  /** From the connection to the end of the handshake; before it, for the TLS handshake. */
  readonly handshakeTimeout: number;
  /** From the end of the handshake to the connect command. */
  readonly connectTimeout: number;
  /** One message from a client; checked at its header, before memory is used for it. */
  readonly messageSize: number;
  /** Declared sizes of all messages of which a client has sent a part. */
  readonly bytesInFlight: number;
  /** Chunk streams that a client opens. */
  readonly chunkStreams: number;
  /** NetStreams of one connection at a time; createStream beyond it gets `_error`. */
  readonly streams: number;
  /** Commands that a client may send per second in the long run. */
  readonly commandsPerSecond: number;
  /** Commands that it may send at once after a pause. */
  readonly commandBurst: number;
  /** Commands sent between connect and its answer that wait for it. */
  readonly commandBacklog: number;
  /** Bytes of {@link commandBacklog}. */
  readonly commandBacklogBytes: number;
  /** Bytes waiting in user land, above which audio and video are dropped. */
  readonly pendingMediaBytes: number;
  /** Bytes waiting in user land, above which the connection is closed. Media that would go beyond it is dropped. */
  readonly pendingBytes: number;
  /** Server calls that wait for the client's answer. */
  readonly pendingCalls: number;
  /** A ping that is unanswered for so long means that media is late: it is dropped until the answer comes. */
  readonly mediaDelay: number;
  /** Silence after which a client is pinged. */
  readonly pingInterval: number;
  /** Time for the answer. */
  readonly pingTimeout: number;
  /** Time to send what is queued after close(). */
  readonly closeTimeout: number;
  /** For an HTTP request to arrive whole, and between two of them on a connection. */
  readonly httpTimeout: number;
  /** One WebSocket message, which is kept until it is whole. */
  readonly webSocketMessageSize: number;
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
  /** Objects and arrays within one another in AMF. */
  readonly amfDepth: number;
  /** AMF values in one message. */
  readonly amfElements: number;
  /** Bytes that the AMF references in one message stand for. */
  readonly amfReferencedBytes: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_RTMP_LIMITS: RtmpLimits = {
  handshakeTimeout: 10_000,
  connectTimeout: 10_000,
  messageSize: 4 * MIB,
  bytesInFlight: 8 * MIB,
  chunkStreams: 256,
  streams: 32,
  commandsPerSecond: 100,
  commandBurst: 2_000,
  commandBacklog: 64,
  commandBacklogBytes: 64 * KIB,
  pendingMediaBytes: 256 * KIB,
  pendingBytes: 4 * MIB,
  pendingCalls: 256,
  mediaDelay: 500,
  pingInterval: 30_000,
  pingTimeout: 30_000,
  closeTimeout: 2_000,
  httpTimeout: 30_000,
  webSocketMessageSize: MIB,
  tunnelSessions: 1_000,
  tunnelRequestSize: MIB,
  tunnelRequests: 16,
  tunnelTimeout: 30_000,
  connections: 10_000,
  connectionsPerAddress: 1_000,
  amfDepth: 64,
  amfElements: 16_384,
  amfReferencedBytes: MIB,
};

/** @throws RangeError for an unknown name, and for a value that is not a positive number */
export function resolveLimits(limits: Partial<RtmpLimits> = {}): RtmpLimits {
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in DEFAULT_RTMP_LIMITS)) throw new RangeError(`unknown limit ${name}`);
    if (!(typeof value === 'number' && value > 0))
      throw new RangeError(`limit ${name} is ${value}, it must be above 0`);
  }
  return { ...DEFAULT_RTMP_LIMITS, ...limits };
}
