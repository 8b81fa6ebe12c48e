import { describe } from 'vitest';
import { badSip } from '../support/bad-sip.js';
import { useGateway } from '../support/gateway.js';
import { test } from '../support/scope.js';
import { connectPhone, expectOneEndPerCall, servers, settings, sipAddress } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';

useDrachtioServer(settings);

describe.for(servers)('what bad SIP peers send to $name', ({ env }) => {
  const gateway = useGateway({ env });

  test.concurrent.for(badSip)('$name', async ({ run }, { scope }) => {
    const sipPort = Number((await sipAddress(gateway())).split(':')[1]);
    await run({ scope, phone: await connectPhone(scope, gateway()), sipPort });
  });

  test('every call has ended, and once', async () => {
    await expectOneEndPerCall(gateway());
  });
});
