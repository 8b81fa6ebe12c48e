/**
 * Every reason for which this package refuses, drops or ends something. The codes are stable: they label log events and counters.
 * What each means is listed in the package's README.
 */
export const RTMP_ERROR_CODES = [
  'handshake.version',
  'handshake.tls',
  'handshake.digest',
  'handshake.key',
  'handshake.timeout',
  'connect.url',
  'connect.failed',
  'connect.timeout',
  'connect.rejected',
  'connect.expected',
  'connect.backlog',
  'chunk.size',
  'chunk.unknown-stream',
  'chunk.interrupted',
  'chunk.message-size',
  'chunk.bytes-in-flight',
  'chunk.streams',
  'message.truncated',
  'message.command',
  'message.data',
  'message.aggregate',
  'amf.truncated',
  'amf.marker',
  'amf.reference',
  'amf.depth',
  'amf.elements',
  'amf.referenced-bytes',
  'amf.unsupported',
  'amf.value',
  'flv.truncated',
  'flv.header',
  'flv.value',
  'command.rate',
  'session.streams',
  'session.pending-bytes',
  'session.ping-timeout',
  'session.listener',
  'session.internal',
  'call.failed',
  'call.closed',
  'call.pending',
  'call.timeout',
  'call.answer',
  'stream.refused',
  'stream.closed',
  'tls.handshake',
  'tls.certificate',
  'http.request',
  'http.timeout',
  'websocket.origin',
  'websocket.message',
  'tunnel.session',
  'tunnel.sessions',
  'tunnel.sequence',
  'tunnel.request-size',
  'tunnel.timeout',
  'tunnel.answer',
  'server.connections',
  'server.connections-per-address',
  'server.listener',
] as const;

export type RtmpErrorCode = (typeof RTMP_ERROR_CODES)[number];

/** The only error class that the package throws or rejects with on account of a peer or of a value that cannot be encoded. */
export class RtmpError extends Error {
  readonly code: RtmpErrorCode;

  constructor(code: RtmpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RtmpError';
    this.code = code;
  }
}
