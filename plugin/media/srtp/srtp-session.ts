import { type SrtpFault, SrtpReceiver } from './srtp-receiver.js';
import { SrtpSender } from './srtp-sender.js';
import type { SrtpKeys } from './suites.js';

/** The protection of one `m=` section, both directions. Deterministic. */
export class SrtpSession {
  #keys: SrtpKeys;
  #sender: SrtpSender;
  #receiver: SrtpReceiver;
  /** Opens what the far end sent before it changed its key; until something comes that was made with the new one. */
  #before: SrtpReceiver | undefined;

  constructor(keys: SrtpKeys) {
    this.#keys = keys;
    this.#sender = new SrtpSender(keys.suite, keys.local);
    this.#receiver = new SrtpReceiver(keys.suite, keys.remote);
  }

  get suite(): string {
    return this.#keys.suite;
  }

  /** Goes on with the keys of a further offer and answer. A direction whose key stays goes on as it is. */
  rekey(keys: SrtpKeys): void {
    const { suite, local, remote } = this.#keys;
    const otherSuite = keys.suite !== suite;
    if (otherSuite || !isEqual(keys.local, local)) this.#sender = new SrtpSender(keys.suite, keys.local, this.#sender);
    if (otherSuite || !isEqual(keys.remote, remote)) {
      this.#before = this.#receiver;
      this.#receiver = new SrtpReceiver(keys.suite, keys.remote, this.#before);
    }
    this.#keys = keys;
  }

  protectRtp(packet: Buffer): Buffer {
    return this.#sender.rtp(packet);
  }

  protectRtcp(packet: Buffer): Buffer {
    return this.#sender.rtcp(packet);
  }

  /** The RTP packet in a datagram, deciphered in place. */
  openRtp(bytes: Buffer): Buffer | SrtpFault {
    return this.#open((receiver) => receiver.rtp(bytes));
  }

  /** The RTCP packet in a datagram, deciphered in place. */
  openRtcp(bytes: Buffer): Buffer | SrtpFault {
    return this.#open((receiver) => receiver.rtcp(bytes));
  }

  #open(attempt: (receiver: SrtpReceiver) => Buffer | SrtpFault): Buffer | SrtpFault {
    const opened = attempt(this.#receiver);
    if (this.#before === undefined) return opened;
    if (typeof opened !== 'string') this.#before = undefined;
    else if (opened === 'forged') return attempt(this.#before);
    return opened;
  }
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
