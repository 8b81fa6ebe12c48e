import { ByteReader } from '../bytes/byte-reader.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import { controlEnvelope, type Envelope } from './envelope.js';
import { MessageType } from './message-type.js';

/** Events about a message stream (section 7.1.7); 31 and 32 are from Flash Media Server. */
const STREAM_EVENTS = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  streamIsRecorded: 4,
  bufferEmpty: 31,
  bufferReady: 32,
} as const;
const SET_BUFFER_LENGTH = 3;
const PINGS = { pingRequest: 6, pingResponse: 7 } as const;

type StreamEvent = keyof typeof STREAM_EVENTS;
type PingEvent = keyof typeof PINGS;

const streamEventNames: ReadonlyMap<number, StreamEvent> = names(STREAM_EVENTS);
const pingNames: ReadonlyMap<number, PingEvent> = names(PINGS);

/** Section 7.1.7, and 6.2 for what each event means. */
export type UserControlMessage = { readonly type: 'userControl' } & (
  | { readonly event: StreamEvent; readonly eventStreamId: number }
  | {
      readonly event: 'setBufferLength';
      readonly eventStreamId: number /** Milliseconds. */;
      readonly bufferLength: number;
    }
  | {
      readonly event: PingEvent /** Milliseconds, unsigned 32 bits, of the one who asked. */;
      readonly pingTimestamp: number;
    }
  | { readonly event: 'unknown'; readonly eventType: number; readonly eventData: Uint8Array }
);

/** @throws RtmpError `message.truncated` */
export function decodeUserControl(payload: Uint8Array): UserControlMessage {
  const reader = new ByteReader(payload, 'message.truncated');
  const eventType = reader.u16();
  const streamEvent = streamEventNames.get(eventType);
  if (streamEvent !== undefined) return { type: 'userControl', event: streamEvent, eventStreamId: reader.u32() };
  const ping = pingNames.get(eventType);
  if (ping !== undefined) return { type: 'userControl', event: ping, pingTimestamp: reader.u32() };
  if (eventType === SET_BUFFER_LENGTH) {
    return { type: 'userControl', event: 'setBufferLength', eventStreamId: reader.u32(), bufferLength: reader.u32() };
  }
  return { type: 'userControl', event: 'unknown', eventType, eventData: reader.bytes(reader.remaining) };
}

export function encodeUserControl(message: UserControlMessage): Envelope {
  const writer = new ByteWriter(10);
  switch (message.event) {
    case 'unknown':
      writer.u16(message.eventType);
      writer.bytes(message.eventData);
      break;
    case 'setBufferLength':
      writer.u16(SET_BUFFER_LENGTH);
      writer.u32(message.eventStreamId);
      writer.u32(message.bufferLength);
      break;
    case 'pingRequest':
    case 'pingResponse':
      writer.u16(PINGS[message.event]);
      writer.u32(message.pingTimestamp);
      break;
    default:
      writer.u16(STREAM_EVENTS[message.event]);
      writer.u32(message.eventStreamId);
  }
  return controlEnvelope(MessageType.userControl, writer.finish());
}

function names<Name extends string>(table: Readonly<Record<Name, number>>): ReadonlyMap<number, Name> {
  return new Map((Object.keys(table) as Name[]).map((name) => [table[name], name]));
}
