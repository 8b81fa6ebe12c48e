/** Message type ids (sections 5.4 and 7.1). */
export const MessageType = {
  setChunkSize: 0x01,
  abort: 0x02,
  acknowledgement: 0x03,
  userControl: 0x04,
  windowAcknowledgementSize: 0x05,
  setPeerBandwidth: 0x06,
  audio: 0x08,
  video: 0x09,
  dataAmf3: 0x0f,
  sharedObjectAmf3: 0x10,
  commandAmf3: 0x11,
  dataAmf0: 0x12,
  sharedObjectAmf0: 0x13,
  commandAmf0: 0x14,
  aggregate: 0x16,
} as const;
