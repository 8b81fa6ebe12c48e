import { setTimeout as sleep } from 'node:timers/promises';
import { encodeSpeex, speak } from '../support/speech.js';
import { speexCodec } from '../support/speex.js';
import { connectedPhone } from './echo-call.js';
import type { MeasuredGateway } from './gateway.js';
import type { LoadPhone } from './phone.js';
import { spread } from './talk.js';

export interface TranscodedCalls {
  /** Share of one core per call. */
  readonly cpu: number;
  /** Part of it that the Speex codec takes. */
  readonly inCodec: number;
  readonly sent: number;
  readonly received: number;
}

export interface TranscodedLoad {
  readonly calls: number;
  /** Of each call, at 50 a second. */
  readonly frames: number;
  readonly warmUpFrames: number;
}

/** Phones of wideband Speex, who hear what the telephone of PCMU at `uri` sends back of their own speech. */
export async function transcodedCalls(
  { process: gateway, rtmpPort }: MeasuredGateway,
  uri: string,
  { calls, frames, warmUpFrames }: TranscodedLoad,
): Promise<TranscodedCalls> {
  const messages = await encodeSpeex(await speak());
  let received = 0;
  const phones: LoadPhone[] = [];
  for (let i = 0; i < calls; i++) {
    const phone = await connectedPhone(rtmpPort, uri);
    phone.onAudio = () => received++;
    phones.push(phone);
  }
  const talk = (count: number) =>
    spread(calls, count, (call, frame) => {
      phones[call]?.sendAudio(frame * 20, messages[frame % messages.length] ?? new Uint8Array());
    });
  await talk(warmUpFrames);
  await sleep(500);
  received = 0;
  const before = gateway.cpuSeconds();
  const began = performance.now();
  await talk(frames);
  const elapsed = (performance.now() - began) / 1000;
  const used = gateway.cpuSeconds() - before;
  await sleep(500);
  for (const phone of phones) phone.close();
  const inCodec = (received * (await codecTime(messages))) / 1e6 / used;
  return { cpu: used / elapsed / calls, inCodec, sent: calls * frames, received };
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
