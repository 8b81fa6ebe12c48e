import { randomUUID } from 'node:crypto';
import { Call, type CallPorts } from '../call/call.js';
import type { ClientFrame, ClientPort } from '../call/ports.js';
import type { CallRegistry } from '../call/registry.js';
import type { Termination } from '../call/termination.js';
import type { DialOutcome, PhoneLine } from './dialects/dialect.js';

export interface LineOptions {
  /** Everything a call needs but its client. */
  readonly ports: Omit<CallPorts, 'client'>;
  readonly calls: CallRegistry;
  /** Host part of the address that the line makes up for itself. */
  readonly domain: string;
}

/** One connection is one line: an address, and at most one call. */
export class Line implements PhoneLine {
  readonly #options: LineOptions;
  readonly #client: ClientPort;
  #call: Call | undefined;
  /** Made up, unguessable: nobody who was not told can call or pose as this client. */
  readonly address: string;

  constructor(client: ClientPort, options: LineOptions) {
    this.#options = options;
    this.#client = client;
    this.address = `sip:${randomUUID()}@${options.domain}`;
  }

  dial(destination: string): DialOutcome {
    if (this.#call && this.#call.state !== 'ended') {
      return { code: 'existing', description: 'a call is up or being set up; hang up first' };
    }
    const { ports, calls } = this.#options;
    if (calls.closed) return { code: 'failed', description: 'the gateway is shutting down' };
    const target = ports.signalling.resolve(destination);
    if ('refusal' in target) return { code: 'failed', description: target.refusal };
    const call = new Call(
      { id: randomUUID(), uri: target.uri, from: this.address },
      { ...ports, client: this.#client },
    );
    this.#call = call;
    calls.add(call);
    call.start();
    return undefined;
  }

  hangup(): void {
    this.#call?.hangup();
  }

  write(frame: ClientFrame): void {
    this.#call?.write(frame);
  }

  close(termination: Termination): void {
    this.#call?.abandon(termination);
  }
}
