import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder } from '../../../plugin/embedded-sip/src/control/frame.js';
import { StreamFramer } from '../../../plugin/embedded-sip/src/transport/stream-framer.js';

/** Feeds pieces, gathers what comes out. */
function feed(framer: StreamFramer, pieces: readonly string[]) {
  const messages: string[] = [];
  let keepAlives = 0;
  let error: string | undefined;
  for (const piece of pieces) {
    const framed = framer.push(piece);
    messages.push(...framed.messages);
    keepAlives += framed.keepAlives;
    error ??= framed.error;
  }
  return { messages, keepAlives, error };
}

describe('SIP over a stream (RFC 3261 18.3)', () => {
  const first = 'OPTIONS sip:a SIP/2.0\r\nContent-Length: 4\r\n\r\nbody';
  const second = 'BYE sip:a SIP/2.0\r\nl:0\r\n\r\n';
  const third = 'ACK sip:a SIP/2.0\r\nVia: x\r\n\r\n';

  it('is the same for every place of one cut', () => {
    const stream = `${first}\r\n\r\n${second}\r\n${third}`;
    for (let at = 0; at <= stream.length; at++) {
      const { messages, keepAlives, error } = feed(new StreamFramer(1000), [stream.slice(0, at), stream.slice(at)]);
      expect({ at, messages, keepAlives, error }).toEqual({
        at,
        messages: [first, second, third],
        keepAlives: 1,
        error: undefined,
      });
    }
  });

  it('is the same byte by byte', () => {
    const stream = `\r\n\r\n${first}${first}\r\n\r\n\r\n\r\n${second}`;
    expect(feed(new StreamFramer(1000), [...stream])).toEqual({
      messages: [first, first, second],
      keepAlives: 3,
      error: undefined,
    });
  });

  it('knows whether a message has begun', () => {
    const framer = new StreamFramer(1000);
    expect(framer.midMessage).toBe(false);
    framer.push('OPT');
    expect(framer.midMessage).toBe(true);
    framer.push(first.slice(3));
    expect(framer.midMessage).toBe(false);
  });

  it('finds a Content-Length that is folded or spelt oddly', () => {
    const odd = ['Content-Length:\r\n 4', 'L \t:  4 ', 'CONTENT-LENGTH:4', 'Content-Length: 0004'];
    const stream = odd.map((line) => `A a SIP/2.0\r\n${line}\r\nTo: x\r\n\r\nbody`).join('');
    expect(feed(new StreamFramer(1000), [stream]).messages).toHaveLength(odd.length);
  });

  it.each([
    'Content-Length: -4',
    'Content-Length: four',
    'Content-Length: 4x',
    'Content-Length:',
    'Content-Length: 9999999999',
    'Content-Length: 4\r\nl: 5',
    'l: 4\r\nl: 4',
    'Content-Length: 4\r\n 5',
  ])('does not go on after %j, which does not say where the message ends', (line) => {
    const message = `A a SIP/2.0\r\n${line}\r\n\r\n`;
    expect(feed(new StreamFramer(1000), [`${first}${message}body${second}`])).toEqual({
      messages: [first, message],
      keepAlives: 0,
      error: 'where the message ends is not known',
    });
  });

  it('a Content-Length that is too small: what follows is no SIP', () => {
    const short = 'INVITE sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nv=0\r\n';
    expect(feed(new StreamFramer(1000), [`${short}o=- 1 1 IN IP4 h\r\n${second}`])).toMatchObject({
      messages: [short],
      error: 'not SIP',
    });
  });

  it.each(['GET / HTTP/1.1\r\n', '\x16\x03\x01\x02\r\n', 'SIP\r\n', 'INVITE sip:a\r\n'])(
    'does not wait after %j',
    (line) => {
      expect(new StreamFramer(1000).push(line).error).toBe('not SIP');
    },
  );

  it('takes a hundred messages in one piece, and a large one byte by byte, in good time', () => {
    const started = performance.now();
    expect(new StreamFramer(1000).push(first.repeat(100)).messages).toHaveLength(100);
    const large = `A a SIP/2.0\r\n${'X: y\r\n'.repeat(5_000)}Content-Length: 30000\r\n\r\n${'z'.repeat(30_000)}`;
    expect(feed(new StreamFramer(100_000), [...large]).messages).toEqual([large]);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('is total', () => {
    const piece = fc.oneof(
      fc.constantFrom(first, second, third, '\r\n', '\r', 'l: 5', ' '),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const whole = feed(new StreamFramer(300), [pieces.join('')]);
        expect(whole.messages.join('').length).toBeLessThanOrEqual(pieces.join('').length);
      }),
    );
  });

  it.each([
    ['an announced body', 'A a SIP/2.0\r\nContent-Length: 90\r\n\r\n'],
    ['an endless header section', `A a SIP/2.0\r\n${'x'.repeat(101)}`],
    ['the largest number', 'A a SIP/2.0\r\nContent-Length: 999999999\r\n\r\n'],
  ])('ends at the limit: %s', (_what, stream) => {
    expect(new StreamFramer(100).push(stream).error).toBe('message above 100 bytes');
  });
});

describe('control frames', () => {
  const payloads = ['a|ping', 'b|sip||\r\nINVITE sip:a SIP/2.0\r\n\r\n5#not a frame', 'c|x', ''];
  const stream = payloads.map(encodeFrame).join('');

  it('are a decimal length, #, and the payload', () => expect(encodeFrame('a|ping')).toBe('6#a|ping'));

  it('are the same for every place of one cut', () => {
    for (let at = 0; at <= stream.length; at++) {
      const decoder = new FrameDecoder(1000);
      const got = [...decoder.push(stream.slice(0, at)).payloads, ...decoder.push(stream.slice(at)).payloads];
      expect({ at, got }).toEqual({ at, got: payloads });
    }
  });

  it('survive any fragmentation', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 40 })), fc.array(fc.nat(20)), (texts, cuts) => {
        const decoder = new FrameDecoder(1000);
        const got: string[] = [];
        let rest = texts.map(encodeFrame).join('');
        for (const cut of cuts) {
          got.push(...decoder.push(rest.slice(0, cut)).payloads);
          rest = rest.slice(cut);
        }
        got.push(...decoder.push(rest).payloads);
        expect(got).toEqual(texts);
      }),
    );
  });

  it.each([
    ['6 digits', '100000#', 'malformed frame length'],
    ['6 digits without an end', '100000', 'malformed frame length'],
    ['no digit', 'x#', 'malformed frame length'],
    ['no digit yet no end', 'GET / HTTP/1.1\r\n', 'malformed frame length'],
    ['a sign', '-1#', 'malformed frame length'],
    ['no length', '#abc', 'malformed frame length'],
    ['too long a frame', '12229#', 'frame of 12229 bytes, at most 12228 are allowed'],
  ])('end with %s', (_what, bytes, error) => {
    const decoder = new FrameDecoder(12_228);
    expect(decoder.push(`2#ok${bytes}`)).toEqual({ payloads: ['ok'], error });
  });

  it('may be as long as the limit', () => {
    const payload = 'x'.repeat(12_228);
    expect(new FrameDecoder(12_228).push(encodeFrame(payload)).payloads).toEqual([payload]);
  });
});
