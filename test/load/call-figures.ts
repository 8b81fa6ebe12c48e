import { SipPeer } from '../support/sip-peer/sip-peer.js';
import { type Figures, ms, progress, quantile } from './figures.js';
import { type MeasuredGateway, startGateway } from './gateway.js';
import { LoadPhone } from './phone.js';

const callers = 40;
const attemptsOfEach = 100;
const answers = 200;

/** What calls cost that are set up and taken down, and nothing more. */
export async function callFigures(figures: Figures): Promise<void> {
  const gateway = await startGateway();
  await fromAnswerToStreams(gateway, figures);
  await attempts(gateway, figures);
  await gateway.process.stop();
}

/** From the 200 leaving the far end to status 4 at the phone. */
async function fromAnswerToStreams({ rtmpPort, sipPort }: MeasuredGateway, figures: Figures): Promise<void> {
  progress(`200 to status 4, ${answers} calls one after the other`);
  const peer = await SipPeer.start({ gateway: sipPort });
  const phone = await LoadPhone.connect('127.0.0.1', rtmpPort);
  const told = (wanted: number) =>
    new Promise<void>((resolve) => {
      phone.onStatus = (status) => status === wanted && resolve();
    });
  const times: number[] = [];
  for (let i = 0; i < answers; i++) {
    const name = `answers${i}`;
    const called = peer.expect(name);
    phone.dial(peer.uri(name));
    const call = await called;
    const streams = told(4);
    const sent = performance.now();
    call.answer();
    await streams;
    times.push(performance.now() - sent);
    const ended = told(0);
    phone.hangup();
    await ended;
    peer.forget(name);
  }
  phone.close();
  peer.close();
  figures.add('200 to status 4, median', ms(quantile(times, 0.5)));
  figures.add('200 to status 4, p99', ms(quantile(times, 0.99)));
}

/** Dials that are refused at once: from dial to status 0, embedded-sip included. */
async function attempts({ process, rtmpPort, sipPort }: MeasuredGateway, figures: Figures): Promise<void> {
  progress(`${callers * attemptsOfEach} call attempts of ${callers} phones`);
  const peer = await SipPeer.start({ gateway: sipPort });
  const phones = await Promise.all(Array.from({ length: callers }, () => LoadPhone.connect('127.0.0.1', rtmpPort)));
  const attempt = async (phone: LoadPhone, name: string) => {
    const ended = new Promise<void>((resolve) => {
      phone.onStatus = (status) => status === 0 && resolve();
    });
    const called = peer.expect(name);
    phone.dial(peer.uri(name));
    (await called).refuse(486);
    await ended;
    peer.forget(name);
  };
  const round = (times: number, prefix: string) =>
    Promise.all(
      phones.map(async (phone, index) => {
        for (let i = 0; i < times; i++) await attempt(phone, `${prefix}${index}x${i}`);
      }),
    );
  await round(attemptsOfEach / 4, 'warm');
  const before = process.cpuSeconds();
  await round(attemptsOfEach, 'call');
  const used = process.cpuSeconds() - before;
  for (const phone of phones) phone.close();
  peer.close();
  figures.add('call attempts per second of one core', ((callers * attemptsOfEach) / used).toFixed(0));
}
