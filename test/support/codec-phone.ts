import { setTimeout as sleep } from 'node:timers/promises';
import { LoadPhone } from '../load/phone.js';
import type { Gateway } from './gateway.js';
import { decodeOpus } from './ogg.js';
import { loopback } from './ports.js';
import type { Scope } from './scope.js';
import { decodeMessages, type FlvAudio } from './speech.js';

/** Added to the command object of connect: what the client plays, as bits of audioCodecs or names. */
export type Says = Parameters<typeof LoadPhone.connect>[2];

/** What a phone heard, as samples: Opus as Enhanced RTMP has it, or any other codec. */
export async function decodeHeard(messages: readonly FlvAudio[]): Promise<Int16Array> {
  const opus = messages.filter(({ body }) => body[0] === 0x91).map(({ body }) => body.subarray(5));
  if (opus.length === 0) return await decodeMessages(messages);
  if (!messages[0]?.body.toString('latin1').includes('OpusOpusHead')) throw new Error('no sequence header comes first');
  return await decodeOpus(opus);
}

/** As Enhanced RTMP has them: a sequence header, then a packet in each. */
export function opusMessages(packets: readonly Buffer[], duration: number): FlvAudio[] {
  const start = Buffer.concat([Buffer.from('\x90OpusOpusHead', 'latin1'), opusHead]);
  const coded = Buffer.from('\x91Opus', 'latin1');
  return [
    { timestamp: 0, body: start },
    ...packets.map((packet, index) => ({ timestamp: index * duration, body: Buffer.concat([coded, packet]) })),
  ];
}

/** Version 1, mono, no pre-skip, 48 kHz, no gain, mapping family 0 (RFC 7845 section 5.1). */
const opusHead = Buffer.from('0101000080bb0000000000', 'hex');

/** A client of the SEMS API that says in connect what it plays. */
export class CodecPhone {
  readonly heard: FlvAudio[] = [];
  readonly #phone: LoadPhone;

  private constructor(phone: LoadPhone) {
    this.#phone = phone;
    phone.onAudio = (payload, timestamp) => this.heard.push({ timestamp, body: Buffer.from(payload) });
  }

  static async call(scope: Scope, to: Gateway, uri: string, says: Says) {
    const phone = await LoadPhone.connect(loopback, to.rtmpPort, says);
    scope.defer(() => phone.close());
    const connected = new Promise<void>((resolve, reject) => {
      phone.onStatus = (status) => {
        if (status === 2) resolve();
        if (status === 0) reject(new Error('the call was not connected'));
      };
    });
    phone.dial(uri);
    await connected;
    const found = new CodecPhone(phone);
    await phone.openStreams();
    return found;
  }

  /** At the pace of the timestamps, and then two seconds of nothing, until both sides have heard all. */
  async send(messages: readonly FlvAudio[]): Promise<void> {
    const start = performance.now();
    for (const { timestamp, body } of messages) {
      const wait = start + timestamp - performance.now();
      if (wait > 1) await sleep(wait);
      this.#phone.sendAudio(timestamp, body);
    }
    await sleep(2000);
  }

  hangup(): void {
    this.#phone.hangup();
  }
}
