/** What is kept of a stream for sending again: as much as the far end can still use, and no more than 1 MiB. */
const limits = { packets: 1024, octets: 1024 * 1024, ms: 1_000 };

/** A packet goes again at most so often, and not within this time of the last: the one before may be on its way. */
const maxRepeats = 4;
const minInterval = 10;

interface Sent {
  readonly sequence: number;
  readonly packet: Buffer;
  readonly at: number;
  repeats: number;
  repeatedAt: number;
}

/**
 * The packets sent last, for a far end that asks for some again (generic NACK, RFC 4585 section 6.2.1). What goes again in
 * a second is bounded by what is kept, whatever is asked for.
 */
export class SendHistory {
  readonly #sent: (Sent | undefined)[] = new Array(limits.packets).fill(undefined);
  /** Numbers of the oldest kept and of the next, counted on where 16 bits wrap. */
  #first = 0;
  #next = 0;
  #octets = 0;
  #budget = limits.octets;
  #budgetAt = 0;

  add(sequence: number, packet: Buffer, now: number): void {
    const slot = this.#next % limits.packets;
    if (this.#next - this.#first === limits.packets) this.#forgetFirst();
    this.#sent[slot] = { sequence, packet, at: now, repeats: 0, repeatedAt: now };
    this.#next++;
    this.#octets += packet.length;
    while (this.#octets > limits.octets && this.#first < this.#next) this.#forgetFirst();
  }

  /** The packet, if it is kept, not too old, and may go once more now. */
  take(sequence: number, now: number): Buffer | undefined {
    const last = this.#sent[(this.#next - 1 + limits.packets) % limits.packets];
    if (last === undefined) return undefined;
    const number = this.#next - 1 - ((last.sequence - sequence) & 0xffff);
    const sent = number < this.#first ? undefined : this.#sent[number % limits.packets];
    if (sent === undefined || now - sent.at > limits.ms || !this.#mayRepeat(sent, now)) return undefined;
    sent.repeats++;
    sent.repeatedAt = now;
    this.#budget -= sent.packet.length;
    return sent.packet;
  }

  #mayRepeat(sent: Sent, now: number): boolean {
    if (sent.repeats === maxRepeats || (sent.repeats > 0 && now - sent.repeatedAt < minInterval)) return false;
    const refill = ((now - this.#budgetAt) * limits.octets) / 1_000;
    this.#budget = Math.min(limits.octets, this.#budget + refill);
    this.#budgetAt = now;
    return this.#budget >= sent.packet.length;
  }

  #forgetFirst(): void {
    const slot = this.#first % limits.packets;
    this.#octets -= this.#sent[slot]?.packet.length ?? 0;
    this.#sent[slot] = undefined;
    this.#first++;
  }
}
