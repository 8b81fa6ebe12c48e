import { beforeEach, describe, expect, it } from 'vitest';
import { Call, type CallParties, confirmationTimeoutMs } from '../../plugin/call/call.js';
import {
  type Caller,
  type CallStatusUpdate,
  type ClientFrame,
  type InviteRequest,
  MediaError,
  type MediaOptions,
  type SignallingEvent,
} from '../../plugin/call/ports.js';
import type { SessionDescription } from '../../plugin/call/session-description.js';
import type { Termination } from '../../plugin/call/termination.js';

const offer: SessionDescription = { address: '192.0.2.1', media: [] };
const answer: SessionDescription = { address: '192.0.2.2', media: [] };

const caller: Caller = { called: 'me', from: 'sip:bob@example.com', displayName: 'Bob' };
const callersOffer: SessionDescription = { address: '192.0.2.3', media: [] };

/** The ports of one call, each with a record of what the call asked of it. */
class Bench {
  readonly statuses: CallStatusUpdate[] = [];
  readonly signalled: string[] = [];
  readonly written: ClientFrame[] = [];
  readonly finished: Termination[] = [];
  readonly announced: Caller[] = [];
  readonly timers: { ms: number; fire: () => void }[] = [];
  readonly accepted: SessionDescription[] = [];
  mediaClosed = 0;
  media: MediaOptions | undefined;
  /** The media have been asked for, and are not there yet. */
  readonly opening: Promise<void>;
  readonly #opens: () => void;
  invited: InviteRequest | undefined;
  open: (options: MediaOptions) => void = () => {};
  accept: (answer: SessionDescription) => void = (description) => this.accepted.push(description);
  check: () => void = () => {};
  signal: (event: SignallingEvent) => void = () => {};

  constructor(direction: 'outgoing' | 'incoming' = 'outgoing') {
    this.#direction = direction;
    let opens = () => {};
    this.opening = new Promise((resolve) => {
      opens = resolve;
    });
    this.#opens = opens;
  }

  readonly #direction: 'outgoing' | 'incoming';

  get call(): Call {
    this.#call ??= this.#makeCall();
    return this.#call;
  }

  #call: Call | undefined;

  get #parties(): CallParties {
    if (this.#direction === 'outgoing') {
      return { direction: 'outgoing', id: 'c1', uri: 'sip:bob@example.com', from: 'sip:me@example.com' };
    }
    const invite = {
      callId: 'c1',
      caller,
      offer: callersOffer,
      listen: (listener: (event: SignallingEvent) => void) => {
        this.signal = listener;
      },
      ring: () => this.signalled.push('180'),
      answer: () => this.signalled.push('200'),
      reject: (sipStatus: number) => this.signalled.push(String(sipStatus)),
      bye: (reason?: string) => this.signalled.push(`BYE ${reason}`),
    };
    return { direction: 'incoming', invite, ringTimeMs: 30_000 };
  }

  #makeCall(): Call {
    return new Call(this.#parties, {
      client: {
        status: (update) => this.statuses.push(update),
        incoming: (who) => this.announced.push(who),
        play: () => true,
        audio: () => Promise.resolve({ sends: 'speex' }),
      },
      signalling: {
        resolve: (uri) => ({ uri }),
        invite: (request, listener) => {
          this.invited = request;
          this.signal = listener;
          return {
            cancel: () => this.signalled.push('CANCEL'),
            bye: (reason) => this.signalled.push(`BYE ${reason}`),
          };
        },
      },
      media: {
        open: async (options) => {
          this.#opens();
          await undefined;
          this.open(options);
          this.media = options;
          return {
            offer,
            accept: async (description) => this.accept(description),
            check: () => this.check(),
            answer: async () => answer,
            write: (frame) => this.written.push(frame),
            close: () => ({ closed: ++this.mediaClosed }),
          };
        },
      },
      timers: {
        after: (ms, fire) => {
          const timer = { ms, fire };
          this.timers.push(timer);
          return () => void this.timers.splice(this.timers.indexOf(timer), 1);
        },
      },
      observer: { changed: () => {}, finished: (_, termination) => this.finished.push(termination) },
    });
  }

  get codes(): number[] {
    return this.statuses.map(({ status }) => status);
  }

  async dial(): Promise<void> {
    this.call.start();
    await new Promise(setImmediate);
  }

  async connect(): Promise<void> {
    await this.dial();
    await this.answered();
  }

  /** The far end answers, and the media has applied it. */
  async answered(): Promise<void> {
    this.signal({ type: 'answered', answer });
    await new Promise(setImmediate);
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

const frame: ClientFrame = { kind: 'audio', timestamp: 20, payload: Uint8Array.of(0xb2, 1) };

describe('a call', () => {
  it('goes from dial to hangup: 1, 1 at each provisional, 4, 2, 3, 0', async () => {
    await bench.dial();
    expect(bench.invited).toEqual({ callId: 'c1', uri: 'sip:bob@example.com', from: 'sip:me@example.com', offer });
    bench.signal({ type: 'provisional', status: 180, reason: 'Ringing' });
    await bench.answered();
    expect(bench.accepted).toEqual([answer]);
    expect(bench.codes).toEqual([1, 1, 4, 2]);
    bench.call.hangup();
    expect(bench.signalled).toEqual(['BYE hung up by the client']);
    bench.signal({ type: 'ended', termination: { result: 'completed', reason: 'x' } });
    expect(bench.codes).toEqual([1, 1, 4, 2, 3, 0]);
    expect(bench.finished).toEqual([{ result: 'completed', reason: 'hung up by the client' }]);
    expect(bench.mediaClosed).toBe(1);
    expect(bench.timers).toEqual([]);
  });

  it('passes frames only while it is connected', async () => {
    bench.call.write(frame);
    await bench.connect();
    bench.call.write(frame);
    bench.call.hangup();
    bench.call.write(frame);
    expect(bench.written).toEqual([frame]);
  });

  it('tells the SIP status and reason of a refusal', async () => {
    await bench.dial();
    bench.signal({ type: 'failed', termination: { result: 'busy', reason: 'Busy Here', sipStatus: 486 } });
    expect(bench.statuses.at(-1)).toEqual({ status: 0, sipStatus: 486, reason: 'Busy Here' });
    expect(bench.mediaClosed).toBe(1);
  });

  it('ends with BYE and a reason when the answer has no codec in common', async () => {
    bench.accept = () => {
      throw new MediaError('NoCommonCodec', 'offered speex, answered pcmu');
    };
    await bench.connect();
    expect(bench.signalled).toEqual(['BYE offered speex, answered pcmu']);
    expect(bench.statuses.at(-1)).toEqual({ status: 0, reason: 'offered speex, answered pcmu' });
    bench.signal({ type: 'ended', termination: { result: 'completed', reason: 'x' } });
    expect(bench.finished).toEqual([{ result: 'no-codec', reason: 'offered speex, answered pcmu' }]);
  });

  it('fails without an INVITE when there is no media', async () => {
    bench.open = () => {
      throw new MediaError('NoPorts', 'no RTP port is free');
    };
    await bench.dial();
    expect(bench.invited).toBeUndefined();
    expect(bench.statuses.at(-1)).toEqual({ status: 0, reason: 'no RTP port is free' });
    expect(bench.finished).toEqual([{ result: 'media-failed', reason: 'no RTP port is free' }]);
  });

  it('gives back media that was opened too late', async () => {
    bench.call.start();
    await bench.opening;
    bench.call.hangup();
    await new Promise(setImmediate);
    expect(bench.codes).toEqual([1, 3, 0]);
    expect(bench.invited).toBeUndefined();
    expect(bench.mediaClosed).toBe(1);
    expect(bench.finished).toHaveLength(1);
  });

  it('takes an answered call down when its media is lost', async () => {
    await bench.connect();
    bench.media?.lost('socket error');
    expect(bench.codes).toEqual([1, 4, 2, 0]);
    expect(bench.signalled).toEqual(['BYE socket error']);
  });

  it('cancels while ringing, and ends without the far end when that does not confirm', async () => {
    await bench.dial();
    bench.call.hangup();
    expect(bench.signalled).toEqual(['CANCEL']);
    expect(bench.codes).toEqual([1, 3]);
    expect(bench.timers.map(({ ms }) => ms)).toEqual([confirmationTimeoutMs]);
    bench.timers[0]?.fire();
    expect(bench.codes).toEqual([1, 3, 0]);
    bench.signal({ type: 'answered', answer });
    expect(bench.signalled).toEqual(['CANCEL', 'BYE cancelled by the client']);
    bench.signal({ type: 'ended', termination: { result: 'completed', reason: 'x' } });
    expect(bench.finished).toEqual([{ result: 'cancelled', reason: 'cancelled by the client' }]);
  });

  it('hangs up for a client that has gone', async () => {
    await bench.connect();
    bench.call.abandon({ result: 'client-gone', reason: 'gone' });
    expect(bench.signalled).toEqual(['BYE gone']);
    bench.signal({ type: 'ended', termination: { result: 'completed', reason: 'x' } });
    expect(bench.finished).toEqual([{ result: 'client-gone', reason: 'gone' }]);
  });

  it('is not connected when its media is lost while the answer is being applied', async () => {
    bench.accept = () => bench.media?.lost('at once');
    await bench.connect();
    expect(bench.codes).toEqual([1, 0]);
    expect(bench.signalled).toEqual(['BYE at once']);
  });
});

describe('an incoming call', () => {
  beforeEach(() => {
    bench = new Bench('incoming');
  });

  it('rings, is accepted and ended by the caller: 4, 2, 0', async () => {
    await bench.dial();
    expect(bench.signalled).toEqual(['180']);
    expect(bench.announced).toEqual([caller]);
    expect(bench.codes).toEqual([]);
    bench.call.accept();
    expect(bench.signalled).toEqual(['180']);
    await new Promise(setImmediate);
    expect(bench.signalled).toEqual(['180', '200']);
    bench.signal({ type: 'established' });
    expect(bench.codes).toEqual([4, 2]);
    bench.signal({ type: 'ended', termination: { result: 'completed', reason: 'hung up by the far end' } });
    expect(bench.codes).toEqual([4, 2, 0]);
    expect(bench.mediaClosed).toBe(1);
    expect(bench.timers).toEqual([]);
  });

  it('is refused before anything rings when there is no codec in common', async () => {
    bench.check = () => {
      throw new MediaError('NoCommonCodec', 'we speak speex, the far end g729');
    };
    await bench.dial();
    expect(bench.signalled).toEqual(['488']);
    expect(bench.announced).toEqual([]);
    expect(bench.statuses).toEqual([]);
    expect(bench.finished).toEqual([{ result: 'no-codec', reason: 'we speak speex, the far end g729' }]);
  });

  it('is refused as busy by hangup, with another status by decline', async () => {
    await bench.dial();
    bench.call.hangup();
    expect(bench.signalled).toEqual(['180', '486']);
    expect(bench.codes).toEqual([0]);
    const other = new Bench('incoming');
    await other.dial();
    other.call.decline(603);
    expect(other.signalled).toEqual(['180', '603']);
    expect(other.codes).toEqual([0]);
  });

  it('ends with 0 when the caller gives up, also before anything rang', async () => {
    const gaveUp: Termination = { result: 'cancelled', reason: 'cancelled by the caller' };
    await bench.dial();
    bench.signal({ type: 'failed', termination: gaveUp });
    expect(bench.codes).toEqual([0]);
    const early = new Bench('incoming');
    early.call.start();
    await early.opening;
    early.signal({ type: 'failed', termination: gaveUp });
    await new Promise(setImmediate);
    expect(early.announced).toEqual([]);
    expect(early.finished).toEqual([gaveUp]);
    expect(early.mediaClosed).toBe(1);
  });

  it('is not answered for ever: 480', async () => {
    await bench.dial();
    expect(bench.timers.map(({ ms }) => ms)).toEqual([30_000]);
    bench.timers[0]?.fire();
    expect(bench.signalled).toEqual(['180', '480']);
    expect(bench.finished).toEqual([{ result: 'no-answer', reason: 'not answered in time' }]);
  });

  it('tells the caller 480 when the client goes while it rings', async () => {
    await bench.dial();
    bench.call.abandon({ result: 'client-gone', reason: 'gone' });
    expect(bench.signalled).toEqual(['180', '480']);
  });
});
