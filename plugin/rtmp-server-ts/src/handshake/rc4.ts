/**
 * RC4, which OpenSSL 3 no longer brings and RTMPE is made of. It hides RTMP from an eye in passing; it protects nothing: for that there is
 * TLS.
 */
export class Rc4 {
  readonly #state = Uint8Array.from({ length: 256 }, (_, index) => index);
  #i = 0;
  #j = 0;

  constructor(key: Uint8Array) {
    const state = this.#state;
    let j = 0;
    for (let i = 0; i < 256; i += 1) {
      const value = state[i] as number;
      j = (j + value + (key[i % key.length] as number)) & 0xff;
      state[i] = state[j] as number;
      state[j] = value;
    }
  }

  /** @returns the bytes encrypted, or decrypted, in an array of their own */
  apply(bytes: Uint8Array): Uint8Array {
    const result = new Uint8Array(bytes.length);
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (let index = 0; index < bytes.length; index += 1) {
      i = (i + 1) & 0xff;
      const left = state[i] as number;
      j = (j + left) & 0xff;
      const right = state[j] as number;
      state[i] = right;
      state[j] = left;
      result[index] = (bytes[index] as number) ^ (state[(left + right) & 0xff] as number);
    }
    this.#i = i;
    this.#j = j;
    return result;
  }
}
