/** What both entries of the package export: index.ts for Node, browser.ts for browsers. */
export {
  AmfDictionary,
  AmfEcmaArray,
  AmfExternalizable,
  type AmfObject,
  AmfTypedObject,
  AmfUnsupported,
  type AmfValue,
  AmfVector,
  AmfXml,
  AmfXmlDocument,
  amfProperties,
  isAmfObject,
} from './amf/values.js';
export type { FallbackStep, RtmpConnectOptions } from './client/connect.js';
export type {
  PlayOptions,
  RtmpClientStream,
  RtmpClientStreamEvents,
  RtmpConnection,
  RtmpConnectionEvents,
} from './client/types.js';
export { RtmpError, type RtmpErrorCode } from './errors/rtmp-error.js';
export { type FlvAudioTag, parseFlvAudioTag } from './flv/audio-tag.js';
export {
  type EnhancedAudioTag,
  encodeEnhancedAudioTag,
  parseEnhancedAudioTag,
} from './flv/enhanced-audio-tag.js';
export {
  type EnhancedVideoTag,
  encodeEnhancedVideoTag,
  parseEnhancedVideoTag,
} from './flv/enhanced-video-tag.js';
export { type FlvVideoTag, parseFlvVideoTag } from './flv/video-tag.js';
export type { DataMessage } from './message/data.js';
export type { AudioMessage, VideoMessage } from './message/media.js';
export {
  type EnhancedCapabilities,
  enhancedProperties,
  readEnhancedCapabilities,
  supportsCodec,
} from './session/enhanced-capabilities.js';
export type { RtmpClientLimits } from './session/limits.js';
export { RtmpCallError } from './session/rtmp-call-error.js';
export type { Transport, TransportHandler } from './session/transport.js';
export type { RpcCall, SessionCloseReason } from './session/types.js';
