import { describe, expect } from 'vitest';
import { callFrom } from '../interop/phone/support/callers.js';
import { Gateway, useGateway } from '../support/gateway.js';
import type { LibrtmpPhone } from '../support/librtmp-phone.js';
import { freePort, loopback } from '../support/ports.js';
import { type Scope, test } from '../support/scope.js';
import { RegisteringPeer } from '../support/sip-register.js';
import { Sipp } from '../support/sipp.js';
import { bridged } from '../support/sipp-bridged.js';
import { callee, caller } from '../support/sipp-scenarios.js';
import { connectPhone, frames, header, heard, hexOf, servers, settings, sipAddress, speakAndHear } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';

useDrachtioServer(settings);

const local = { SONO_LOCAL_DOMAINS: 'sono.test', SONO_USERS: 'alice,bob,carol,dave,erin,frank:sesame,grace,heidi' };
const speex = { payloadType: 117, codec: 'speex/16000' };

describe.for(servers)('on $name', ({ env }) => {
  const gateway = useGateway({ env: { ...env, ...local } });

  async function client(scope: Scope, user: string, ...credentials: readonly string[]): Promise<LibrtmpPhone> {
    const phone = await connectPhone(scope, gateway());
    expect(await phone.register(user, null, ...credentials)).toBe(`sip:${user}@sono.test`);
    return phone;
  }

  async function sipPhone(scope: Scope, user: string, scenario: string): Promise<Sipp> {
    const sipp = await Sipp.start(scope, { scenario });
    const [, port] = (await sipAddress(gateway())).split(':');
    const peer = await RegisteringPeer.open(scope, Number(port));
    expect((await peer.register(user, { Contact: `<${sipp.uri(user)}>` })).status).toBe(200);
    return sipp;
  }

  const uri = async (user: string) => `sip:${user}@${await sipAddress(gateway())}`;

  test.concurrent('two clients call each other by name and hear every frame; one holds, one hangs up', async ({
    scope,
  }) => {
    const [alice, bob] = [await client(scope, 'alice'), await client(scope, 'bob')];
    alice.dial('sip:bob@sono.test');
    expect(await bob.waitIncoming()).toMatchObject({ uri: 'bob', from: 'sip:alice@sono.test' });
    bob.accept();
    await Promise.all([alice, bob].map((phone) => phone.waitStatus(2).then(() => phone.waitStreams())));
    await alice.send(frames);
    expect(heard(await bob.waitAudio(frames.length))).toEqual(hexOf(frames));
    alice.call('hold', true);
    expect(await bob.waitPush('Sono.Call.Hold')).toMatchObject({ held: true, remote: true });
    alice.call('hold', false);
    expect(await bob.waitPush('Sono.Call.Hold')).toMatchObject({ held: false });
    bob.hangup();
    await Promise.all([alice, bob].map((phone) => phone.waitStatus(0)));
    expect(alice.statuses.filter((status) => status !== 1)).toEqual([4, 2, 0]);
    expect(bob.statuses).toEqual([4, 2, 3, 0]);
    const isCall = ({ msg, from }: { msg: string; from?: string }) =>
      msg === 'call started' && from === 'sip:alice@sono.test';
    expect(gateway().log.all.filter(isCall)).toHaveLength(2);
  });

  test.concurrent('a client calls another by its made-up address, and gives up', async ({ scope }) => {
    const [calling, called] = [await connectPhone(scope, gateway()), await connectPhone(scope, gateway())];
    calling.dial(await called.register());
    await called.waitIncoming();
    calling.hangup();
    expect(await calling.waitStatus(0)).toMatchObject({ sip_status: 487 });
    await called.waitStatus(0);
  });

  test.concurrent('a client is refused by another, and by a wrong password', async ({ scope }) => {
    const [carol, dave] = [await client(scope, 'carol'), await client(scope, 'dave')];
    carol.dial('dave');
    await dave.waitIncoming();
    dave.call('reject', 603);
    expect(await carol.waitStatus(0)).toMatchObject({ sip_status: 603 });
    const phone = await connectPhone(scope, gateway());
    expect((await phone.request('register', 'frank', null, 'guess')).info.description).toMatch(/^401 /);
    await client(scope, 'frank', 'sesame');
  });

  test.concurrent('a client calls a SIP phone by name, and is heard', async ({ scope }) => {
    const sipp = await sipPhone(scope, 'erin', callee.answers());
    const phone = await connectPhone(scope, gateway());
    await phone.dialAndConnect('sip:erin@sono.test');
    expect(await speakAndHear(phone)).toEqual(hexOf(frames));
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
  });

  test.concurrent('what SIP phones say within a call goes from one to the other', async ({ scope }) => {
    const called = await sipPhone(scope, 'grace', bridged.callee());
    const calling = await callFrom(scope, await uri('grace'), bridged.caller());
    await Promise.all([calling.done(), called.done()]);
  });

  test.concurrent('one name at a client and a SIP phone: the phone answers, the client gets 0', async ({ scope }) => {
    const phone = await client(scope, 'heidi');
    const called = await sipPhone(scope, 'heidi', bridged.answersAfter(700));
    const calling = await callFrom(scope, await uri('heidi'), caller.talks({ ms: 300, ...speex }));
    await phone.waitIncoming();
    await phone.waitStatus(0);
    await Promise.all([calling.done(), called.done()]);
  });
});

describe.for(servers)('through an outbound proxy on $name', ({ env }) => {
  test.concurrent('goes the INVITE, whatever its address', async ({ scope }) => {
    const sipp = await Sipp.start(scope, { scenario: callee.answers() });
    const gateway = await Gateway.start(scope, { env: { ...env, SONO_OUTBOUND_PROXY: `${loopback}:${sipp.port}` } });
    const phone = await connectPhone(scope, gateway);
    const uri = `sip:somebody@${loopback}:${await freePort()}`;
    await phone.dialAndConnect(uri);
    const invite = await sipp.received(/^INVITE/);
    expect(invite.text).toMatch(new RegExp(`^INVITE ${uri}`));
    expect(header(invite, 'Route')).toEqual([]);
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
  });
});
