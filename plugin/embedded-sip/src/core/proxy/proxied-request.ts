import type { ScheduledCall } from '../../clock.js';
import type { Headers } from '../../message/headers.js';
import type { SipResponse } from '../../message/message.js';
import { parseNameAddr } from '../../message/name-addr.js';
import { targetOf } from '../../transport/transport.js';
import type { Flow } from '../../transport/types.js';
import type { CoreContext } from '../context.js';
import { plainResponse } from '../response-text.js';
import type { ServerEntry } from '../server-entry.js';
import type { Branch, BranchEvents } from './branch.js';
import { forwardedResponse } from './forwarded.js';

/** Most targets of one request, redirections included. */
const MAX_TARGETS = 16;

export interface ProxyOptions {
  /** Where the request goes, the first first. */
  readonly targets: readonly string[];
  readonly simultaneous: boolean;
  readonly remainInDialog: boolean;
  /** Whether a 3xx is followed instead of passed on. */
  readonly followRedirects: boolean;
  /** How long a target may take for its first response, and for its final one, in milliseconds. */
  readonly provisionalMs?: number;
  readonly finalMs?: number;
  readonly headers: Headers;
}

export interface ProxyObserver {
  /** A final response of a target. */
  onFinal(response: SipResponse, flow: Flow): void;
  /** The request has been answered, or cancelled. */
  onDone(): void;
}

export interface ProxiedParts extends ProxyObserver {
  readonly context: CoreContext;
  readonly entry: ServerEntry;
  readonly options: ProxyOptions;
  /** Makes and starts the branch to a target; calls back with undefined when it cannot be reached. */
  open(target: string, events: BranchEvents, opened: (branch: Branch | undefined) => void): void;
  onBranchTerminated(branch: Branch): void;
}

/** A request on its way through us: the response context of RFC 3261 section 16.7. */
export class ProxiedRequest {
  readonly #parts: ProxiedParts;
  readonly #targets: string[];
  readonly #branches = new Set<Branch>();
  /** Those whose final response the answer depends on. */
  readonly #awaited = new Set<Branch>();
  readonly #timers = new Map<Branch, ScheduledCall[]>();
  #next = 0;
  #opening = 0;
  #best: SipResponse | undefined;
  /** The sender has its final response. */
  #answered = false;
  #done = false;

  constructor(parts: ProxiedParts) {
    this.#parts = parts;
    this.#targets = [...new Set(parts.options.targets)].slice(0, MAX_TARGETS);
  }

  start(): void {
    this.#goOn();
  }

  /** The sender has cancelled, and has been answered. */
  cancelled(): void {
    this.#answered = true;
    for (const branch of this.#branches) branch.cancel();
    this.#goOn();
  }

  /** Tries what is to be tried next; with nothing left, and nobody still to answer, the best response is the answer. */
  #goOn(): void {
    const { simultaneous } = this.#parts.options;
    while (!this.#answered && this.#next < this.#targets.length && (simultaneous || this.#pending === 0)) this.#open();
    if (this.#pending > 0) return;
    if (!this.#answered) this.#answer();
    this.#finish();
  }

  get #pending(): number {
    return this.#opening + this.#awaited.size;
  }

  #open(): void {
    const target = this.#targets[this.#next] ?? '';
    this.#next++;
    this.#opening++;
    const events: BranchEvents = {
      onResponse: (branch, response, flow) => this.#receive(branch, response, flow),
      onFailed: (branch) => this.#settle(branch),
      onTerminated: (branch) => {
        this.#stopTimers(branch);
        this.#branches.delete(branch);
        this.#parts.onBranchTerminated(branch);
      },
    };
    let inTime = true;
    this.#parts.open(target, events, (branch) => {
      this.#opening--;
      if (branch) this.#add(branch);
      // A name had to be resolved, or there is nobody: the loop that opens has gone on or has to.
      if (!inTime || !branch) queueMicrotask(() => this.#goOn());
    });
    inTime = false;
  }

  #add(branch: Branch): void {
    this.#branches.add(branch);
    this.#awaited.add(branch);
    branch.start();
    if (this.#answered) branch.cancel();
    const { provisionalMs, finalMs } = this.#parts.options;
    const { clock } = this.#parts.context;
    const timers: ScheduledCall[] = [];
    if (provisionalMs !== undefined)
      timers.push(clock.schedule(provisionalMs, () => !branch.ringing && this.#giveUp(branch)));
    if (finalMs !== undefined) timers.push(clock.schedule(finalMs, () => this.#giveUp(branch)));
    this.#timers.set(branch, timers);
  }

  /** A target has taken too long: the next one's turn. */
  #giveUp(branch: Branch): void {
    if (branch.settled) return;
    branch.cancel();
    this.#settle(branch);
  }

  #receive(branch: Branch, response: SipResponse, flow: Flow): void {
    const { status } = response;
    if (status < 200) {
      if (!this.#answered) this.#pass(response);
      return;
    }
    if (!this.#done) this.#parts.onFinal(response, flow);
    if (status < 300) this.#accepted(response);
    else if (this.#parts.options.followRedirects && status < 400 && this.#redirect(response)) this.#settle(branch);
    else {
      if (!this.#best || betterThan(response, this.#best)) this.#best = response;
      this.#settle(branch);
    }
  }

  #accepted(response: SipResponse): void {
    const { context, entry } = this.#parts;
    const repeated = this.#answered;
    this.#answered = true;
    if (!repeated) this.#pass(response);
    else if (entry.request.method === 'INVITE')
      // Each 2xx, of another target or again, is for the caller (section 16.7 step 5).
      context.transport.send(forwardedResponse(response), targetOf(entry.flow));
    for (const branch of this.#branches) branch.cancel();
    this.#finish();
  }

  #redirect(response: SipResponse): boolean {
    const found = response.headers
      .list('contact')
      .map((contact) => parseNameAddr(contact)?.uri)
      .filter((uri) => uri !== undefined && !this.#targets.includes(uri));
    for (const uri of found) if (uri !== undefined && this.#targets.length < MAX_TARGETS) this.#targets.push(uri);
    return found.length > 0;
  }

  #settle(branch: Branch): void {
    this.#awaited.delete(branch);
    this.#stopTimers(branch);
    this.#goOn();
  }

  #answer(): void {
    const { entry } = this.#parts;
    this.#answered = true;
    if (this.#best) {
      this.#pass(this.#best);
      return;
    }
    // Nobody has answered at all.
    const text = plainResponse(entry.request.headers, 408, 'Request Timeout', entry.toTag);
    entry.machine.transaction.respond(408, text);
  }

  #pass(response: SipResponse): void {
    const { machine } = this.#parts.entry;
    machine.transaction.respond(response.status, forwardedResponse(response));
    // It is the callee who repeats a 2xx until the ACK.
    if (machine.kind === 'invite' && response.status >= 200 && response.status < 300)
      machine.transaction.acknowledged();
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#parts.onDone();
  }

  #stopTimers(branch: Branch): void {
    for (const timer of this.#timers.get(branch) ?? []) timer.cancel();
    this.#timers.delete(branch);
  }
}

/** 6xx before all others, then the lowest class; of one class the later one (section 16.7 step 6). */
function betterThan(response: SipResponse, other: SipResponse): boolean {
  const rank = ({ status }: SipResponse) => (status >= 600 ? 0 : Math.floor(status / 100));
  return rank(response) <= rank(other);
}
