import type { RtmpErrorCode } from '../errors/rtmp-error.js';
import type { SessionCloseReason, SessionProtocol } from '../session/types.js';

/** What a server tells its logger. */
export type RtmpLogEvent =
  | {
      readonly event: 'session.opened';
      readonly sessionId: string;
      readonly protocol: SessionProtocol;
      readonly remoteAddress: string;
      readonly remotePort: number;
    }
  | {
      readonly event: 'session.closed';
      readonly sessionId: string;
      readonly remoteAddress: string;
      readonly reason: SessionCloseReason;
    }
  | { /** The listening socket failed. */ readonly event: 'server.error'; readonly error: Error }
  | {
      /** Something was refused: a connection (then without a session), a part of what a session asked for, a certificate (then without an address). */
      readonly event: 'refused';
      readonly sessionId?: string;
      readonly remoteAddress: string;
      readonly code: RtmpErrorCode;
      readonly message: string;
      readonly cause?: unknown;
    };
