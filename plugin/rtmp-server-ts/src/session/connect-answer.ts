import type { AmfObject } from '../amf/values.js';
import type { RtmpMessage } from '../message/message.js';
import { DEFAULT_WINDOW } from './receive-window.js';
import { statusInfo } from './status.js';

/** Of what this package sends, on either side. */
export const OUT_CHUNK_SIZE = 4096;
/** The receiver may choose between hard and soft limits (section 5.4.5). */
const LIMIT_TYPE_DYNAMIC = 2;

/** What goes before the `_result` of connect (section 7.2.1.1), in this order. */
export const CONNECT_PRELUDE: readonly RtmpMessage[] = [
  { type: 'windowAcknowledgementSize', size: DEFAULT_WINDOW },
  { type: 'setPeerBandwidth', size: DEFAULT_WINDOW, limitType: LIMIT_TYPE_DYNAMIC },
  { type: 'setChunkSize', chunkSize: OUT_CHUNK_SIZE },
];

export function connectProperties(fmsVersion: string, more: AmfObject = {}): AmfObject {
  return { fmsVer: fmsVersion, capabilities: 31, mode: 1, ...more };
}

export function connectInformation(objectEncoding: number, more: AmfObject = {}): AmfObject {
  return statusInfo('NetConnection.Connect.Success', 'Connection succeeded.', { objectEncoding, ...more });
}
