import { describe, expect } from 'vitest';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { test } from '../../support/scope.js';
import { caller } from '../../support/sipp-scenarios.js';
import { encodeSpeex, speak } from '../../support/speech.js';
import { twoCalls } from '../../support/two-calls.js';
import { callFrom } from '../phone/support/callers.js';

const gateway = useGateway();
const hasty = useGateway({ env: { SONO_RING_SECONDS: '1' } });
const frames = (await encodeSpeex(await speak())).slice(0, 50);

describe('a phone with call waiting', () => {
  test.concurrent.for(twoCalls)('$name', async ({ run }, { scope }) => {
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    await run({ scope, phone, frames });
  });

  test.concurrent('lets a second caller ring for as long as the first, and no longer', async ({ scope }) => {
    const phone = await LibrtmpPhone.connect(scope, hasty().rtmpUrl());
    const uri = await phone.register();
    const first = await callFrom(scope, uri, caller.isHungUpOn());
    await phone.acceptAndConnect();
    await phone.request('callWaiting', true);
    const second = await callFrom(scope, uri, caller.isRefused(480, { payloadType: 117, codec: 'speex/16000' }));
    expect(await phone.waitPush('Sono.Call.WaitingEnded')).toMatchObject({
      from: second.uri(),
      reason: 'not answered in time',
    });
    await second.done();
    phone.hangup();
    await phone.waitStatus(0);
    await first.done();
  });

  test.concurrent('asks for nonsense: an error', async ({ scope }) => {
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    for (const argument of ['yes', 1, null]) {
      expect(await phone.request('callWaiting', argument)).toMatchObject({
        name: '_error',
        info: { code: 'Sono.Call.Failed', description: expect.stringMatching(/true/) },
      });
    }
    expect(await phone.request('swap')).toMatchObject({ name: '_error', info: { code: 'Sono.Call.Failed' } });
  });
});
