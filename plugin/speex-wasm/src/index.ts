export {
  type DecoderOptions,
  type EncoderOptions,
  maxPacket,
  SpeexCodec,
  type SpeexDecoded,
  type SpeexDecoder,
  type SpeexEncoder,
  type SpeexRate,
} from './codec.js';
export {
  frameDuration,
  inspectPacket,
  joinPackets,
  maxFrames,
  type SpeexBand,
  type SpeexFault,
  type SpeexJoin,
  type SpeexLayout,
  type SpeexSplit,
  splitPacket,
  widenPacket,
} from './frames.js';
export { compileSpeex, type SpeexModule } from './module.js';
