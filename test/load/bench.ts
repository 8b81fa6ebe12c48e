import { setTimeout as sleep } from 'node:timers/promises';
import { MeasuredGateway } from './gateway.js';
import { LoadPhone } from './phone.js';
import { SipSink } from './sip-sink.js';
import { transcodedCalls } from './transcoded-calls.js';

/**
 * `npm run bench`: the gateway's figures, one table. SECONDS (default 60) is how long the calls last, CALLS (default 100)
 * how many there are at once.
 */
const seconds = Number(process.env.SECONDS ?? 60);
const callCount = Number(process.env.CALLS ?? 100);

interface Figure {
  readonly figure: string;
  readonly value: string;
  readonly goal: string;
}

const figures: Figure[] = [];
const report = (figure: string, value: string, goal = '') => figures.push({ figure, value, goal });
const progress = (text: string) => process.stderr.write(`${text}\n`);

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

const ms = (value: number) => `${value.toFixed(2)} ms`;

/** From the dial command leaving the phone to the INVITE arriving at a SIP socket. */
async function dialToInvite(gateway: MeasuredGateway): Promise<void> {
  progress('dial to INVITE, 200 calls one after the other');
  const sink = await SipSink.start();
  const phone = await LoadPhone.connect('127.0.0.1', gateway.rtmpPort);
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    const ended = new Promise<void>((resolve) => {
      phone.onStatus = (status) => status === 0 && resolve();
    });
    const started = performance.now();
    phone.dial(`sip:bench@127.0.0.1:${sink.port}`);
    times.push((await sink.nextInvite()) - started);
    await ended;
  }
  phone.close();
  sink.close();
  report('dial to INVITE on the wire, median', ms(quantile(times, 0.5)), 'under 5 ms');
  report('dial to INVITE on the wire, p99', ms(quantile(times, 0.99)));
}

/** Resident memory that one connected phone without a call costs. */
async function idleMemory(gateway: MeasuredGateway): Promise<void> {
  const count = 500;
  progress(`memory of ${count} idle connections`);
  const before = gateway.memory();
  const phones: LoadPhone[] = [];
  for (let i = 0; i < count; i++) phones.push(await LoadPhone.connect('127.0.0.1', gateway.rtmpPort));
  await sleep(2_000);
  report('memory per idle connection', `${((gateway.memory() - before) / count).toFixed(1)} kB`);
  for (const phone of phones) phone.close();
  await sleep(1_000);
}

/** Calls to the echo number; every frame carries its number, so that loss and delay are known frame by frame. */
async function echoCalls(gateway: MeasuredGateway): Promise<void> {
  progress(`${callCount} calls to echo for ${seconds} s`);
  const memoryBefore = gateway.memory();
  const uri = `sip:echo@127.0.0.1:${gateway.sipPort}`;
  const calls = await Promise.all(Array.from({ length: callCount }, () => EchoCall.start(gateway.rtmpPort, uri)));
  await sleep(1_000);
  const cpuBefore = gateway.cpuSeconds();
  const began = performance.now();
  await Promise.all(calls.map((call, index) => call.talk(seconds * 50, (index * 20) / callCount)));
  const elapsed = (performance.now() - began) / 1000;
  const cpu = (gateway.cpuSeconds() - cpuBefore) / elapsed;
  const memory = gateway.memory() - memoryBefore;
  await sleep(500);
  const delays = calls.flatMap((call) => call.delays);
  const sent = callCount * seconds * 50;
  report(`${callCount} echo calls, ${seconds} s: frames lost`, `${sent - delays.length} of ${sent}`, 'none');
  report('frames later than 20 ms', String(delays.filter((delay) => delay > 20).length), 'none');
  report('round trip, median', ms(quantile(delays, 0.5)));
  report('round trip, p99', ms(quantile(delays, 0.99)));
  report('round trip, longest', ms(quantile(delays, 1)));
  report('processor, of one core', `${(cpu * 100).toFixed(1)} %`, 'under 50 %');
  report('processor per call', `${((cpu * 100) / callCount).toFixed(3)} %`);
  report('memory per call', `${(memory / callCount).toFixed(1)} kB`);
  for (const call of calls) call.end();
}

/** Speex on one side, PCMU on the other. */
async function transcoded(gateway: MeasuredGateway): Promise<void> {
  const calls = Math.ceil(callCount / 2);
  progress(`${calls} calls between Speex and PCMU for ${seconds} s`);
  const { perCall, inCodec, sent, received } = await transcodedCalls(gateway, calls, seconds);
  report(`${calls} transcoded calls, ${seconds} s: frames lost`, `${sent - received} of ${sent}`, 'none');
  report('processor per transcoded call', `${perCall.toFixed(3)} %`, 'under 1.2 %');
  report('transcoded calls on a core', (100 / perCall).toFixed(0), 'over 83');
  report('of that in the codec', `${inCodec.toFixed(0)} %`, '80 %');
}

/** A wideband Speex frame of quality 8 (42 octets plus the FLV octet) whose last four octets are its number. */
function numberedFrame(number: number): Uint8Array {
  const frame = Buffer.alloc(1 + silence.length);
  frame[0] = 0xb2;
  silence.copy(frame, 1);
  // The first byte keeps the sub-mode; what follows are codebook indices, any bits are valid there.
  frame.writeUInt32BE(number, 20);
  return frame;
}

// Narrowband sub-mode 5 (300 bits), then the wideband layer's sub-mode 1 (36 bits): 336 bits, 42 octets.
const silence = Buffer.alloc(42);
silence[0] = 0b00101000;
// Bit 300 starts the wideband layer: 1 (wideband), then 001 (sub-mode 1).
silence[37] = 0b00001001;

class EchoCall {
  readonly delays: number[] = [];
  readonly #phone: LoadPhone;
  readonly #sentAt: number[] = [];

  private constructor(phone: LoadPhone) {
    this.#phone = phone;
  }

  static async start(port: number, uri: string): Promise<EchoCall> {
    const phone = await LoadPhone.connect('127.0.0.1', port);
    const connected = new Promise<void>((resolve, reject) => {
      phone.onStatus = (status) => {
        if (status === 2) resolve();
        if (status === 0) reject(new Error('a call was not connected'));
      };
    });
    phone.dial(uri);
    await connected;
    await phone.openStreams();
    const call = new EchoCall(phone);
    phone.onAudio = (payload) => call.#receive(payload);
    return call;
  }

  /** Sends `frames` frames, one each 20 ms by the clock, whatever the timer does. */
  async talk(frames: number, offset: number): Promise<void> {
    const start = performance.now() + offset;
    for (let i = 0; i < frames; i++) {
      const wait = start + i * 20 - performance.now();
      if (wait > 0) await sleep(wait);
      this.#sentAt[i] = performance.now();
      this.#phone.sendAudio(i * 20, numberedFrame(i));
    }
  }

  end(): void {
    this.#phone.hangup();
    this.#phone.close();
  }

  #receive(payload: Uint8Array): void {
    const number = Buffer.from(payload.buffer, payload.byteOffset, payload.length).readUInt32BE(20);
    const sentAt = this.#sentAt[number];
    if (sentAt === undefined) return;
    this.delays.push(performance.now() - sentAt);
    this.#sentAt[number] = Number.NaN;
  }
}

const gateway = await MeasuredGateway.start();
try {
  await dialToInvite(gateway);
  await idleMemory(gateway);
  await echoCalls(gateway);
  await transcoded(gateway);
} finally {
  await gateway.stop();
}
console.table(figures);
