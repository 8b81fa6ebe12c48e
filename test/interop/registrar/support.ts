import { expect } from 'vitest';
import type { Gateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import type { Scope } from '../../support/scope.js';
import { RegisteringPeer } from '../../support/sip-register.js';
import { Sipp } from '../../support/sipp.js';

/** An RTMP phone that is registered at the gateway itself under this name. */
export async function client(scope: Scope, gateway: Gateway, user: string): Promise<LibrtmpPhone> {
  const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
  expect(await phone.register(user)).toBe(gateway.sipUri(user));
  return phone;
}

/** A SIP phone that is registered at the gateway under this name, and does what the scenario says when it is called. */
export async function sipPhone(scope: Scope, gateway: Gateway, user: string, scenario: string): Promise<Sipp> {
  const sipp = await Sipp.start(scope, { scenario });
  const registrar = await RegisteringPeer.open(scope, gateway.sipPort);
  const answer = await registrar.register(user, { Contact: `<${sipp.uri(user)}>` });
  expect(answer.status).toBe(200);
  return sipp;
}
