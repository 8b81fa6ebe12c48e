import { expect } from 'vitest';
import { Baresip } from '../support/baresip.js';
import { makeCertificate } from '../support/certificate.js';
import { useGateway } from '../support/gateway.js';
import { test } from '../support/scope.js';
import { speak } from '../support/speech.js';
import { connectPhone, settings } from './calls.js';
import { useDrachtioServer } from './drachtio-server.js';
import { gatewayEnvironment } from './settings.js';

useDrachtioServer(settings);

const gateway = useGateway({ env: gatewayEnvironment(settings) });
const speech = await speak('One, two, three.');

/** Whether the server has an address for TLS. */
async function hasTls(): Promise<boolean> {
  const line = await gateway().log.find('the login', ({ msg }) => msg === 'connected to the SIP server');
  const { addresses } = line as typeof line & { readonly addresses: readonly string[] };
  return addresses.some((address) => address.startsWith('tls/'));
}

test.for([
  ['sips:', (uri: string) => uri],
  ['sip: with transport=tls', (uri: string) => `${uri.replace('sips:', 'sip:')};transport=tls`],
] as const)(
  '%s is called over TLS where the server has an address for it, and refused with words where not',
  async ([, form], { scope }) => {
    const baresip = await Baresip.start(scope, { codec: 'PCMU', speech, tls: await makeCertificate(scope) });
    const phone = await connectPhone(scope, gateway());
    if (!(await hasTls())) {
      expect(await phone.request('dial', form(baresip.secureUri))).toMatchObject({
        name: '_error',
        info: { code: 'Sono.Call.Failed', description: expect.stringMatching(/TLS/) },
      });
      return;
    }
    await phone.dialAndConnect(form(baresip.secureUri));
    await phone.waitAudio(50);
    phone.hangup();
    await phone.waitStatus(0);
    expect(phone.statuses.slice(-4)).toEqual([4, 2, 3, 0]);
  },
);
