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
} from './frames.js';
