import { describe } from 'vitest';
import { useGateway } from '../support/gateway.js';
import { test } from '../support/scope.js';
import { twoCalls } from '../support/two-calls.js';
import { connectPhone, expectOneEndPerCall, frames, servers, settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';

useDrachtioServer(settings);

describe.for(servers)('a phone with call waiting on $name', ({ env }) => {
  const gateway = useGateway({ env });

  test.concurrent.for(twoCalls)('$name', async ({ run }, { scope }) => {
    await run({ scope, phone: await connectPhone(scope, gateway()), frames });
  });

  test('every call has ended, and once', async () => {
    await expectOneEndPerCall(gateway());
  });
});
