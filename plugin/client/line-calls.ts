import type { CallPorts } from '../call/call-ports.js';
import type { CallParties } from '../call/parties.js';
import type { Caller, CallNotice, CallStatusUpdate, ClientFrame } from '../call/ports.js';
import type { CallRegistry } from '../call/registry.js';
import { CallStatus } from '../call/status.js';
import type { Termination } from '../call/termination.js';
import { type CallAudience, LineCall } from './line-call.js';
import type { LineClient } from './line-client.js';
import { StreamTime } from './stream-time.js';

export interface LineCallsOptions {
  readonly ports: Omit<CallPorts, 'client'>;
  readonly calls: CallRegistry;
  readonly client: LineClient;
  /** Who the client is to its callers. */
  readonly name: () => string;
  /** Whole milliseconds, from any origin. */
  readonly now: () => number;
}

/** A call that is being answered while another goes on: until it is up, the client knows of no change. */
interface Takeover {
  readonly call: LineCall;
  /** How the one before ended meanwhile. */
  lastWords?: CallStatusUpdate;
}

/** The calls of one line: the active one has the client's streams; at most one other waits to be answered, or is held. */
export class LineCalls implements CallAudience {
  /** Whether somebody may ring while the client is in a call. */
  callWaiting = false;
  readonly #options: LineCallsOptions;
  readonly #client: LineClient;
  readonly #time: StreamTime;
  #active: LineCall | undefined;
  /** Of the active call. */
  #listener: LineCall['call']['listener'] | undefined;
  #other: LineCall | undefined;
  #takeover: Takeover | undefined;
  /** The client has accepted the waiting call while the active one was ending. */
  #accepted = false;

  constructor(options: LineCallsOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#time = new StreamTime(options.now);
  }

  get active(): LineCall | undefined {
    return this.#active?.ended ? undefined : this.#active;
  }

  /** Whether a caller may ring. */
  get free(): boolean {
    if (this.active === undefined) return true;
    return this.callWaiting && this.active.connected && this.#second === undefined;
  }

  /** Begins a call; beside one that is up it waits. */
  begin(parties: CallParties, wantsVideo = false): void {
    const { ports, calls } = this.#options;
    const call = new LineCall(parties, ports, this.#client, this);
    call.wantsVideo = wantsVideo;
    if (this.active) this.#other = call;
    else this.#setActive(call);
    calls.add(call.call);
    call.call.start();
  }

  /** Answers the call that waits, or else the one that rings. */
  accept(wantsVideo: boolean): void {
    const { active } = this;
    const answered = this.#second?.ringing ? this.#second : active;
    if (!answered) return;
    answered.wantsVideo = wantsVideo;
    if (answered === active) active.call.accept();
    else if (active?.connected) this.#take(active, answered);
    else this.#accepted = true;
  }

  /** Refuses the call that waits, or else the one that rings. */
  decline(sipStatus: number): void {
    const refused = this.#second?.ringing ? this.#second : this.active;
    refused?.call.decline(sipStatus);
  }

  /** Ends the active call; the client goes back to the held one, if there is one. */
  hangup(): void {
    const { active } = this;
    if (!active) return;
    if (this.#takeover)
      this.#giveUp(this.#takeover, { status: CallStatus.notConnected, reason: 'hung up by the client' });
    else if (this.#second?.connected) this.#resume(this.#second);
    active.call.hangup();
  }

  /** Exchanges the active call and the held one; false when there are not both. */
  swap(): boolean {
    const { active } = this;
    const held = this.#second;
    if (this.#takeover || !active?.connected || !held?.connected) return false;
    active.call.hold(true);
    this.#resume(held);
    this.#other = active;
    return true;
  }

  /** Holds the active call, or ends that; false when there is none that is answered. */
  hold(held: boolean): boolean {
    const { active } = this;
    if (!active?.call.hold(held)) return false;
    active.held = held;
    return true;
  }

  write(frame: ClientFrame): void {
    this.#listener?.write(frame);
  }

  /** The client has gone. */
  close(termination: Termination): void {
    this.#other?.call.abandon(termination);
    this.#active?.call.abandon(termination);
  }

  status(of: LineCall, update: CallStatusUpdate): void {
    if (of === this.#takeover?.call) this.#takenOver(this.#takeover, update);
    else if (of === this.#active) this.#activeStatus(update);
    else if (of === this.#other && update.status === CallStatus.notConnected) this.#otherEnded(of, update);
    // The client has left any other.
  }

  incoming(of: LineCall, invited: Caller): void {
    const { name } = this.#options;
    const caller = { ...invited, called: name() };
    of.caller = caller;
    if (of === this.#other) this.#client.calls({ type: 'waiting', caller });
    else this.#client.incoming(caller);
  }

  notice(of: LineCall, notice: CallNotice): void {
    // Of a call that is not theirs now, people want to read what it says, but nothing that changes how theirs looks.
    const apart = notice.type === 'message' || notice.type === 'transfer-failed';
    if (of === this.#active || (apart && of === this.#other)) this.#client.notice(notice);
  }

  /** What a call says that is not the client's now goes nowhere. */
  play(of: LineCall, frame: ClientFrame): boolean {
    return of !== this.#active || this.#client.play(this.#time.place(frame));
  }

  keyFrameWanted(of: LineCall): void {
    if (of === this.#active) this.#client.keyFrameWanted?.();
  }

  get #second(): LineCall | undefined {
    return this.#other?.ended ? undefined : this.#other;
  }

  #take(before: LineCall, call: LineCall): void {
    this.#takeover = { call };
    before.call.hold(true);
    this.#activate(call);
    this.#other = before;
    call.call.accept();
  }

  /** How the call fares that the client has accepted beside another. */
  #takenOver(takeover: Takeover, update: CallStatusUpdate): void {
    if (update.status === CallStatus.notConnected) this.#giveUp(takeover, update);
    if (update.status !== CallStatus.connected) return;
    const before = this.#other;
    this.#takeover = undefined;
    this.#tellSwitched(takeover.call);
    if (before && takeover.lastWords) this.#otherEnded(before, takeover.lastWords);
  }

  /** It did not come about: the client stays in the call that it had, as that was. */
  #giveUp({ call, lastWords }: Takeover, { reason = '' }: CallStatusUpdate): void {
    const before = this.#other;
    this.#takeover = undefined;
    this.#other = undefined;
    if (before) this.#activate(before);
    this.#client.calls({ type: 'waiting-ended', party: call.party, reason });
    if (lastWords) this.#activeStatus(lastWords);
    else before?.call.hold(before.held);
  }

  #activeStatus(update: CallStatusUpdate): void {
    if (update.status !== CallStatus.notConnected) {
      this.#client.status(update);
      return;
    }
    const next = this.#second;
    if (next?.connected) {
      this.#resume(next);
      return;
    }
    this.#setActive(next);
    this.#other = undefined;
    this.#time.reset();
    this.#client.status(update);
    if (next?.caller) this.#client.incoming(next.caller);
    if (this.#accepted) next?.call.accept();
    this.#accepted = false;
  }

  #otherEnded(of: LineCall, update: CallStatusUpdate): void {
    if (this.#takeover) {
      this.#takeover.lastWords = update;
      return;
    }
    this.#other = undefined;
    this.#accepted = false;
    this.#client.calls({ type: 'waiting-ended', party: of.party, reason: update.reason ?? '' });
  }

  /** The client goes on with the held call. */
  #resume(held: LineCall): void {
    this.#activate(held);
    this.#other = undefined;
    held.held = false;
    held.call.hold(false);
    this.#tellSwitched(held);
  }

  /** The client's streams are this call's from now on. */
  #activate(call: LineCall): void {
    this.#setActive(call);
    this.#time.switch();
    this.#client.switching();
  }

  #setActive(call: LineCall | undefined): void {
    this.#active = call;
    this.#listener = call?.call.listener;
  }

  #tellSwitched(call: LineCall): void {
    this.#client.calls({ type: 'switched', party: call.party });
    if (call.remoteHold) this.#client.notice(call.remoteHold);
    // Who has seen nothing of the client yet needs a picture to begin with.
    if (this.#client.video?.()) this.#client.keyFrameWanted?.();
  }
}
