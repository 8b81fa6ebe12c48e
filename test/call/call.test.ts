import { beforeEach, describe, expect, it } from 'vitest';
import { Call, confirmationTimeoutMs } from '../../plugin/call/call.js';
import {
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

/** The ports of one call, each with a record of what the call asked of it. */
class Bench {
  readonly statuses: CallStatusUpdate[] = [];
  readonly signalled: string[] = [];
  readonly written: ClientFrame[] = [];
  readonly finished: Termination[] = [];
  readonly timers: { ms: number; fire: () => void }[] = [];
  readonly accepted: SessionDescription[] = [];
  mediaClosed = 0;
  media: MediaOptions | undefined;
  invited: InviteRequest | undefined;
  open: (options: MediaOptions) => void = () => {};
  accept: (answer: SessionDescription) => void = (description) => this.accepted.push(description);
  signal: (event: SignallingEvent) => void = () => {};

  readonly call = new Call(
    { id: 'c1', uri: 'sip:bob@example.com', from: 'sip:me@example.com' },
    {
      client: { status: (update) => this.statuses.push(update), play: () => true },
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
          this.open(options);
          this.media = options;
          return {
            offer,
            accept: (description) => this.accept(description),
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
    },
  );

  get codes(): number[] {
    return this.statuses.map(({ status }) => status);
  }

  async dial(): Promise<void> {
    this.call.start();
    await new Promise(setImmediate);
  }

  async connect(): Promise<void> {
    await this.dial();
    this.signal({ type: 'answered', answer });
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
    bench.signal({ type: 'answered', answer });
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
