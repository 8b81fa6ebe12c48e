import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { amf0, command, connectCommand, message, messageType, RawRtmp } from '../../support/raw-rtmp.js';
import { type Scope, test } from '../../support/scope.js';
import { encodeSpeex, speak } from '../../support/speech.js';

const gateway = useGateway();
const frames = await encodeSpeex(await speak('One, two, three, four.'));
const connect = (scope: Scope) => LibrtmpPhone.connect(scope, gateway().rtmpUrl());

describe('dial', () => {
  test.concurrent.for([
    ['nothing', [], 'Sono.Call.NoUri'],
    ['null', [null], 'Sono.Call.NoUri'],
    ['an empty string', [''], 'Sono.Call.NoUri'],
    ['a number', [42], 'Sono.Call.Failed'],
    ['an object', [{ uri: 'sip:echo@localhost' }], 'Sono.Call.Failed'],
    ['an array', [['sip:echo@localhost']], 'Sono.Call.Failed'],
    ['true', [true], 'Sono.Call.Failed'],
    ['words', ['please call Bob'], 'Sono.Call.Failed'],
    ['another scheme', ['mailto:bob@example.com'], 'Sono.Call.Failed'],
    ['no host', ['sip:bob@'], 'Sono.Call.Failed'],
    ['a port that is none', ['sip:bob@127.0.0.1:99999'], 'Sono.Call.Failed'],
    ['CRLF inside', ['sip:echo@127.0.0.1\r\nX-Evil: 1'], 'Sono.Call.Failed'],
    ['CRLF in the user part', ['sip:a\r\nVia: x@127.0.0.1'], 'Sono.Call.Failed'],
    ['CRLF in a parameter', ['sip:echo@127.0.0.1;x=\r\n\r\nINVITE'], 'Sono.Call.Failed'],
    ['a zero byte', ['sip:echo\u0000@127.0.0.1'], 'Sono.Call.Failed'],
    ['an angle bracket that stays open', ['<sip:echo@127.0.0.1'], 'Sono.Call.Failed'],
    ["a header that is not the caller's to set", ['sip:echo@127.0.0.1?Contact=sip:evil@127.0.0.1'], 'Sono.Call.Failed'],
    ['100,000 letters', [`sip:${'a'.repeat(100_000)}@127.0.0.1`], 'Sono.Call.Failed'],
  ] as const)('with %s is refused', async ([, args, code], { scope }) => {
    const phone = await connect(scope);
    const { name, info } = await phone.request('dial', ...args);
    expect({ name, level: info.level, code: info.code }).toEqual({ name: '_error', level: 'error', code });
    expect(info.description).toMatch(/\w/);
    // No status: there was no call. And the line is free for one.
    expect(phone.statuses).toEqual([]);
    await phone.dialAndConnect(gateway().sipUri('echo'));
    phone.hangup();
    await phone.waitStatus(0);
    expect(phone.statuses).toEqual([1, 4, 2, 3, 0]);
  });

  test.concurrent.for([
    // Loopback's broadcast address: the system refuses to send there.
    ['a host that cannot be reached', 'sip:bob@127.255.255.255'],
    ['a name that does not resolve', 'sip:bob@no-such-host.invalid'],
  ] as const)('with %s: 1, then 0 with the reason', { timeout: 50_000 }, async ([, uri], { scope }) => {
    const phone = await connect(scope);
    phone.dial(uri);
    const last = await phone.waitStatus(0, 45_000);
    expect(phone.statuses).toEqual([1, 0]);
    expect(last.reason).toMatch(/\w/);
    expect(await gateway().callEnded(uri)).toMatchObject({ result: 'unreachable' });
    await phone.dialAndConnect(gateway().sipUri('echo'));
    phone.hangup();
    await phone.waitStatus(0);
  });
});

describe('commands', () => {
  test.concurrent('an unknown one gets NetConnection.Call.Failed, and the connection stays', async ({ scope }) => {
    const phone = await connect(scope);
    const { name, info } = await phone.request('makeCoffee', { sugar: 2 });
    expect({ name, code: info.code }).toEqual({ name: '_error', code: 'NetConnection.Call.Failed' });
    expect(await phone.register()).toMatch(/^sip:/);
  });

  test.concurrent('hangup and accept without a call do nothing', async ({ scope }) => {
    const phone = await connect(scope);
    phone.hangup();
    phone.call('accept');
    expect(await phone.register()).toMatch(/^sip:/);
    expect(phone.statuses).toEqual([]);
  });

  test.concurrent('register() gives a new address to each client', async ({ scope }) => {
    const phones = await Promise.all([connect(scope), connect(scope)]);
    const addresses = await Promise.all(phones.map((phone) => phone.register()));
    expect(new Set(addresses).size).toBe(2);
  });

  test.concurrent('a thousand createStreams: a few results, then errors, and the connection stays', async ({
    scope,
  }) => {
    const phone = await connect(scope);
    phone.createStreams(1000);
    await phone.register();
    const replies = phone.events.all.flatMap((event) =>
      event.event === 'command' && event.transaction > 1 ? [event] : [],
    );
    const results = replies.filter(({ name, args }) => name === '_result' && typeof args[0] === 'number');
    const errors = replies.filter(({ name }) => name === '_error');
    expect(results.length + errors.length).toBe(1000);
    expect(results.length).toBeGreaterThanOrEqual(2);
    expect(results.length).toBeLessThan(100);
    expect(new Set(results.map(({ args }) => args[0])).size).toBe(results.length);
  });
});

/** Runs the deed while another client has a call, of which no frame may be missing. */
async function duringCall(scope: Scope, deed: () => Promise<void>): Promise<void> {
  const witness = await connect(scope);
  await witness.dialAndConnect(gateway().sipUri('echo'));
  witness.startSending(frames);
  await deed();
  const audio = await witness.waitAudio(frames.length, frames.length * 20 + 15_000);
  expect(audio.map(({ hex }) => hex)).toEqual(frames.map((frame) => frame.toString('hex')));
  witness.hangup();
  await witness.waitStatus(0);
  expect(witness.statuses).toEqual([1, 4, 2, 3, 0]);
}

describe('bytes that are no RTMP end that connection and no other', () => {
  test.concurrent.for([
    ['zeros', Buffer.alloc(4000)],
    ['ones', Buffer.alloc(4000, 0xff)],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a TLS handshake', Buffer.from('16030100c8010000c40303', 'hex')],
    ['a SIP request', Buffer.from('OPTIONS sip:a@b SIP/2.0\r\n\r\n')],
  ] as const)('%s instead of a handshake', async ([, bytes], { scope }) => {
    await duringCall(scope, async () => {
      const client = await RawRtmp.open(scope, gateway().rtmpPort);
      client.write(bytes);
      await client.closed();
    });
  });

  test.concurrent('a handshake that stops', async ({ scope }) => {
    await duringCall(scope, async () => {
      const stopping = await Promise.all([1, 2, 3].map(() => RawRtmp.open(scope, gateway().rtmpPort)));
      // After the version, within C1, and without C2.
      stopping.forEach((client, index) => {
        client.write(Buffer.concat([Buffer.of(3), Buffer.alloc([0, 700, 1536][index] ?? 0)]));
      });
      await Promise.all(stopping.map((client) => client.closed(20_000)));
    });
  }, 40_000);

  test.concurrent.for([
    ['a message of 16 MB', message(messageType.audio, Buffer.alloc(64), { length: 0xffffff })],
    ['a type 3 chunk without a message before it', Buffer.of(0xc5, 1, 2, 3)],
    ['a type 1 chunk without a message before it', Buffer.from('45000000000005140102030405', 'hex')],
    ['a chunk size of 0', message(messageType.setChunkSize, Buffer.alloc(4), { csid: 2 })],
    ['a chunk size with the first bit set', message(messageType.setChunkSize, Buffer.of(0x80, 0, 0, 1), { csid: 2 })],
    ['a Set Chunk Size of 2 bytes', message(messageType.setChunkSize, Buffer.of(1, 0), { csid: 2 })],
    ['a command that is no AMF', message(messageType.amf0Command, Buffer.alloc(40, 0xee))],
    ['a command that ends within a string', message(messageType.amf0Command, Buffer.from('02ffff61', 'hex'))],
  ] as const)('%s', async ([, bytes], { scope }) => {
    await duringCall(scope, async () => {
      const client = await RawRtmp.shakeHands(scope, gateway().rtmpPort);
      client.write(bytes);
      await client.closed();
    });
  });

  test.concurrent('16 MB that are really sent', async ({ scope }) => {
    await duringCall(scope, async () => {
      const client = await RawRtmp.shakeHands(scope, gateway().rtmpPort);
      client.write(message(messageType.audio, Buffer.alloc(16 * 2 ** 20 - 1)));
      await client.closed();
    });
  });

  /** `depth` objects within one another: each is its marker and the key "a". */
  const nested = (depth: number) =>
    Buffer.concat([
      Buffer.alloc(4 * depth, Buffer.of(3, 0, 1, 0x61)),
      amf0.null,
      Buffer.alloc(3 * depth, Buffer.of(0, 0, 9)),
    ]);

  test.concurrent.for([
    ['AMF objects within one another, 100,000 deep', nested(100_000)],
    ['an AMF array of 2^32 - 1 elements that are not there', Buffer.from('0affffffff', 'hex')],
  ] as const)('%s, after connect', async ([, value], { scope }) => {
    await duringCall(scope, async () => {
      const client = await RawRtmp.shakeHands(scope, gateway().rtmpPort);
      client.write(connectCommand);
      await client.receivedText('NetConnection.Connect.Success');
      client.write(command('dial', 5, amf0.null, value));
      // A value that cannot be read ends the connection, or gets an error; it does not go unnoticed.
      await Promise.race([client.closed(), client.receivedText('_error')]);
    });
  });

  test.concurrent('commands before connect', async ({ scope }) => {
    await duringCall(scope, async () => {
      const client = await RawRtmp.shakeHands(scope, gateway().rtmpPort);
      client.write(command('dial', 2, amf0.null, amf0.string(gateway().sipUri('echo'))));
      await client.closed(20_000);
    });
  }, 40_000);

  test.concurrent('media without a call or a stream is dropped', async ({ scope }) => {
    const client = await RawRtmp.shakeHands(scope, gateway().rtmpPort);
    client.write(connectCommand);
    await client.receivedText('NetConnection.Connect.Success');
    for (const msid of [0, 1, 77]) {
      client.write(message(messageType.audio, frames[0] ?? Buffer.alloc(0), { csid: 6, msid }));
    }
    client.write(command('register', 9, amf0.null));
    await client.receivedText('sip:');
    expect(client.ended).toBe(false);
  });
});
