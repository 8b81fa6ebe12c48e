import { expect } from 'vitest';
import { FreeSwitchStandIn } from '../../support/freeswitch/stand-in.js';
import { Gateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';
import { encodeSpeex, speak } from '../../support/speech.js';

const frames = (await encodeSpeex(await speak())).slice(0, 50);
const hexOf = (messages: readonly Uint8Array[]) => messages.map((message) => Buffer.from(message).toString('hex'));

/** A gateway and its servers, which take calls. */
async function start(scope: Scope, media: 'freeswitch' | 'auto', count = 1) {
  const servers: FreeSwitchStandIn[] = [];
  for (let made = 0; made < count; made++) servers.push(await FreeSwitchStandIn.start(scope));
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const gateway = await Gateway.start(scope, { env: { SONO_MEDIA: media, SONO_FREESWITCH_HOST: hosts } });
  for (const { port } of servers) await serverState(gateway, port, 'takes calls');
  const [server] = servers;
  if (!server) throw new Error('no server');
  return { gateway, server, servers };
}

const serverState = (gateway: Gateway, port: number, text: string) =>
  gateway.log.find(`${port} ${text}`, (line) => line.msg.includes(text) && line.server === `127.0.0.1:${port}`);

test('through FreeSWITCH both sides hear each other, and no channel is left', async ({ scope }) => {
  const { gateway, server } = await start(scope, 'freeswitch');
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
  await phone.dialAndConnect(sipp.uri());
  await phone.send(frames);
  await phone.waitAudio(frames.length);
  expect(phone.audio.map(({ hex }) => hex)).toEqual(expect.arrayContaining(hexOf(frames)));
  phone.hangup();
  await phone.waitStatus(0);
  await sipp.done();
  expect(phone.statuses).toEqual([1, 1, 4, 2, 3, 0]);
  const { result, media } = await gateway.callEnded(sipp.uri());
  expect(result).toBe('completed');
  expect(media).toMatchObject({ engine: 'freeswitch', server: `127.0.0.1:${server.port}`, codec: 'speex/16000' });
  gateway.signal('SIGTERM');
  await gateway.exit();
  expect(server.channels).toEqual([]);
});

test('a far end of PCMU has FreeSWITCH behind the gateway, one of Speex does not', async ({ scope }) => {
  const { gateway, server } = await start(scope, 'auto');
  const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
  for (const [answer, engine] of [
    [{ payloadType: 0, codec: 'PCMU/8000' }, 'freeswitch'],
    [{}, 'direct'],
  ] as const) {
    const sipp = await Sipp.start(scope, { scenario: callee.answers(answer) });
    const before = phone.audio.length;
    await phone.dialAndConnect(sipp.uri());
    expect(server.bridges).toBe(engine === 'freeswitch' ? 1 : 0);
    await phone.send(frames);
    await phone.waitAudio(before + frames.length);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
    expect((await gateway.callEnded(sipp.uri())).media).toMatchObject({ engine });
  }
});

test('a server that goes ends its calls: 0 with the reason, BYE within 2 s; /readyz and the next call tell', async ({
  scope,
}) => {
  const { gateway, server, servers } = await start(scope, 'freeswitch', 2);
  const other = servers[1];
  if (other) other.paused = true;
  await serverState(gateway, other?.port ?? 0, 'paused');
  const sipp = await Sipp.start(scope, { scenario: callee.answers() });
  const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
  await phone.dialAndConnect(sipp.uri());
  const gone = Date.now();
  await server.kill();
  expect(await phone.waitStatus(0)).toMatchObject({ reason: expect.stringContaining('FreeSWITCH') });
  expect((await sipp.received(/^BYE/)).at - gone).toBeLessThan(2_000);
  await sipp.done();
  expect(await gateway.callEnded(sipp.uri())).toMatchObject({ result: 'media-failed' });

  const unready = await gateway.http('/readyz');
  expect(unready.status).toBe(503);
  expect((await unready.text()).split('\n')).toEqual([
    'no FreeSWITCH server takes calls',
    expect.stringMatching(`^FreeSWITCH 127.0.0.1:${server.port} down: `),
    expect.stringMatching(`^FreeSWITCH 127.0.0.1:${other?.port} paused, 0 of 500 sessions`),
    '',
  ]);
  phone.dial(sipp.uri());
  expect(await phone.waitStatus(0)).toMatchObject({ reason: expect.stringContaining('no FreeSWITCH server') });

  if (other) other.paused = false;
  await gateway.log.find('it takes calls again', (line) => line.msg.includes('takes calls'), {
    from: gateway.log.all.length,
  });
  expect((await gateway.http('/readyz')).status).toBe(200);
});
