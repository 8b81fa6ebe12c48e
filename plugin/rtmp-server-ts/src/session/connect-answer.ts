import type { AmfObject } from '../amf/values.js';
import type { AmfEncoding } from '../message/amf3-prefix.js';
import type { RtmpMessage } from '../message/message.js';
import { enhancedProperties } from './enhanced-capabilities.js';
import { DEFAULT_WINDOW } from './receive-window.js';
import { statusInfo } from './status.js';
import type { AcceptOptions, ConnectRequest } from './types.js';

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

/** The properties and the information of the `_result`, and the encoding of what follows. */
export function connectAnswer(
  fmsVersion: string,
  { objectEncoding, enhanced }: ConnectRequest,
  options: AcceptOptions = {},
): { readonly properties: AmfObject; readonly information: AmfObject; readonly encoding: AmfEncoding } {
  const ours = enhanced === undefined ? undefined : options.enhanced;
  const properties = {
    ...{ fmsVer: fmsVersion, capabilities: 31, mode: 1 },
    ...(ours && enhancedProperties(ours)),
    ...options.properties,
  };
  const more = { objectEncoding, ...options.information };
  const information = statusInfo('NetConnection.Connect.Success', 'Connection succeeded.', more);
  return { properties, information, encoding: information.objectEncoding === 3 ? 3 : 0 };
}
