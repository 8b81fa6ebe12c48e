import { expect } from 'vitest';
import { test } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';
import { callee, caller } from '../../support/sipp-scenarios.js';

/** The scenarios against one another: a scenario that contradicts itself must not be blamed on the gateway. */
test.concurrent.for(['udp', 'tcp'] as const)(
  'a caller and a callee have a call over %s',
  async (transport, { scope }) => {
    const answering = await Sipp.start(scope, { scenario: callee.answers(), transport });
    const calling = await Sipp.start(scope, {
      scenario: caller.talks({ payloadType: 97, codec: 'speex/16000', ms: 100 }),
      transport,
      call: { user: 'sipp', host: '127.0.0.1', port: answering.port },
    });
    await Promise.all([answering.done(), calling.done()]);
    expect(await answering.flow()).toEqual(['> INVITE', '< 180', '< 200', '> ACK', '> BYE', '< 200']);
  },
);

test.concurrent('a callee refuses', async ({ scope }) => {
  const refusing = await Sipp.start(scope, { scenario: callee.refuses('486 Busy Here') });
  const calling = await Sipp.start(scope, {
    scenario: caller.isRefused(486),
    call: { user: 'sipp', host: '127.0.0.1', port: refusing.port },
  });
  await Promise.all([refusing.done(), calling.done()]);
  expect(await refusing.flow()).toEqual(['> INVITE', '< 486', '> ACK']);
});

test.concurrent('a scenario that does not come to its end is told with its messages', async ({ scope }) => {
  const answering = await Sipp.start(scope, { scenario: callee.answers() });
  const calling = await Sipp.start(scope, {
    scenario: caller.isRefused(486),
    call: { user: 'sipp', host: '127.0.0.1', port: answering.port },
  });
  await expect(calling.done()).rejects.toThrow(/code 1.*SIP\/2\.0 200 OK/s);
});
