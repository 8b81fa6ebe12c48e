import { readFileSync } from 'node:fs';
import { type AmfObject, type NodeConnectOptions, RtmpClient, type RtmpConnection } from 'rtmp-server-ts';
import { describe, expect } from 'vitest';
import { makeCertificate } from '../../support/certificate.js';
import { EventLog } from '../../support/event-log.js';
import { startNginx } from '../../support/nginx.js';
import { type Scope, test } from '../../support/scope.js';
import { counting } from '../../wire/rtmp/bytes.js';
import { relaying } from './relay.js';
import { listen } from './serve.js';

const TRANSPORTS = [
  { protocol: 'rtmp' },
  { protocol: 'rtmps' },
  { protocol: 'rtmpe' },
  { protocol: 'rtmpt' },
  { protocol: 'rtmpts' },
  { protocol: 'rtmpte' },
  { protocol: 'ws' },
  { protocol: 'wss' },
  { protocol: 'rtmpt', proxy: true },
  { protocol: 'ws', proxy: true },
] as const;

describe.each(TRANSPORTS)('$protocol, behind nginx: $proxy', ({ protocol, ...rest }) => {
  const proxy = 'proxy' in rest;

  test('carries calls, faults, pushes and calls of the server', async ({ scope }) => {
    const { server, sessions, connect } = await start(scope, protocol, proxy);
    server.on('connection', (session) => {
      session.on('connect', ({ commandObject, args }) =>
        expect([commandObject.app, args]).toEqual(['live', ['me', 7]]),
      );
      session.on('call', (call) => {
        if (call.name === 'add') call.result(Number(call.args[0]) + Number(call.args[1]));
        else call.error({ level: 'error', code: 'No.Such', description: `no ${call.name}` });
      });
    });
    const connection = await connect({ args: ['me', 7] });
    expect(connection).toMatchObject({
      protocol,
      properties: { fmsVer: 'FMS/3,5,1,525' },
      information: { code: 'NetConnection.Connect.Success' },
    });
    expect(sessions[0]?.protocol).toBe(protocol);
    expect(await connection.call('add', 20, 22)).toEqual([42]);
    await expect(connection.call('fly')).rejects.toMatchObject({ code: 'call.failed', info: [{ code: 'No.Such' }] });

    const pushes = new EventLog<string>('pushes', String);
    connection.on('status', ({ code }) => pushes.push(`status ${code}`));
    connection.on('call', (call) => {
      pushes.push(`${call.name} ${call.args}`);
      if (call.args[0] === 'bad') call.error({ code: 'Bad' });
      else call.result(`${call.args[0]}!`);
    });
    sessions[0]?.status({ level: 'status', code: 'Sono.Call.Status' });
    sessions[0]?.push('ring', 'a', 'b');
    expect(await sessions[0]?.call('echo', 'x')).toEqual(['x!']);
    await expect(sessions[0]?.call('echo', 'bad')).rejects.toMatchObject({ info: [{ code: 'Bad' }] });
    expect(pushes.all).toEqual(['status Sono.Call.Status', 'ring a,b', 'echo x', 'echo bad']);
  });

  test('carries what one publishes to one who plays, byte for byte', async ({ scope }) => {
    const { connect, events } = await start(scope, protocol, proxy);
    const [publisher, player] = [await (await connect()).createStream(), await (await connect()).createStream()];
    const played = new EventLog<string>('played', String);
    player.on('audio', ({ timestamp, payload }) => played.push(`audio ${timestamp} ${hex(payload)}`));
    player.on('video', ({ timestamp, payload }) => played.push(`video ${timestamp} ${hex(payload)}`));
    player.on('data', ({ name, values }) => played.push(`data ${name} ${JSON.stringify(values)}`));
    player.on('end', () => played.push('end'));
    expect(await player.play('cam')).toMatchObject({ code: 'NetStream.Play.Start' });
    expect(await publisher.publish('cam')).toMatchObject({ code: 'NetStream.Publish.Start', details: 'cam' });
    expect([publisher.publishing, player.playing]).toEqual(['cam', 'cam']);

    const sent: string[] = ['data onMetaData [{"width":640}]'];
    publisher.sendData('@setDataFrame', 'onMetaData', { width: 640 });
    let timestamp = 0xfffff0;
    for (const [kind, payload] of payloads()) {
      timestamp += 20;
      sent.push(`${kind} ${timestamp} ${hex(payload)}`);
      expect(kind === 'audio' ? publisher.sendAudio(timestamp, payload) : publisher.sendVideo(timestamp, payload)).toBe(
        true,
      );
    }
    publisher.stop();
    await played.find('the end', (event) => event === 'end');
    expect(played.all).toEqual([...sent, 'end']);
    await events.find('unpublish', (event) => event === 'unpublish');
  });

  test('ends: the server is told that the client closed, the client that the server did', async ({ scope }) => {
    const { connect, sessions, events } = await start(scope, protocol, proxy);
    const connection = await connect();
    const reasons = new EventLog<string>('closed', String);
    connection.on('close', ({ code }) => reasons.push(code));
    connection.close();
    await reasons.find('client', (code) => code === 'client');
    await events.find('the end', (event) => /^closed (client|transport)$/.test(event));
    await expect(connection.call('x')).rejects.toMatchObject({ code: 'call.closed' });

    const second = await connect();
    const statuses = new EventLog<string>('second', String);
    second.on('status', ({ code }) => statuses.push(String(code)));
    second.on('close', ({ code }) => statuses.push(code));
    const pending = second.call('never');
    sessions[1]?.close('enough');
    await statuses.find('server', (code) => code === 'server');
    expect(statuses.all).toEqual(['NetConnection.Connect.Closed', 'server']);
    await expect(pending).rejects.toBeInstanceOf(Error);
  });

  test('a refused connect rejects with what the server said', async ({ scope }) => {
    const { server, connect } = await start(scope, protocol, proxy, listen);
    server.on('connection', (session) => {
      session.on('connect', (request) => request.reject('not you', { sip_status: 403 }));
    });
    await expect(connect()).rejects.toMatchObject({
      code: 'connect.rejected',
      info: [{ code: 'NetConnection.Connect.Rejected', description: 'not you', sip_status: 403 } satisfies AmfObject],
    });
  });
});

async function start(scope: Scope, protocol: string, proxy: boolean, serve: typeof listen = relaying) {
  const secure = protocol.endsWith('s') && protocol !== 'ws';
  const tls = secure ? await makeCertificate(scope) : undefined;
  const relay = await serve(scope, { ...(tls && { tls }) });
  const port = proxy ? await startNginx(scope, relay.port) : relay.port;
  const connect = async (options: NodeConnectOptions = {}): Promise<RtmpConnection> => {
    const ca = tls && { tls: { ca: readFileSync(tls.cert) } };
    const connection = await RtmpClient.connect(`${protocol}://127.0.0.1:${port}/live`, { ...ca, ...options });
    const closed = new Promise((resolve) => connection.on('close', resolve));
    scope.defer(() => {
      connection.close();
      return closed;
    });
    return connection;
  };
  return { ...relay, connect };
}

/** Messages of each kind: in one chunk, of the chunk's size and one more, of many chunks, and empty. */
function payloads(): ['audio' | 'video', Uint8Array][] {
  const tagged = (first: number, length: number) => Uint8Array.of(first, ...counting(length));
  return [
    ['audio', tagged(0xb2, 42)],
    ['audio', tagged(0x52, 64)],
    ['audio', tagged(0x82, 160)],
    ['audio', tagged(0x72, 160)],
    ['audio', Uint8Array.of(0xaf, 0, 0x12, 0x10)],
    ['audio', Uint8Array.of(0xaf, 1, ...counting(300))],
    ['audio', new Uint8Array(0)],
    ['video', Uint8Array.of(0x17, 0, 0, 0, 0, ...counting(40))],
    ['video', Uint8Array.of(0x17, 1, 0, 0, 0, ...counting(60_000))],
    ['video', tagged(0x27, 4_095)],
    ['video', tagged(0x27, 4_096)],
  ];
}

function hex(payload: Uint8Array): string {
  return Buffer.from(payload).toString('hex');
}
