import type { AggregateMessage } from './aggregate.js';
import type { CommandMessage } from './command.js';
import type { DataMessage } from './data.js';
import type { AudioMessage, VideoMessage } from './media.js';
import type { ProtocolControlMessage } from './protocol-control.js';
import type { UserControlMessage } from './user-control.js';

/** Shared objects (0x10, 0x13) and type ids that nobody defined: handed on as they are. */
export interface UnknownMessage {
  readonly type: 'unknown';
  readonly typeId: number;
  readonly streamId: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** Every message of RTMP, told apart by `type`. */
export type RtmpMessage =
  | ProtocolControlMessage
  | UserControlMessage
  | AudioMessage
  | VideoMessage
  | DataMessage
  | CommandMessage
  | AggregateMessage
  | UnknownMessage;
