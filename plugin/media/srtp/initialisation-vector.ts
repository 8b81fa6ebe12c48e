/**
 * The salt with the SSRC and the packet's index of 48 bits in its last ten octets (RFC 3711 section 4.1.1, RFC 7714
 * sections 8.1 and 9.1):
 *
 *     RFC 3711   |         0 | SSRC | index |   14 octets; the block counter follows
 *     RFC 7714         | 0 | SSRC | index |     12 octets
 */
export function initialisationVector(salt: Buffer, ssrc: number, index: number): Buffer {
  const { length } = salt;
  const vector = Buffer.from(salt);
  vector.writeUInt32BE((vector.readUInt32BE(length - 10) ^ ssrc) >>> 0, length - 10);
  vector.writeUInt16BE(vector.readUInt16BE(length - 6) ^ Math.floor(index / 2 ** 32), length - 6);
  vector.writeUInt32BE((vector.readUInt32BE(length - 4) ^ index) >>> 0, length - 4);
  return vector;
}
