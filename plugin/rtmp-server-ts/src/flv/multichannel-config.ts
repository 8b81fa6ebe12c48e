import { ByteReader } from '../bytes/byte-reader.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import { RtmpError } from '../errors/rtmp-error.js';

/**
 * Which speaker each channel is for, when the codec does not say (AudioPacketType.MultichannelConfig).
 *
 * - `unspecified`: only how many there are;
 * - `native`: `flags` has a bit for each speaker that there is, and the channels are in the order of the bits;
 * - `custom`: `mapping` has the speaker of each channel; 0xFE is an unused one, 0xFF one that is not known.
 */
export type MultichannelConfig =
  | { readonly order: 'unspecified'; readonly channels: number }
  | { readonly order: 'native'; readonly channels: number; readonly flags: number }
  | { readonly order: 'custom'; readonly channels: number; readonly mapping: Uint8Array };

const ORDERS = ['unspecified', 'native', 'custom'] as const;

/** @param body of a track of the type `multichannel-config`. @throws RtmpError `flv.truncated`, `flv.header` */
export function parseMultichannelConfig(body: Uint8Array): MultichannelConfig {
  const reader = new ByteReader(body, 'flv.truncated');
  const number = reader.u8();
  const channels = reader.u8();
  const order = ORDERS[number];
  switch (order) {
    case 'unspecified':
      return { order, channels };
    case 'native':
      return { order, channels, flags: reader.u32() };
    case 'custom':
      return { order, channels, mapping: reader.bytes(channels) };
    default:
      throw new RtmpError('flv.header', `channel order ${number} is not defined`);
  }
}

/** @throws RtmpError `flv.value` for more than 255 channels, or a mapping of another length */
export function encodeMultichannelConfig(config: MultichannelConfig): Uint8Array {
  const { order, channels } = config;
  if (!Number.isInteger(channels) || channels < 0 || channels > 0xff) {
    throw new RtmpError('flv.value', `${channels} channels, there must be from 0 to 255`);
  }
  const writer = new ByteWriter(8);
  writer.u8(ORDERS.indexOf(order));
  writer.u8(channels);
  if (order === 'native') writer.u32(config.flags);
  if (order === 'custom') {
    if (config.mapping.length !== channels) {
      throw new RtmpError('flv.value', `a mapping of ${config.mapping.length} for ${channels} channels`);
    }
    writer.bytes(config.mapping);
  }
  return writer.finish();
}
