import { createHmac, getDiffieHellman } from 'node:crypto';
import { bytes, repeat } from './bytes.js';

const LENGTH = 1536;
const CONSTANT = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');
const PLAYER = Buffer.from('Genuine Adobe Flash Player 001');
const SERVER = Buffer.from('Genuine Adobe Flash Media Server 001');

/** Where digest and public key lie, by both schemes: the pointer's place, the first place, how many places there are. */
const SCHEMES = [
  { digest: [8, 12, 728], key: [1532, 772, 632] },
  { digest: [772, 776, 728], key: [768, 8, 632] },
] as const;
export type Scheme = 0 | 1;

/** The client's side of RTMPE, for tests. */
export class RtmpeClient {
  readonly #scheme: Scheme;
  readonly #group = getDiffieHellman('modp2');
  readonly #publicKey: Buffer;

  /** @param publicKey in place of one that is made up */
  constructor(scheme: Scheme, publicKey?: Uint8Array) {
    this.#scheme = scheme;
    const own = this.#group.generateKeys();
    this.#publicKey = publicKey ? Buffer.from(publicKey) : Buffer.concat([Buffer.alloc(128 - own.length), own]);
  }

  static get prime(): bigint {
    return BigInt(`0x${getDiffieHellman('modp2').getPrime('hex')}`);
  }

  /** @param digest false leaves it out */
  c0c1({ type = 6, digest = true } = {}): Uint8Array {
    const c1 = bytes('00000000 80000302', repeat(0x5a, LENGTH - 8));
    c1.set(this.#publicKey, place(c1, SCHEMES[this.#scheme].key));
    if (digest) {
      const at = place(c1, SCHEMES[this.#scheme].digest);
      c1.set(mac(PLAYER, Buffer.concat([c1.subarray(0, at), c1.subarray(at + 32)])), at);
    }
    return bytes(Uint8Array.of(type), c1);
  }

  /** @throws Error unless S1 and S2 are signed as they should be */
  finish(c0c1: Uint8Array, s0s1s2: Uint8Array) {
    const [s1, s2] = [s0s1s2.subarray(1, 1 + LENGTH), s0s1s2.subarray(1 + LENGTH)];
    const at = place(s1, SCHEMES[this.#scheme].digest);
    const digest = mac(SERVER, Buffer.concat([s1.subarray(0, at), s1.subarray(at + 32)]));
    if (!digest.equals(s1.subarray(at, at + 32))) throw new Error('S1 is not signed');
    const own = c0c1.subarray(1);
    const ownAt = place(own, SCHEMES[this.#scheme].digest);
    const key = mac(Buffer.concat([SERVER, CONSTANT]), own.subarray(ownAt, ownAt + 32));
    if (!mac(key, s2.subarray(0, -32)).equals(s2.subarray(-32))) throw new Error('S2 is not signed');

    const keyAt = place(s1, SCHEMES[this.#scheme].key);
    const theirs = s1.subarray(keyAt, keyAt + 128);
    const secret = this.#group.computeSecret(theirs);
    const padded = Buffer.concat([Buffer.alloc(128 - secret.length), secret]);
    return { encrypt: stream(mac(padded, theirs)), decrypt: stream(mac(padded, this.#publicKey)) };
  }
}

function place(block: Uint8Array, [pointer, first, places]: readonly [number, number, number]): number {
  const [a = 0, b = 0, c = 0, d = 0] = block.subarray(pointer, pointer + 4);
  return first + ((a + b + c + d) % places);
}

function mac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** RC4 with the first 16 bytes of the key, 1536 bytes of it thrown away. */
function stream(key: Uint8Array): (data: Uint8Array) => Uint8Array {
  const box = [...Array(256).keys()];
  const at = (index: number) => box[index] ?? 0;
  const swap = (x: number, y: number) => {
    [box[x], box[y]] = [at(y), at(x)];
  };
  for (let x = 0, y = 0; x < 256; x += 1) {
    y = (y + at(x) + (key[x % 16] ?? 0)) % 256;
    swap(x, y);
  }
  let x = 0;
  let y = 0;
  const apply = (data: Uint8Array) =>
    data.map((byte) => {
      x = (x + 1) % 256;
      y = (y + at(x)) % 256;
      swap(x, y);
      return byte ^ at((at(x) + at(y)) % 256);
    });
  apply(new Uint8Array(LENGTH));
  return apply;
}
