export { decodeAmf0 } from './amf/amf0-decoder.js';
export { encodeAmf0 } from './amf/amf0-encoder.js';
export { decodeAmf3 } from './amf/amf3-decoder.js';
export { encodeAmf3 } from './amf/amf3-encoder.js';
export { type AmfLimits, DEFAULT_AMF_LIMITS } from './amf/limits.js';
export type { AmfTraits } from './amf/values.js';
export { BufferList } from './bytes/buffer-list.js';
export { ChunkReader, type ChunkReaderLimits } from './chunk/chunk-reader.js';
export { ChunkWriter } from './chunk/chunk-writer.js';
export type { RawMessage } from './chunk/raw-message.js';
export { DEFAULT_FALLBACK } from './client/connect.js';
export { type NodeConnectOptions, RtmpClient } from './client/node-client.js';
export { RTMP_ERROR_CODES } from './errors/rtmp-error.js';
export { type EventMap, type Listener, TypedEmitter } from './events/typed-emitter.js';
export type { FlvAudioCodec } from './flv/audio-tag.js';
export type { EnhancedAudioPacketType, EnhancedAudioTrack } from './flv/enhanced-audio-tag.js';
export type { MultitrackType } from './flv/enhanced-header.js';
export type {
  EnhancedVideoCommand,
  EnhancedVideoFrame,
  EnhancedVideoPacketType,
  EnhancedVideoTrack,
} from './flv/enhanced-video-tag.js';
export type { AudioFourCc, FourCc, VideoFourCc } from './flv/four-cc.js';
export {
  encodeMultichannelConfig,
  type MultichannelConfig,
  parseMultichannelConfig,
} from './flv/multichannel-config.js';
export type { FlvFrameType, FlvVideoCodec } from './flv/video-tag.js';
export type { RtmpeType } from './handshake/constants.js';
export { type HandshakeScheme, ServerHandshake, type ServerHandshakeOptions } from './handshake/server-handshake.js';
export type { AggregateMessage } from './message/aggregate.js';
export type { AmfEncoding } from './message/amf3-prefix.js';
export { decodeMessage, encodeMessage } from './message/codec.js';
export type { CommandMessage } from './message/command.js';
export type { Envelope, MessageOrigin } from './message/envelope.js';
export type { RtmpMessage, UnknownMessage } from './message/message.js';
export { MessageType } from './message/message-type.js';
export type { ProtocolControlMessage } from './message/protocol-control.js';
export type { UserControlMessage } from './message/user-control.js';
export * from './portable.js';
export type { ListenOptions, TlsOptions } from './server/listening-port.js';
export type { RtmpLogEvent } from './server/log-event.js';
export { RtmpServer, type RtmpServerEvents, type RtmpServerOptions } from './server/rtmp-server.js';
export { type Clock, systemClock } from './session/clock.js';
export type { FourCcInfo, FourCcInfoMap } from './session/enhanced-capabilities.js';
export {
  DEFAULT_RTMP_CLIENT_LIMITS,
  DEFAULT_RTMP_LIMITS,
  type RtmpLimits,
  type SessionLimits,
} from './session/limits.js';
export type { TransportProtocol } from './session/transport.js';
export type {
  AcceptOptions,
  ConnectRequest,
  PlayRequest,
  PublishRequest,
  RtmpSession,
  RtmpSessionEvents,
  RtmpStream,
  RtmpStreamEvents,
  SessionCounters,
  SessionProtocol,
} from './session/types.js';
export type { CertificateFiles } from './transport/certificate.js';
export type { ClientTlsOptions } from './transport/tcp.js';
