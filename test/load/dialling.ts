import { LoadPhone } from './phone.js';
import { SipSink } from './sip-sink.js';

/** Resolves when the phone is told that status. */
function reached(phone: LoadPhone, wanted: number): Promise<void> {
  return new Promise((resolve) => {
    phone.onStatus = (status) => status === wanted && resolve();
  });
}

/** Milliseconds from the dial command leaving the phone to the INVITE arriving at a SIP socket; calls one after the other. */
export async function dialToInvite(rtmpPort: number, calls: number): Promise<number[]> {
  const sink = await SipSink.start();
  const phone = await LoadPhone.connect('127.0.0.1', rtmpPort);
  const times: number[] = [];
  for (let i = 0; i < calls; i++) {
    const ended = reached(phone, 0);
    const started = performance.now();
    phone.dial(`sip:bench@127.0.0.1:${sink.port}`);
    times.push((await sink.nextInvite()) - started);
    await ended;
  }
  phone.close();
  sink.close();
  return times;
}

/** Milliseconds from the dial command to status 2, of a callee that answers at once; calls one after the other. */
export async function dialToAnswered(rtmpPort: number, uri: string, calls: number): Promise<number[]> {
  const phone = await LoadPhone.connect('127.0.0.1', rtmpPort);
  const times: number[] = [];
  for (let i = 0; i < calls; i++) {
    const started = performance.now();
    const connected = reached(phone, 2);
    phone.dial(uri);
    await connected;
    times.push(performance.now() - started);
    const ended = reached(phone, 0);
    phone.hangup();
    await ended;
  }
  phone.close();
  return times;
}
