import { expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { test } from '../../support/scope.js';
import { encodeSpeex, speak } from '../../support/speech.js';

/** Two RTMP phones of one gateway: their calls go through the SIP server like any other. */
const gateway = useGateway();
const [ours, theirs] = await Promise.all([
  speak('One, two, three.').then((speech) => encodeSpeex(speech)),
  speak('Nothing was ever mentioned.').then((speech) => encodeSpeex(speech)),
]);

test.concurrent('they call each other by their addresses and hear every frame', async ({ scope }) => {
  const [alice, bob] = await Promise.all([0, 1].map(() => LibrtmpPhone.connect(scope, gateway().rtmpUrl())));
  if (!alice || !bob) throw new Error('two phones');
  const [aliceUri, bobUri] = await Promise.all([alice.register(), bob.register()]);
  for (const { calling, called, callingUri, calledUri } of [
    { calling: alice, called: bob, callingUri: aliceUri, calledUri: bobUri },
    { calling: bob, called: alice, callingUri: bobUri, calledUri: aliceUri },
  ]) {
    const before = { calling: calling.audio.length, called: called.audio.length };
    calling.dial(calledUri);
    expect(await called.waitIncoming()).toMatchObject({ from: callingUri });
    called.accept();
    await Promise.all([calling, called].map((phone) => phone.waitStatus(2).then(() => phone.waitStreams())));
    await Promise.all([calling.send(ours), called.send(theirs)]);
    await Promise.all([
      calling.waitAudio(before.calling + theirs.length),
      called.waitAudio(before.called + ours.length),
    ]);
    calling.hangup();
    await Promise.all([calling, called].map((phone) => phone.waitStatus(0)));
    const heard = (phone: LibrtmpPhone, from: number) => phone.audio.slice(from).map(({ hex }) => hex);
    expect(heard(calling, before.calling)).toEqual(theirs.map((frame) => frame.toString('hex')));
    expect(heard(called, before.called)).toEqual(ours.map((frame) => frame.toString('hex')));
  }
  expect(alice.statuses.filter((status) => status !== 1)).toEqual([4, 2, 3, 0, 4, 2, 0]);
  expect(bob.statuses.filter((status) => status !== 1)).toEqual([4, 2, 0, 4, 2, 3, 0]);
});

test.concurrent('a phone that calls itself is busy', async ({ scope }) => {
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  phone.dial(await phone.register());
  expect(await phone.waitStatus(0)).toMatchObject({ sip_status: 486 });
  expect(phone.calls).toEqual([]);
});

test.concurrent('the one called rejects: 0 with its status to the caller', async ({ scope }) => {
  const calling = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  const called = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  calling.dial(await called.register());
  await called.waitIncoming();
  called.call('reject', 603);
  expect(await calling.waitStatus(0)).toMatchObject({ sip_status: 603 });
  await called.waitStatus(0);
});

test.concurrent('the one calling hangs up while it rings: 0 to both', async ({ scope }) => {
  const calling = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  const called = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  calling.dial(await called.register());
  await called.waitIncoming();
  calling.hangup();
  expect(await calling.waitStatus(0)).toMatchObject({ sip_status: 487 });
  await called.waitStatus(0);
  expect(called.statuses).toEqual([0]);
});
