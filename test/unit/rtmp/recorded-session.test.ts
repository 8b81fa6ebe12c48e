import { connect } from 'node:net';
import { expect } from 'vitest';
import { test } from '../../support/scope.js';
import { bytes } from '../../wire/rtmp/bytes.js';
import { handshake } from './client.js';
import { serve } from './serve.js';

/** What the SEMS plugin's test phone sends, recorded behind its handshake: connect to the first three frames. */
const RECORDED = bytes(
  // connect: {app: "sip", tcUrl: "rtmp://127.0.0.1:1936/sip", fpad: false, capabilities: 15, ...}, in two chunks
  '030000000000a81400000000020007636f6e6e656374003ff00000000000000300036170700200037369700005746355726c02001972',
  '746d703a2f2f3132372e302e302e313a313933362f7369700004667061640100000c6361706162696c697469657300402e0000000000',
  '00000b617564696f436f646563730040a8ee0000000000000b766964656f436f',
  'c36465637300406f800000000000000d766964656f46756e6374696f6e003ff0000000000000000009',
  // register(), dial("sip:test@127.0.0.1:5091"), createStream() twice: type 1, then type 3 headers
  '4300000000001514020008726567697374657200400000000000000005',
  '4300000000002b140200046469616c004008000000000000050200177369703a74657374403132372e302e302e313a35303931',
  '430000000000191402000c63726561746553747265616d00401000000000000005',
  'c302000c63726561746553747265616d00401400000000000005',
  // publish("dummy", "live") on stream 1, play("dummy") on stream 2
  '0800000000002314010000000200077075626c6973680000000000000000000502000564756d6d790200046c697665',
  '080000000000201402000000020004706c61790000000000000000000502000564756d6d790200046c697665',
  // three Speex frames, 20 ms apart: type 0, 2 and 3 headers
  '060000000000470801000000b630549822d2000068e8e8e8e8e8e8e881f9f4747460488d9a7440f6d87d208e119c3d2ba4eba422c53d2c4f',
  '2b442b3bf4ababababab0abab89abab0ababababab0ababababab7',
  '86000014b630549822d0035d689835dd38e8c820d3f8b37ea83a5707b6ad25383ae5d3b3408e27add29c1b09306012562df96b3860ababab',
  'abab0ababababab0ababababab0ababababab7',
  'c6b630548220d0941c9c80f868c828e8b5d39aca7094611c7c145c65513b4fac9bf65a323a3287a06f4061ed1719191b3860ababababab0a',
  'babababab0ababababab0ababababab7',
);

const EXPECTED = [
  'connect sip',
  'register',
  'dial sip:test@127.0.0.1:5091',
  'publish dummy live',
  'play dummy -2 -1 true',
  expect.stringMatching(/^audio 0 b630549822d2/),
  expect.stringMatching(/^audio 20 b630549822d0/),
  expect.stringMatching(/^audio 40 b630548220d0/),
];

test.for([
  { name: 'in one write', sizes: [RECORDED.length] },
  { name: 'in writes of 1 to 7 bytes', sizes: [1, 2, 3, 5, 7] },
  { name: 'in writes of 100 bytes', sizes: [100] },
])('the recorded session of a librtmp phone is understood, $name', async ({ sizes }, { scope }) => {
  const { server, port, events } = await serve(scope);
  server.on('connection', (session) => {
    session.on('call', ({ name, args }) => events.push([name, ...args].join(' ')));
  });
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  scope.defer(() => socket.destroy());
  socket.resume();
  socket.write(handshake());
  for (let offset = 0, index = 0; offset < RECORDED.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    socket.write(RECORDED.subarray(offset, offset + size));
    offset += size;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => events.all.length).toBe(EXPECTED.length);
  expect(events.all).toEqual(EXPECTED);
});
