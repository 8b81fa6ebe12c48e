import { BufferList, ServerHandshake } from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { bytes, counting, repeat } from './bytes.js';

/**
 * C1 is 0, 1, 2 ... with time 0 and the version given; with a digest, that was computed by another implementation of the scheme. What the
 * server makes up is 0, 1, 2 ... too.
 */
function c1(version: string, digest?: { offset: number; value: string }): Uint8Array {
  const block = bytes('00000000', version, counting(1536).subarray(8));
  if (digest !== undefined) block.set(bytes(digest.value), digest.offset);
  return block;
}

const FLASH_9 = '09007c02';
const DIGEST_0 = { offset: 50, value: '847b0a67b05fc66226127cd092337f2f9d2150340f81eafde5b40988a40a60b8' };
/** Right for a C1 of version 0. */
const DIGEST_VERSION_0 = { offset: 50, value: 'dac77f2339136990f64acb7536edb4643eedbfa7f0b76289ffb5871538630e2f' };
const DIGEST_1 = { offset: 798, value: '2e064d617800c563ffdb6ff67e2084be69f21576d0e3449c252dccae7bd4ce49' };
/** S1 without a digest, and S1 with one; the latter's version is 3.5.1.1. */
const PLAIN_S1 = bytes('00000000 00000000', counting(1536).subarray(8));

function s1(digest: { offset: number; value: string }): Uint8Array {
  const block = bytes('00000000 03050101', counting(1536).subarray(8));
  block.set(bytes(digest.value), digest.offset);
  return block;
}

function s2(signature: string): Uint8Array {
  return bytes(counting(1504), signature);
}

const ROWS = [
  { name: 'a version 0 C1: plain, S2 is C1', scheme: 'plain', c1: c1('00000000'), s1: PLAIN_S1, s2: c1('00000000') },
  {
    name: 'a C1 with digest by scheme 0',
    scheme: 'digest-0',
    c1: c1(FLASH_9, DIGEST_0),
    s1: s1({ offset: 50, value: '7886a95eac3e353d8894fd03ea7bc2b0448075c55a1fa0f7180ec32d02f9cb05' }),
    s2: s2('62195b7978ff30b9b7c6ef900a6154f7e6900cf05ddb24035d6306f29773d531'),
  },
  {
    name: 'a C1 with digest by scheme 1',
    scheme: 'digest-1',
    c1: c1(FLASH_9, DIGEST_1),
    s1: s1({ offset: 798, value: '7f2e243580db1e4645ff115094fa884e2ad6187ad09fb47010aeb06a00a43d64' }),
    s2: s2('ad3f91f6e728826c99df92e3d20b9cfdd96a32361216c4382cc067e6acba8334'),
  },
  { name: 'a version but no digest: plain', scheme: 'plain', c1: c1(FLASH_9), s1: PLAIN_S1, s2: c1(FLASH_9) },
  {
    name: 'a wrong digest: plain',
    scheme: 'plain',
    c1: c1(FLASH_9, { ...DIGEST_0, offset: 51 }),
    s1: PLAIN_S1,
    s2: c1(FLASH_9, { ...DIGEST_0, offset: 51 }),
  },
  {
    name: 'version 0 with a digest: plain, the version says so',
    scheme: 'plain',
    c1: c1('00000000', DIGEST_VERSION_0),
    s1: PLAIN_S1,
    s2: c1('00000000', DIGEST_VERSION_0),
  },
];

describe('server handshake (5.2)', () => {
  it.each(ROWS)('answers $name', ({ scheme, c1, s1, s2 }) => {
    const { input, handshake } = newHandshake();
    input.push(bytes('03', c1));
    const output = bytes(...handshake.advance());
    expect(output).toEqual(bytes('03', s1, s2));
    expect(handshake.scheme).toBe(scheme);
    expect(handshake.done).toBe(false);

    input.push(bytes(repeat(0xcc, 1536), 'aabb'));
    expect(handshake.advance()).toEqual([]);
    expect(handshake.done).toBe(true);
    expect(input.consume(2)).toEqual(bytes('aabb'));
    expect(input.length).toBe(0);
  });

  it.each(ROWS)('answers $name, one byte after the other', ({ c1, s1, s2 }) => {
    const { input, handshake } = newHandshake();
    const output: Uint8Array[] = [];
    for (const byte of bytes('03', c1, repeat(0xcc, 1536))) {
      expect(handshake.done).toBe(false);
      input.push(Uint8Array.of(byte));
      output.push(...handshake.advance());
    }
    expect(handshake.done).toBe(true);
    expect(bytes(...output)).toEqual(bytes('03', s1, s2));
  });

  it('takes everything in one read, commands after it included', () => {
    const { input, handshake } = newHandshake();
    input.push(bytes('03', c1('00000000'), repeat(0, 1536), 'ff'));
    expect(bytes(...handshake.advance())).toHaveLength(1 + 2 * 1536);
    expect(handshake.done).toBe(true);
    expect(input.length).toBe(1);
  });

  it('waits for the whole of C1 before it answers', () => {
    const { input, handshake } = newHandshake();
    input.push(bytes('03', c1('00000000').subarray(0, 1535)));
    expect(handshake.advance()).toEqual([]);
    expect(handshake.done).toBe(false);
  });

  it.each([0x00, 0x02, 0x04, 0x07, 0x09, 0x16, 0x47, 0xff])('refuses first byte %i at once', (version) => {
    const { input, handshake } = newHandshake();
    input.push(Uint8Array.of(version));
    expect(() => handshake.advance()).toThrow(expect.objectContaining({ code: 'handshake.version' }));
  });

  it('makes up other bytes each time unless told otherwise', () => {
    const answers = [1, 2].map(() => {
      const input = new BufferList();
      input.push(bytes('03', c1(FLASH_9, DIGEST_VERSION_0)));
      return bytes(...new ServerHandshake(input).advance());
    });
    expect(answers[0]).not.toEqual(answers[1]);
  });
});

function newHandshake() {
  const input = new BufferList();
  return { input, handshake: new ServerHandshake(input, { random: counting }) };
}
