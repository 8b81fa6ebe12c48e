import { beforeEach, describe, expect, it } from 'vitest';
import type { Termination } from '../../../plugin/call/termination.js';
import { description, type FarEnd, LineBench, settled } from './support/line-bench.js';

const alice = 'sip:alice@192.0.2.8';
const bob = 'sip:bob@192.0.2.9';
const carol = 'sip:carol@192.0.2.10';

const hungUp: Termination = { result: 'completed', reason: 'hung up' };
const cancelled: Termination = { result: 'cancelled', reason: 'cancelled by the caller' };

let bench: LineBench;
/** The far end that the client has called. */
let first: FarEnd;
/** The one that calls beside. */
let second: FarEnd;

const established = async (farEnd: FarEnd): Promise<void> => {
  await settled();
  farEnd.says({ type: 'established' });
  await settled();
};

/** Agrees to the re-INVITE that it was sent. */
const agree = (farEnd: FarEnd): void => farEnd.says({ type: 'changed', answer: description });

beforeEach(async () => {
  bench = new LineBench();
  first = await bench.callsOut(alice);
  bench.line.callWaiting(true);
  expect(bench.news()).toEqual(['1', '4', '2']);
});

async function waiting(): Promise<void> {
  second = await bench.called(bob);
  expect(bench.news()).toEqual([`waiting ${bob}`]);
  expect(second.asked).toEqual(['180']);
}

/** The client talks to the second, and holds the first. */
async function switched(): Promise<void> {
  await waiting();
  bench.line.accept();
  await established(second);
  agree(first);
  await settled();
  expect(bench.news()).toEqual([`switched ${bob}`]);
}

describe('who may ring', () => {
  it('nobody while call waiting is off', async () => {
    bench.line.callWaiting(false);
    expect((await bench.called(bob)).asked).toEqual(['486']);
    expect(bench.news()).toEqual([]);
  });

  it('a second caller while the call is answered; a third finds the line busy', async () => {
    await waiting();
    expect((await bench.called(carol)).asked).toEqual(['486']);
    expect(bench.news()).toEqual([]);
  });

  it('a third caller finds the line busy also while the second one is held', async () => {
    await switched();
    expect((await bench.called(carol)).asked).toEqual(['486']);
  });

  it('nobody while the client still dials', async () => {
    const dialling = new LineBench();
    dialling.line.callWaiting(true);
    dialling.line.dial(alice);
    await settled();
    expect((await dialling.called(bob)).asked).toEqual(['486']);
  });

  it('nobody while the client itself is being called', async () => {
    const ringing = new LineBench();
    ringing.line.callWaiting(true);
    await ringing.called(alice);
    expect((await ringing.called(bob)).asked).toEqual(['486']);
  });

  it('nobody while the client hangs up', async () => {
    bench.line.hangup();
    expect((await bench.called(bob)).asked).toEqual(['486']);
  });

  it('a caller again after the one before has given up', async () => {
    await waiting();
    second.says({ type: 'failed', termination: cancelled });
    bench.news();
    await waiting();
  });

  it('the client cannot dial beside its call', async () => {
    await waiting();
    expect(bench.line.dial(carol)).toMatchObject({ code: 'existing' });
  });
});

describe('a waiting call', () => {
  it.each([
    ['is rejected', () => bench.line.decline(603), 'declined by the client', ['180', '603']],
    [
      'is cancelled by its caller',
      () => second.says({ type: 'failed', termination: cancelled }),
      'cancelled by the caller',
      ['180'],
    ],
    [
      'is not answered in time',
      () => bench.timers.find(({ ms }) => ms === 60_000)?.fire(),
      'not answered in time',
      ['180', '480'],
    ],
  ])('%s: the client hears why, and stays in its call', async (_, end, reason, asked) => {
    await waiting();
    end();
    expect(bench.news()).toEqual([`waiting-ended ${bob}: ${reason}`]);
    expect(second.asked).toEqual(asked);
    expect(first.asked).toEqual([]);
    expect(bench.results).toHaveLength(1);
    expect(bench.line.connected).toBe(true);
  });

  it('rings on as an ordinary call when the client hangs up the other', async () => {
    await waiting();
    bench.line.hangup();
    expect(bench.news()).toEqual(['3']);
    first.says({ type: 'ended', termination: hungUp });
    expect(bench.news()).toEqual(['0 hung up by the client', `incoming ${bob} for me`]);
    bench.line.accept();
    await established(second);
    expect(bench.news()).toEqual(['4', '2']);
    expect(second.asked).toEqual(['180', '200']);
  });

  it('rings on as an ordinary call when the other far end hangs up', async () => {
    await waiting();
    first.says({ type: 'ended', termination: hungUp });
    expect(bench.news()).toEqual(['0 hung up', `incoming ${bob} for me`]);
    second.says({ type: 'failed', termination: cancelled });
    expect(bench.news()).toEqual(['0 cancelled by the caller']);
    expect(bench.line.dial(carol)).toBeUndefined();
  });

  it('is answered as an ordinary call when it is accepted while the other one is being hung up', async () => {
    await waiting();
    bench.line.hangup();
    bench.line.accept();
    expect(second.asked).toEqual(['180']);
    first.says({ type: 'ended', termination: hungUp });
    await established(second);
    expect(bench.news()).toEqual(['3', '0 hung up by the client', `incoming ${bob} for me`, '4', '2']);
  });

  it('ends while the other one is being hung up: 0 is that one’s', async () => {
    await waiting();
    bench.line.hangup();
    bench.line.accept();
    second.says({ type: 'failed', termination: cancelled });
    first.says({ type: 'ended', termination: hungUp });
    expect(bench.news()).toEqual(['3', `waiting-ended ${bob}: cancelled by the caller`, '0 hung up by the client']);
    bench.line.dial(carol);
    await settled();
    expect(bench.news()).toEqual(['1']);
  });
});

describe('accept() with a waiting call', () => {
  it('holds the one, answers the other, and the media are that one’s', async () => {
    await waiting();
    bench.line.accept();
    expect(first.asked).toEqual(['re-INVITE sendonly']);
    await established(second);
    expect(second.asked).toEqual(['180', '200']);
    expect(bench.news()).toEqual([`switched ${bob}`]);
    bench.line.write({ kind: 'audio', timestamp: 20, payload: new Uint8Array() });
    expect([first.written, second.written]).toEqual([[], [20]]);
    first.speaks(40);
    expect(bench.played).toEqual([]);
    second.speaks(0);
    expect(bench.played).toEqual([0]);
  });

  it('the far end that refuses to be held hears silence, and is not heard', async () => {
    await waiting();
    bench.line.accept();
    first.says({ type: 'unchanged', reason: 'Not Acceptable Here' });
    await established(second);
    expect(bench.news()).toEqual([`switched ${bob}`]);
    bench.line.write({ kind: 'audio', timestamp: 20, payload: new Uint8Array() });
    first.speaks(40);
    expect([first.written, second.written, bench.played]).toEqual([[], [20], []]);
  });

  it('the timestamps of what the client plays go on as time does', async () => {
    first.speaks(5_000);
    bench.time += 700;
    await switched();
    second.speaks(0);
    second.speaks(20);
    bench.time += 300;
    bench.line.swap();
    agree(first);
    first.speaks(9_000);
    expect(bench.played).toEqual([5_000, 5_700, 5_720, 6_020]);
  });

  it('what the client wants of video, it wants in that call alone', async () => {
    await waiting();
    bench.line.accept({ video: true });
    await established(second);
    expect([first.media.video?.(), second.media.video?.()]).toEqual([undefined, {}]);
  });

  it('a client that shows a film is asked for a key frame by who sees it next, and by nobody else', async () => {
    bench.video = {};
    await waiting();
    bench.line.accept();
    await established(second);
    expect(bench.news()).toEqual([`switched ${bob}`, 'key frame']);
    expect(bench.switches).toBe(1);
    first.media.keyFrameWanted?.();
    expect(bench.news()).toEqual([]);
    second.media.keyFrameWanted?.();
    expect(bench.news()).toEqual(['key frame']);
  });

  it('the caller gives up at that moment: the client stays in its call, which goes on', async () => {
    await waiting();
    bench.answerMedia = () => new Promise(() => {});
    bench.line.accept();
    await settled();
    second.says({ type: 'failed', termination: cancelled });
    expect(bench.news()).toEqual([`waiting-ended ${bob}: cancelled by the caller`]);
    agree(first);
    expect(first.asked).toEqual(['re-INVITE sendonly', 're-INVITE sendrecv']);
    bench.line.write({ kind: 'audio', timestamp: 20, payload: new Uint8Array() });
    agree(first);
    bench.line.write({ kind: 'audio', timestamp: 40, payload: new Uint8Array() });
    expect(first.written).toEqual([40]);
    expect(bench.results).toEqual([cancelled]);
  });

  it('a call that the client held before stays held when the other does not come about', async () => {
    bench.line.hold(true);
    agree(first);
    bench.news();
    await waiting();
    bench.answerMedia = () => new Promise(() => {});
    bench.line.accept();
    await settled();
    second.says({ type: 'failed', termination: cancelled });
    expect(first.asked).toEqual(['re-INVITE sendonly']);
  });

  it('the held far end hangs up at that moment: the client is told when it has changed over', async () => {
    await waiting();
    bench.line.accept();
    first.says({ type: 'ended', termination: hungUp });
    expect(bench.news()).toEqual([]);
    await established(second);
    expect(bench.news()).toEqual([`switched ${bob}`, `waiting-ended ${alice}: hung up`]);
    bench.line.hangup();
    second.says({ type: 'ended', termination: hungUp });
    expect(bench.news()).toEqual(['3', '0 hung up by the client']);
    expect(bench.results).toHaveLength(2);
  });

  it('both are gone at that moment: both are told, and the line is free', async () => {
    await waiting();
    bench.answerMedia = () => new Promise(() => {});
    bench.line.accept();
    await settled();
    first.says({ type: 'ended', termination: hungUp });
    second.says({ type: 'failed', termination: cancelled });
    expect(bench.news()).toEqual([`waiting-ended ${bob}: cancelled by the caller`, '0 hung up']);
    expect(bench.line.dial(carol)).toBeUndefined();
    expect(bench.results).toEqual([hungUp, cancelled]);
  });

  it('the client hangs up at that moment: the call that it took ends, the one before goes on', async () => {
    await waiting();
    bench.line.accept();
    await settled();
    bench.line.hangup();
    expect(second.asked).toEqual(['180', '200', 'BYE hung up by the client']);
    expect(bench.news()).toEqual([`waiting-ended ${bob}: hung up by the client`]);
    agree(first);
    expect(first.asked).toEqual(['re-INVITE sendonly', 're-INVITE sendrecv']);
    second.says({ type: 'ended', termination: hungUp });
    expect(bench.results).toHaveLength(1);
  });

  it('nothing else is taken or exchanged before it is up', async () => {
    await waiting();
    bench.line.accept();
    bench.line.accept();
    expect(bench.line.swap()).toBeDefined();
    expect(bench.line.hold(true)).toBeDefined();
    expect((await bench.called(carol)).asked).toEqual(['486']);
    await established(second);
    expect(bench.news()).toEqual([`switched ${bob}`]);
  });
});

describe('with a held call', () => {
  it('swap() exchanges the two, again and again', async () => {
    await switched();
    expect(bench.line.swap()).toBeUndefined();
    expect(bench.news()).toEqual([`switched ${alice}`]);
    expect(second.asked.slice(2)).toEqual(['re-INVITE sendonly']);
    expect(first.asked).toEqual(['re-INVITE sendonly', 're-INVITE sendrecv']);
    agree(first);
    agree(second);
    expect(bench.news()).toEqual(['hold false false']);
    expect(bench.line.swap()).toBeUndefined();
    expect(bench.news()).toEqual([`switched ${bob}`]);
    expect(first.asked.at(-1)).toBe('re-INVITE sendonly');
    expect(second.asked.at(-1)).toBe('re-INVITE sendrecv');
  });

  it('swap() is refused without one', async () => {
    expect(bench.line.swap()).toBeDefined();
    await waiting();
    expect(bench.line.swap()).toBeDefined();
  });

  it('hangup() ends the active one, and the client goes on with the held one without a status', async () => {
    await switched();
    bench.line.hangup();
    expect(bench.news()).toEqual([`switched ${alice}`]);
    expect(second.asked.at(-1)).toBe('BYE hung up by the client');
    expect(first.asked.at(-1)).toBe('re-INVITE sendrecv');
    agree(first);
    second.says({ type: 'ended', termination: hungUp });
    expect(bench.news()).toEqual(['hold false false']);
    bench.line.hangup();
    first.says({ type: 'ended', termination: hungUp });
    expect(bench.news()).toEqual(['3', '0 hung up by the client']);
    expect(bench.results).toHaveLength(2);
  });

  it('another caller may ring while the BYE of the one before is on its way', async () => {
    await switched();
    bench.line.hangup();
    bench.news();
    expect((await bench.called(carol)).asked).toEqual(['180']);
    expect(bench.news()).toEqual([`waiting ${carol}`]);
  });

  it('the active far end hangs up: the client goes on with the held one without a status', async () => {
    await switched();
    second.says({ type: 'ended', termination: hungUp });
    expect(bench.news()).toEqual([`switched ${alice}`]);
    expect(first.asked.at(-1)).toBe('re-INVITE sendrecv');
    bench.line.write({ kind: 'audio', timestamp: 20, payload: new Uint8Array() });
    agree(first);
    bench.line.write({ kind: 'audio', timestamp: 40, payload: new Uint8Array() });
    expect(first.written).toEqual([40]);
  });

  it('the held far end hangs up: the client hears of it and stays where it is', async () => {
    await switched();
    first.says({ type: 'ended', termination: hungUp });
    expect(bench.news()).toEqual([`waiting-ended ${alice}: hung up`]);
    expect(bench.line.swap()).toBeDefined();
    bench.line.hangup();
    expect(bench.news()).toEqual(['3']);
  });

  it('hold, transfer and keys are for the active one', async () => {
    await switched();
    bench.line.hold(true);
    bench.line.sendDtmf('5', 160);
    bench.line.transfer(carol);
    expect(second.asked.slice(2)).toEqual(['re-INVITE sendonly', 'INFO 5 160', `REFER ${carol}`]);
    expect(first.asked).toEqual(['re-INVITE sendonly']);
  });

  it('the client hears keys and holds of the active one only, and texts of both', async () => {
    await switched();
    const tone = { type: 'tone', tone: { digit: '5', duration: 100 } } as const;
    const offered = {
      type: 'offered',
      offer: { ...description, media: description.media.map((each) => ({ ...each, direction: 'sendonly' as const })) },
    } as const;
    first.says(tone);
    first.says(offered);
    first.says({ type: 'message', message: { from: alice, text: 'hello?' } });
    await settled();
    expect(bench.news()).toEqual(['message']);
    second.says(tone);
    second.says(offered);
    await settled();
    expect(bench.news()).toEqual(['dtmf', 'hold false true']);
  });

  it('whose far end holds too: the client hears so when it turns to it', async () => {
    await switched();
    const media = description.media.map((each) => ({ ...each, direction: 'sendonly' as const }));
    first.says({ type: 'offered', offer: { ...description, media } });
    await settled();
    bench.line.swap();
    expect(bench.news()).toEqual([`switched ${alice}`, 'hold true true']);
    first.says({ type: 'changed', answer: { ...description, media } });
    expect(bench.news()).toEqual(['hold false true']);
  });

  it('the client goes: both end, each with one result', async () => {
    await switched();
    bench.line.close({ result: 'client-gone', reason: 'gone' });
    expect(first.asked.at(-1)).toBe('BYE gone');
    expect(second.asked.at(-1)).toBe('BYE gone');
    first.says({ type: 'ended', termination: hungUp });
    second.says({ type: 'ended', termination: hungUp });
    expect(bench.results.map(({ result }) => result)).toEqual(['client-gone', 'client-gone']);
    expect(bench.calls.size).toBe(0);
  });
});

it('the client goes while somebody waits: the call gets its BYE, the caller 480', async () => {
  await waiting();
  bench.line.close({ result: 'client-gone', reason: 'gone' });
  first.says({ type: 'ended', termination: hungUp });
  expect(first.asked).toEqual(['BYE gone']);
  expect(second.asked).toEqual(['180', '480']);
  expect(bench.results.map(({ result }) => result)).toEqual(['client-gone', 'client-gone']);
});

it('the client goes while it changes over: both end, each with one result', async () => {
  await waiting();
  bench.answerMedia = () => new Promise(() => {});
  bench.line.accept();
  await settled();
  bench.line.close({ result: 'client-gone', reason: 'gone' });
  first.says({ type: 'ended', termination: hungUp });
  expect(first.asked.at(-1)).toBe('BYE gone');
  expect(second.asked).toEqual(['180', '480']);
  expect(bench.results.map(({ result }) => result)).toEqual(['client-gone', 'client-gone']);
});

it('the gateway stops: both calls end, each with one result', async () => {
  await switched();
  const drained = bench.calls.endAll({ result: 'shutdown', reason: 'the gateway stops' });
  first.says({ type: 'ended', termination: hungUp });
  second.says({ type: 'ended', termination: hungUp });
  await drained;
  expect(bench.results.map(({ result }) => result)).toEqual(['shutdown', 'shutdown']);
  expect(bench.told.filter((what) => what.startsWith('0'))).toEqual(['0 the gateway stops']);
});
