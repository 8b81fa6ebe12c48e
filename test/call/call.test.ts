import { beforeEach, describe, expect, it } from 'vitest';
import { Call, confirmationTimeoutMs } from '../../plugin/call/call.js';
import type { CallParties } from '../../plugin/call/parties.js';
import {
  type Caller,
  type CallNotice,
  type CallStatusUpdate,
  type ClientFrame,
  type InviteRequest,
  MediaError,
  type MediaOptions,
  type SignallingEvent,
} from '../../plugin/call/ports.js';
import type { MediaDescription, SessionDescription } from '../../plugin/call/session-description.js';
import type { Termination } from '../../plugin/call/termination.js';
import { fakeLeg } from './fake-leg.js';

const offer: SessionDescription = { address: '192.0.2.1', media: [] };
const answer: SessionDescription = { address: '192.0.2.2', media: [] };

const audio: MediaDescription = { kind: 'audio', port: 4000, protocol: 'RTP/AVP', direction: 'sendrecv', formats: [] };
const caller: Caller = { called: 'me', from: 'sip:bob@example.com', displayName: 'Bob' };
const callersOffer: SessionDescription = { address: '192.0.2.3', media: [] };

/** The ports of one call, each with a record of what the call asked of it. */
class Bench {
  readonly statuses: CallStatusUpdate[] = [];
  readonly signalled: string[] = [];
  readonly written: ClientFrame[] = [];
  readonly finished: Termination[] = [];
  readonly announced: Caller[] = [];
  readonly notices: CallNotice[] = [];
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
  answer: () => SessionDescription = () => answer;
  play: (frame: ClientFrame) => boolean = () => true;
  dtmf: (digits: string, ms: number) => boolean = () => false;
  earlyMedia = true;
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
      ...fakeLeg((asked) => this.signalled.push(asked)),
    };
    return { direction: 'incoming', invite, ringTimeMs: 30_000, from: 'sip:me@example.com' };
  }

  #makeCall(): Call {
    return new Call(this.#parties, {
      client: {
        status: (update) => this.statuses.push(update),
        incoming: (who) => this.announced.push(who),
        notice: (notice) => this.notices.push(notice),
        play: (frame) => this.play(frame),
        audio: () => Promise.resolve({ sends: 'speex' }),
      },
      earlyMedia: this.earlyMedia,
      signalling: {
        resolve: (uri) => ({ uri }),
        invite: (request, listener) => {
          this.invited = request;
          this.signal = listener;
          return {
            cancel: () => this.signalled.push('CANCEL'),
            ...fakeLeg((asked) => this.signalled.push(asked)),
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
            answer: async () => this.answer(),
            reoffer: (direction) => ({ ...offer, media: [{ ...audio, direction }] }),
            sendDtmf: (digits, ms) => this.dtmf(digits, ms),
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
      observer: {
        changed: () => {},
        transferred: () => {},
        finished: (_, termination) => this.finished.push(termination),
      },
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
    bench.call.listener.write(frame);
    await bench.connect();
    bench.call.listener.write(frame);
    bench.call.hangup();
    bench.call.listener.write(frame);
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

describe('before the answer', () => {
  const early: SessionDescription = { address: '192.0.2.9', media: [] };

  it('the far end is heard and hears, once it has described itself: 4 early, and not again', async () => {
    await bench.dial();
    bench.call.listener.write(frame);
    expect(bench.call.sendDtmf('1', 100)).toBe(false);
    bench.signal({ type: 'provisional', status: 183, reason: 'Session Progress' });
    bench.signal({ type: 'early', answer: early });
    await new Promise(setImmediate);
    bench.signal({ type: 'early', answer: early });
    await new Promise(setImmediate);
    bench.call.listener.write(frame);
    bench.dtmf = () => true;
    expect(bench.call.sendDtmf('1', 100)).toBe(true);
    await bench.answered();
    expect(bench.written).toEqual([frame]);
    expect(bench.accepted).toEqual([early, early, answer]);
    expect(bench.codes).toEqual([1, 1, 4, 2]);
  });

  it('what cannot be heard early does not end the call', async () => {
    bench.accept = (description) => {
      if (description === early) throw new MediaError('NoCommonCodec', 'none');
    };
    await bench.dial();
    bench.signal({ type: 'early', answer: early });
    await new Promise(setImmediate);
    await bench.answered();
    expect(bench.codes).toEqual([1, 4, 2]);
  });

  it('nothing is heard where that is turned off', async () => {
    bench.earlyMedia = false;
    await bench.dial();
    bench.signal({ type: 'early', answer: early });
    await bench.answered();
    expect(bench.accepted).toEqual([answer]);
    expect(bench.codes).toEqual([1, 4, 2]);
  });
});

describe('within a call', () => {
  it('keys go out in RTP where the far end takes them so, else by INFO; outside a call nowhere', async () => {
    expect(bench.call.sendDtmf('1', 100)).toBe(false);
    await bench.connect();
    const inRtp: string[] = [];
    bench.dtmf = (digits) => inRtp.push(digits) > 0;
    expect(bench.call.sendDtmf('12', 100)).toBe(true);
    bench.dtmf = () => false;
    expect(bench.call.sendDtmf('34', 100)).toBe(true);
    expect(inRtp).toEqual(['12']);
    expect(bench.signalled).toEqual(['INFO 34 100']);
  });

  it('asks the far end for a key frame by INFO when its media can ask in no other way', async () => {
    await bench.connect();
    bench.media?.keyFrameNeeded?.();
    expect(bench.signalled).toEqual(['INFO picture']);
  });

  it('keys of the far end reach the client, from RTP and INFO alike', async () => {
    await bench.connect();
    bench.media?.dtmf?.({ digit: '5', duration: 100 });
    bench.signal({ type: 'tone', tone: { digit: '#', duration: 200 } });
    expect(bench.notices).toEqual([
      { type: 'dtmf', tone: { digit: '5', duration: 100 } },
      { type: 'dtmf', tone: { digit: '#', duration: 200 } },
    ]);
  });

  it('a held call is silent from the wish on, and no longer when the far end refuses', async () => {
    const played: boolean[] = [];
    await bench.connect();
    bench.play = () => played.push(true) > 0;
    expect(bench.call.hold(true)).toBe(true);
    expect(bench.signalled).toEqual(['re-INVITE sendonly']);
    bench.call.listener.write(frame);
    // Silence is no slow reader: the frame counts as taken.
    expect(bench.media?.player.play(frame)).toBe(true);
    expect([bench.written, played]).toEqual([[], []]);
    bench.signal({ type: 'unchanged', reason: '488 Not Acceptable Here' });
    expect(bench.notices).toEqual([{ type: 'hold', local: false, remote: false, reason: '488 Not Acceptable Here' }]);
    bench.call.listener.write(frame);
    bench.media?.player.play(frame);
    expect([bench.written, played]).toEqual([[frame], [true]]);
  });

  it('a far end that wants a change before the call is connected is answered then', async () => {
    await bench.dial();
    bench.signal({ type: 'answered', answer });
    bench.signal({ type: 'offered' });
    bench.signal({ type: 'tone', tone: { digit: '1', duration: 1 } });
    expect(bench.signalled).toEqual([]);
    await new Promise(setImmediate);
    expect(bench.signalled).toEqual(['200 sendrecv']);
    expect(bench.notices).toHaveLength(1);
  });

  it('an offer that the media cannot answer is refused, and the call goes on', async () => {
    await bench.connect();
    bench.answer = () => {
      throw new MediaError('NoCommonCodec', 'none');
    };
    bench.signal({ type: 'offered', offer });
    await new Promise(setImmediate);
    expect(bench.signalled).toEqual(['refuse 488']);
    expect(bench.call.state).toBe('connected');
  });

  it('hold and transfer are for answered calls, one transfer at a time', async () => {
    expect([bench.call.hold(true), bench.call.transfer('sip:carol@example.com')]).toEqual([false, false]);
    await bench.connect();
    expect(bench.call.transfer('sip:carol@example.com')).toBe(true);
    expect(bench.call.transfer('sip:dave@example.com')).toBe(false);
    bench.signal({ type: 'transfer-failed', reason: '603 Decline' });
    expect(bench.call.transfer('sip:dave@example.com')).toBe(true);
    expect(bench.signalled).toEqual(['REFER sip:carol@example.com', 'REFER sip:dave@example.com']);
    expect(bench.notices).toEqual([{ type: 'transfer-failed', reason: '603 Decline' }]);
  });

  it('ends with BYE when the far end talks to somebody else', async () => {
    await bench.connect();
    bench.call.transfer('sip:carol@example.com');
    bench.signal({ type: 'transferred' });
    expect(bench.signalled.at(-1)).toBe('BYE transferred to sip:carol@example.com');
    bench.signal({ type: 'ended', termination: { result: 'completed', reason: 'x' } });
    expect(bench.codes).toEqual([1, 4, 2, 0]);
    expect(bench.finished).toEqual([{ result: 'completed', reason: 'transferred to sip:carol@example.com' }]);
  });
});

describe('a call that is passed on by the far end', () => {
  const uri = 'sip:carol@example.com';

  /** The signalling events of the first far end and of its successor. */
  async function referred(): Promise<{ first: Bench['signal']; second: Bench['signal'] }> {
    await bench.connect();
    const first = bench.signal;
    first({ type: 'referred', referral: { uri, referredBy: '<sip:bob@example.com>' } });
    expect(bench.invited).toMatchObject({ uri, from: 'sip:me@example.com', referral: { uri } });
    expect(bench.signalled).toEqual(['202']);
    return { first, second: bench.signal };
  }

  it('goes on with who answers: the first is told and hung up on', async () => {
    const { first, second } = await referred();
    second({ type: 'provisional', status: 180, reason: 'Ringing' });
    second({ type: 'answered', answer: { address: '192.0.2.8', media: [] } });
    await new Promise(setImmediate);
    expect(bench.signalled).toEqual(['202', 'NOTIFY 200 OK', 'BYE the call was transferred']);
    first({ type: 'ended', termination: { result: 'completed', reason: 'x' } });
    expect(bench.call.state).toBe('connected');
    expect(bench.notices).toEqual([{ type: 'transferred', uri }]);
    second({ type: 'ended', termination: { result: 'completed', reason: 'hung up by the far end' } });
    expect(bench.codes).toEqual([1, 4, 2, 0]);
    expect(bench.finished).toEqual([{ result: 'completed', reason: 'hung up by the far end' }]);
  });

  it('is held no longer by who held it before', async () => {
    const { second } = await referred();
    bench.call.hold(true);
    second({ type: 'answered', answer });
    await new Promise(setImmediate);
    bench.call.listener.write(frame);
    expect(bench.written).toEqual([frame]);
  });

  it('goes on with the first when the other is busy', async () => {
    const { second } = await referred();
    second({ type: 'failed', termination: { result: 'busy', reason: 'Busy Here', sipStatus: 486 } });
    expect(bench.signalled).toEqual(['202', 'NOTIFY 486 Busy Here']);
    expect(bench.call.state).toBe('connected');
  });

  it('stands and falls with the other when the first has hung up', async () => {
    const { first, second } = await referred();
    first({ type: 'ended', termination: { result: 'completed', reason: 'hung up by the far end' } });
    expect(bench.call.state).toBe('connected');
    second({ type: 'failed', termination: { result: 'busy', reason: 'Busy Here', sipStatus: 486 } });
    expect(bench.finished).toEqual([{ result: 'busy', reason: 'Busy Here', sipStatus: 486 }]);
    expect(bench.signalled).toEqual(['202']);
  });

  it('is taken down as a whole when the client hangs up', async () => {
    const { first, second } = await referred();
    bench.call.hangup();
    expect(bench.signalled).toEqual(['202', 'CANCEL', 'BYE the call has ended', 'BYE hung up by the client']);
    // The answer has crossed the CANCEL.
    second({ type: 'answered', answer });
    expect(bench.signalled.at(-1)).toBe('BYE the call has ended');
    first({ type: 'ended', termination: { result: 'completed', reason: 'x' } });
    expect(bench.codes).toEqual([1, 4, 2, 3, 0]);
  });

  it('is hung up on where the other has nothing in common with the client', async () => {
    const { second } = await referred();
    bench.accept = () => {
      throw new MediaError('NoCommonCodec', 'no codec in common');
    };
    second({ type: 'answered', answer });
    await new Promise(setImmediate);
    expect(bench.signalled.slice(1)).toEqual(['CANCEL', 'BYE no codec in common', 'NOTIFY 488 no codec in common']);
    expect(bench.call.state).toBe('connected');
  });
});
