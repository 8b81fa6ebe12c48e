import type { Gateway } from '../../support/gateway.js';
import { LibrtmpPhone } from '../../support/librtmp-phone.js';
import type { Scope } from '../../support/scope.js';
import { Sipp } from '../../support/sipp.js';

export interface CalledPhone {
  readonly sipp: Sipp;
  readonly phone: LibrtmpPhone;
  /** Ends the call; the far end has to have gone through its whole scenario then. */
  hangUp(): Promise<void>;
}

/** An RTMP phone that has called SIPp, and been answered. */
export async function inCall(scope: Scope, gateway: Gateway, scenario: string, rtpPort?: number): Promise<CalledPhone> {
  const sipp = await Sipp.start(scope, { scenario, ...(rtpPort !== undefined && { rtpPort }) });
  const phone = await LibrtmpPhone.connect(scope, gateway.rtmpUrl());
  await phone.dialAndConnect(sipp.uri());
  const hangUp = async () => {
    phone.hangup();
    await phone.waitStatus(0);
    await sipp.done();
  };
  return { sipp, phone, hangUp };
}
