import { LoadPhone } from './phone.js';
import { SipSink } from './sip-sink.js';
import { Telephone } from './telephone.js';

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
    await callOnce(phone, uri, 2);
    times.push(performance.now() - started);
    await hangUp(phone);
  }
  phone.close();
  return times;
}

/** Milliseconds from the callee's 200 leaving its socket to status 4, at which a phone opens its streams. */
export async function answerToStreams(rtmpPort: number, calls: number): Promise<number[]> {
  const telephone = await Telephone.start({ codec: 'speex/16000' });
  const phone = await LoadPhone.connect('127.0.0.1', rtmpPort);
  const times: number[] = [];
  for (let i = 0; i < calls; i++) {
    await callOnce(phone, telephone.uri, 4);
    times.push(performance.now() - telephone.answeredAt);
    await hangUp(phone);
  }
  phone.close();
  telephone.close();
  return times;
}

/** Phones that dial, are answered, hang up and dial again as fast as they can. Resolves with the number of calls. */
export async function keepCalling(rtmpPort: number, uri: string, phones: number, ms: number): Promise<number> {
  const end = performance.now() + ms;
  let calls = 0;
  const one = async (): Promise<void> => {
    const phone = await LoadPhone.connect('127.0.0.1', rtmpPort);
    while (performance.now() < end) {
      await callOnce(phone, uri, 2);
      await hangUp(phone);
      calls++;
    }
    phone.close();
  };
  await Promise.all(Array.from({ length: phones }, one));
  return calls;
}

async function callOnce(phone: LoadPhone, uri: string, status: number): Promise<void> {
  const done = reached(phone, status);
  phone.dial(uri);
  await done;
}

async function hangUp(phone: LoadPhone): Promise<void> {
  const ended = reached(phone, 0);
  phone.hangup();
  await ended;
}
