import { describe } from 'vitest';
import { badSip, forgedCancel } from '../../support/bad-sip.js';
import { useGateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import { test } from '../../support/scope.js';

const gateway = useGateway();

describe('what bad SIP peers send', () => {
  test.concurrent.for([forgedCancel, ...badSip])('$name', async ({ run }, { scope }) => {
    const phone = await LibrtmpPhone.connect(scope, gateway().rtmpUrl());
    await run({ scope, phone, sipPort: gateway().sipPort });
  });
});
