import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { Linphone } from '../../support/linphone.js';
import { RtpPeer } from '../../support/rtp-peer.js';
import { type Scope, test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee } from '../../support/sipp-scenarios.js';
import { encodeSpeex, speak } from '../../support/speech.js';

/** What a phone of flesh and blood, so to speak, makes of it all. */
const gateway = useGateway();
const frames = (await encodeSpeex(await speak('One, two, three.'))).slice(0, 40);

async function inCall(scope: Scope) {
  const linphone = await Linphone.start(scope);
  const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
  linphone.call(await phone.register());
  await phone.acceptAndConnect();
  await linphone.connected();
  return { linphone, phone };
}

describe('linphone', () => {
  test.concurrent('holds the call, and goes on', async ({ scope }) => {
    const { linphone, phone } = await inCall(scope);
    linphone.hold();
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: true, remote: true });
    await linphone.says('is now paused');
    linphone.resume();
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: false });
    linphone.hangUp();
    await phone.waitStatus(0);
    expect(phone.statuses).toEqual([4, 2, 0]);
  }, 30_000);

  test.concurrent('is held, and taken off it', async ({ scope }) => {
    const { linphone, phone } = await inCall(scope);
    phone.call('hold', true);
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: true, local: true });
    await linphone.says('has been paused by');
    phone.call('hold', false);
    expect(await phone.waitPush('Sono.Call.Hold')).toMatchObject({ held: false });
    phone.hangup();
    await linphone.ended();
    await phone.waitStatus(0);
  }, 30_000);

  test.concurrent('presses keys, and hears ours', async ({ scope }) => {
    const { linphone, phone } = await inCall(scope);
    linphone.press('5');
    expect(await phone.waitPush('Sono.Call.DTMF')).toMatchObject({ digit: '5' });
    linphone.press('#');
    expect(await phone.waitPush('Sono.Call.DTMF')).toMatchObject({ digit: '#' });
    phone.call('sendDTMF', '7*');
    await linphone.says('Receiving tone 7');
    await linphone.says('Receiving tone *');
    phone.hangup();
    await linphone.ended();
  }, 30_000);

  test.concurrent('passes the call on: the client is heard by the other', async ({ scope }) => {
    const peer = await RtpPeer.open(scope);
    const other = await Sipp.start(scope, { scenario: callee.answers(), rtpPort: peer.port });
    const { linphone, phone } = await inCall(scope);
    linphone.transfer(other.uri());
    expect(await phone.waitPush('Sono.Call.Transferred')).toMatchObject({ uri: other.uri() });
    await linphone.ended();
    await phone.send(frames);
    await peer.waitPackets(5);
    phone.hangup();
    await phone.waitStatus(0);
    await other.done();
    expect(phone.statuses).toEqual([4, 2, 3, 0]);
  }, 30_000);

  test.concurrent('is passed on by the client', async ({ scope }) => {
    const other = await Sipp.start(scope, { scenario: callee.answers() });
    const { linphone, phone } = await inCall(scope);
    phone.call('transfer', other.uri());
    expect(await phone.waitPush('Sono.Call.Transferred')).toMatchObject({ uri: other.uri() });
    await phone.waitStatus(0);
    linphone.hangUp();
    await other.done();
  }, 30_000);
});
