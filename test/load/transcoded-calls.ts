import { setTimeout as sleep } from 'node:timers/promises';
import { encodeSpeex, speak } from '../support/speech.js';
import { speexCodec } from '../support/speex.js';
import type { MeasuredGateway } from './gateway.js';
import { PcmuEcho } from './pcmu-echo.js';
import { LoadPhone } from './phone.js';

export interface TranscodedCalls {
  /** Processor time of the gateway, in % of one core for a call. */
  readonly perCall: number;
  /** Part of it that the Speex codec takes, in %. */
  readonly inCodec: number;
  readonly sent: number;
  readonly received: number;
}

/** Phones of wideband Speex, who hear what a telephone of PCMU sends back of their own speech. */
export async function transcodedCalls(
  gateway: MeasuredGateway,
  calls: number,
  seconds: number,
): Promise<TranscodedCalls> {
  const messages = await encodeSpeex(await speak());
  const echo = await PcmuEcho.start();
  let received = 0;
  const phones = await Promise.all(
    Array.from({ length: calls }, async () => {
      const phone = await LoadPhone.connect('127.0.0.1', gateway.rtmpPort);
      const connected = new Promise<void>((resolve) => {
        phone.onStatus = (status) => status === 2 && resolve();
      });
      phone.onAudio = () => received++;
      phone.dial(echo.uri);
      await connected;
      await phone.openStreams();
      return phone;
    }),
  );
  await sleep(1_000);
  const before = gateway.cpuSeconds();
  const start = performance.now();
  const frames = seconds * 50;
  const talk = async (phone: LoadPhone, index: number): Promise<void> => {
    for (let frame = 0; frame < frames; frame++) {
      const wait = start + (index * 20) / calls + frame * 20 - performance.now();
      if (wait > 0) await sleep(wait);
      phone.sendAudio(frame * 20, messages[frame % messages.length] ?? new Uint8Array());
    }
  };
  await Promise.all(phones.map(talk));
  await sleep(200);
  const used = gateway.cpuSeconds() - before;
  for (const phone of phones) phone.close();
  echo.close();
  const sent = calls * frames;
  return {
    perCall: (used * 100) / ((performance.now() - start) / 1000) / calls,
    inCodec: ((received * (await codecTime(messages))) / 1e6 / used) * 100,
    sent,
    received,
  };
}

/** Microseconds of processor time that one frame takes to decode and one of telephone speech to encode, as calls do it. */
async function codecTime(messages: readonly Uint8Array[]): Promise<number> {
  const codec = await speexCodec();
  const decoder = codec.createDecoder({ sampleRate: 8000, highPass: false });
  const encoder = codec.createEncoder({ sampleRate: 8000, complexity: 2, highPass: false });
  let spent = 0;
  const rounds = 10;
  for (let round = 0; round <= rounds; round++) {
    const before = process.cpuUsage();
    for (const message of messages) {
      const decoded = decoder.decode(message.subarray(1));
      if (decoded.ok) encoder.encode(decoded.samples);
    }
    const { user, system } = process.cpuUsage(before);
    // The first round only compiles.
    if (round > 0) spent += user + system;
  }
  encoder.free();
  decoder.free();
  return spent / rounds / messages.length;
}
