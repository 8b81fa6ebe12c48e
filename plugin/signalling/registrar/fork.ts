import type { IncomingInvite, SignallingEvent } from '../../call/ports.js';
import { type Termination, terminationOf } from '../../call/termination.js';
import { userOf } from '../addresses/name-addr.js';
import type { ReceivedInvite } from '../drachtio/received-invite.js';
import { Invited } from '../incoming.js';
import type { SipContext } from '../sip-context.js';
import { type BranchRefusal, bestRefusal } from './best-response.js';
import type { Binding } from './bindings.js';
import { Bridge } from './bridge.js';
import { LineBranch } from './line-branch.js';
import { responseHeaders } from './passed-headers.js';
import { type PhoneAnswer, PhoneBranch } from './phone-branch.js';

export interface ForkOptions {
  readonly context: SipContext;
  /** Whether a Contact leads to one of our own clients, if to anybody. */
  readonly isClient: (uri: string) => boolean;
  /** Hands a call to the client that it is for, or rejects it. */
  readonly route: (invite: IncomingInvite) => void;
  /** How the call ended; nothing when one of our clients has it. */
  readonly ended: (termination?: Termination) => void;
}

type Branch = LineBranch | PhoneBranch;

const cancelled: Termination = { result: 'cancelled', reason: 'cancelled by the caller' };

/**
 * One incoming INVITE for an address with Contacts: all of them ring, the first to answer has the call, the others are
 * cancelled (RFC 3261 section 16.7).
 */
export class Fork {
  readonly #options: ForkOptions;
  readonly #invite: ReceivedInvite;
  readonly #invited: Invited;
  readonly #branches = new Set<Branch>();
  readonly #refusals: BranchRefusal[] = [];
  #winner: Branch | undefined;
  #rang = false;
  #over = false;
  #alone = false;
  #bridge: Bridge | undefined;

  constructor(invite: ReceivedInvite, options: ForkOptions) {
    this.#invite = invite;
    this.#options = options;
    this.#invited = new Invited(options.context, invite);
    this.#invited.listen((event) => this.#happened(event));
  }

  /** Has all these places ring. */
  start(bindings: readonly Binding[]): void {
    this.#alone = bindings.length === 1;
    const calls: (() => void)[] = [];
    for (const binding of bindings) {
      if (this.#options.isClient(binding.uri)) calls.push(this.#addLine(binding.uri));
      else this.#addPhone(binding);
    }
    for (const call of calls) call();
  }

  /** Ends the call between two phones that has come of it, or what has not come to a call yet. */
  async end(reason: string): Promise<void> {
    if (this.#bridge) await this.#bridge.end(reason);
    else if (!this.#over && !this.#winner) this.#refuse({ status: 480 });
  }

  #addLine(uri: string): () => void {
    const branch: LineBranch = new LineBranch(this.#invited, userOf(uri), {
      ringing: () => this.#ringing(),
      wins: () => this.#wins(branch),
      refused: (status) => this.#refused(branch, { status }),
    });
    this.#branches.add(branch);
    return () => this.#options.route(branch);
  }

  #addPhone(binding: Binding): void {
    // What cannot be sent is refused before the constructor returns.
    let refusal: BranchRefusal | undefined;
    let branch: PhoneBranch | undefined;
    const refused = (status: number, answer?: BranchRefusal['answer']) => {
      refusal = { status, ...(answer && { answer }) };
      if (branch) this.#refused(branch, refusal);
    };
    const phone = new PhoneBranch(this.#options.context, this.#invite, binding, {
      ringing: ({ status }) => {
        if (status >= 180) this.#ringing();
      },
      early: (sdp) => this.#early(sdp),
      answered: (answer) => this.#answered(phone, answer),
      refused,
    });
    branch = phone;
    this.#branches.add(phone);
    if (refusal) queueMicrotask(() => refusal && this.#refused(phone, refusal));
  }

  #ringing(): void {
    if (this.#rang || this.#over || this.#winner) return;
    this.#rang = true;
    this.#invited.ring();
  }

  /** Of several that announce something none is heard: the caller takes one description only. */
  #early(sdp: string): void {
    if (!this.#alone || this.#over || this.#winner) return;
    this.#invite.respond(183, { 'Content-Type': 'application/sdp' }, sdp);
  }

  #wins(branch: Branch): boolean {
    if (this.#winner || this.#over) return false;
    this.#winner = branch;
    this.#cancelOthers('answered elsewhere');
    if (branch instanceof LineBranch) this.#options.ended();
    return true;
  }

  #answered(branch: PhoneBranch, { dialog, answer, sdp, confirm }: PhoneAnswer): void {
    if (!this.#wins(branch)) {
      void confirm();
      dialog.request('BYE').catch(() => undefined);
      return;
    }
    const { context, ended } = this.#options;
    const waitsForAnswer = this.#invite.request.body === '';
    if (!waitsForAnswer) void confirm();
    const invite = this.#invited.handOver();
    const headers = responseHeaders(answer);
    invite.answer(sdp, headers, (caller) => {
      if (caller instanceof Error) {
        void confirm();
        dialog.request('BYE').catch(() => undefined);
        ended({ result: 'signalling-failed', reason: caller.message });
        return;
      }
      const sides = { caller, callee: dialog, confirm: waitsForAnswer ? confirm : undefined };
      const bridge = new Bridge(context, sides, ended);
      this.#bridge = bridge;
      invite.onRequest((request) => bridge.fromCaller(request));
      branch.onRequest((request) => bridge.fromCallee(request));
    });
  }

  #refused(branch: Branch, refusal: BranchRefusal): void {
    if (!this.#branches.delete(branch) || this.#over || this.#winner) return;
    this.#refusals.push(refusal);
    if (refusal.status >= 600) this.#cancelOthers('refused for all');
    if (this.#branches.size === 0 || refusal.status >= 600) this.#refuse(bestRefusal(this.#refusals));
  }

  #refuse({ status, answer }: BranchRefusal): void {
    this.#over = true;
    this.#cancelOthers('refused');
    this.#invited.handOver().respond(status, answer && answer.status === status ? responseHeaders(answer) : {});
    this.#options.ended(terminationOf(status, answer?.reason ?? 'nobody who was called takes the call'));
  }

  #happened(event: SignallingEvent): void {
    if (this.#winner instanceof LineBranch) {
      this.#winner.tell(event);
    } else if (event.type === 'failed' && !this.#over && !this.#winner) {
      this.#over = true;
      this.#cancelOthers(event.termination.reason);
      this.#options.ended(event.termination.result === 'cancelled' ? cancelled : event.termination);
    }
  }

  #cancelOthers(reason: string): void {
    for (const branch of [...this.#branches]) if (branch !== this.#winner) branch.cancel(reason);
  }
}
