import { type AcceptOptions, AmfEcmaArray, type AmfObject, type ConnectRequest, supportsCodec } from 'rtmp-server-ts';
import { describe, expect, it } from 'vitest';
import { type Scope, test } from '../../support/scope.js';
import { TestClient } from './client.js';
import { listen } from './serve.js';

const ALL = { decode: true, encode: true, forward: true };
const NONE = { decode: false, encode: false, forward: false };
const NOTHING = { reconnect: false, multitrack: false, modEx: false, timestampNanoOffset: false };

describe('what a client says of Enhanced RTMP', () => {
  test('is read from connect', async ({ scope }) => {
    const { request } = await connected(scope, {
      fourCcList: ['av01', 'hvc1', 'Opus'],
      audioFourCcInfoMap: { '*': 4, Opus: 3 },
      videoFourCcInfoMap: new AmfEcmaArray({ avc1: 7 }),
      capsEx: 5,
    });
    expect(request.enhanced).toEqual({
      fourCcList: ['av01', 'hvc1', 'Opus'],
      audioFourCcInfoMap: { '*': { ...NONE, forward: true }, Opus: { ...ALL, forward: false } },
      videoFourCcInfoMap: { avc1: ALL },
      capsEx: { ...NOTHING, reconnect: true, modEx: true },
    });
  });

  test('is absent when it says nothing, or nothing of the right type', async ({ scope }) => {
    expect((await connected(scope, {})).request).not.toHaveProperty('enhanced');
    const wrong = { fourCcList: 'av01', audioFourCcInfoMap: 7, videoFourCcInfoMap: null, capsEx: '15' };
    expect((await connected(scope, wrong)).request).not.toHaveProperty('enhanced');
  });

  test('may have names of prototype members and other things in it, which are passed over', async ({ scope }) => {
    const { request } = await connected(scope, {
      fourCcList: ['av01', 7, null],
      audioFourCcInfoMap: { constructor: 'x', Opus: 1 },
    });
    expect(request.enhanced).toEqual({
      fourCcList: ['av01'],
      audioFourCcInfoMap: { Opus: { ...NONE, decode: true } },
    });
    expect(supportsCodec(request.enhanced, 'audio', 'constructor', 'decode')).toBe(false);
  });
});

describe('what the program says of Enhanced RTMP', () => {
  const enhanced = {
    fourCcList: ['*'],
    audioFourCcInfoMap: { Opus: { decode: true, encode: true } },
    videoFourCcInfoMap: { '*': { forward: true } },
    capsEx: { reconnect: true, multitrack: true, modEx: true, timestampNanoOffset: true },
  };

  test('is in the answer to a client that said something', async ({ scope }) => {
    const { client } = await connected(scope, { fourCcList: ['Opus'] }, { enhanced, properties: { mode: 2 } });
    expect(client.commands[0]?.commandObject).toEqual({
      ...{ fmsVer: 'FMS/3,5,1,525', capabilities: 31, mode: 2 },
      fourCcList: ['*'],
      audioFourCcInfoMap: { Opus: 3 },
      videoFourCcInfoMap: { '*': 4 },
      capsEx: 15,
    });
  });

  test('is not in the answer to one that said nothing', async ({ scope }) => {
    const { client } = await connected(scope, {}, { enhanced });
    expect(client.commands[0]?.commandObject).toEqual({ fmsVer: 'FMS/3,5,1,525', capabilities: 31, mode: 1 });
  });
});

describe('requestReconnect', () => {
  test('asks a client that heeds it, with a new address or without', async ({ scope }) => {
    const { client, request, session } = await connected(scope, { capsEx: 1 });
    expect(request.enhanced?.capsEx?.reconnect).toBe(true);
    expect(session.requestReconnect()).toBe(true);
    expect(session.requestReconnect({ tcUrl: '//192.0.2.0/app', description: 'Update.' })).toBe(true);
    await client.settled();
    const asked = client.commands.filter(({ name }) => name === 'onStatus').map(({ args }) => args[0]);
    const code = 'NetConnection.Connect.ReconnectRequest';
    expect(asked).toEqual([
      { level: 'status', code, description: 'The server asks to connect anew.' },
      { level: 'status', code, description: 'Update.', tcUrl: '//192.0.2.0/app' },
    ]);
  });

  test('asks nothing of a client that does not, and of one that is gone', async ({ scope }) => {
    const legacy = await connected(scope, { capsEx: 2 });
    expect(legacy.session.requestReconnect()).toBe(false);
    await legacy.client.settled();
    expect(legacy.client.commands.map(({ name }) => name)).toEqual(['_result', '_result']);
    const gone = await connected(scope, { capsEx: 1 });
    gone.session.close();
    expect(gone.session.requestReconnect()).toBe(false);
  });
});

describe('supportsCodec', () => {
  const said = {
    fourCcList: ['hvc1'],
    audioFourCcInfoMap: { '*': { forward: true }, Opus: { decode: true } },
    videoFourCcInfoMap: { avc1: { encode: true } },
  };

  it.each([
    ['audio', 'Opus', 'decode', true],
    ['audio', 'Opus', 'encode', false],
    ['audio', 'Opus', 'forward', true],
    ['audio', 'fLaC', 'forward', true],
    ['audio', 'fLaC', 'decode', false],
    ['video', 'avc1', 'encode', true],
    ['video', 'avc1', 'decode', false],
    ['video', 'hvc1', 'decode', true],
    ['video', 'toString', 'decode', false],
  ] as const)('of %s %s, to %s: %s', (kind, fourCc, ability, expected) => {
    expect(supportsCodec(said, kind, fourCc, ability)).toBe(expected);
  });

  it('is false of a client that said nothing, and true of one that lists everything', () => {
    expect(supportsCodec(undefined, 'audio', 'Opus', 'decode')).toBe(false);
    expect(supportsCodec({ fourCcList: ['*'] }, 'video', 'av01', 'decode')).toBe(true);
  });
});

async function connected(scope: Scope, properties: AmfObject, options?: AcceptOptions) {
  const { server, port } = await listen(scope);
  const requests: ConnectRequest[] = [];
  server.on('connection', (session) => {
    session.on('connect', (request) => {
      requests.push(request);
      request.accept(options);
    });
  });
  const client = await TestClient.connect(scope, port, { app: 'a', ...properties });
  const [session] = server.sessions;
  const [request] = requests;
  if (session === undefined || request === undefined) throw new Error('no session');
  return { client, session, request };
}
