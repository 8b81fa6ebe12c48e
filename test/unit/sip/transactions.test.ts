import { describe, expect, it } from 'vitest';
import type { SipResponse } from '../../../plugin/embedded-sip/src/message/message.js';
import { parseMessage } from '../../../plugin/embedded-sip/src/message/parser.js';
import { InviteClientTransaction } from '../../../plugin/embedded-sip/src/transaction/invite-client.js';
import { InviteServerTransaction } from '../../../plugin/embedded-sip/src/transaction/invite-server.js';
import { NonInviteClientTransaction } from '../../../plugin/embedded-sip/src/transaction/non-invite-client.js';
import { NonInviteServerTransaction } from '../../../plugin/embedded-sip/src/transaction/non-invite-server.js';
import { FakeClock } from './support/fake-clock.js';

function response(status: number): SipResponse {
  const lines = [
    'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
    'From: <sip:a@a>;tag=1',
    'To: <sip:b@b>;tag=2',
    'Call-ID: c',
    'CSeq: 1 INVITE',
  ];
  const outcome = parseMessage(`SIP/2.0 ${status} X\r\n${lines.join('\r\n')}\r\n\r\n`, {
    lineBytes: 8192,
    headerCount: 99,
  });
  if (!outcome.ok || outcome.message.kind !== 'response') throw new Error('fixture does not parse');
  return outcome.message;
}

describe('INVITE client transaction (RFC 3261 17.1.1, RFC 6026)', () => {
  function start(reliable = false) {
    const clock = new FakeClock();
    const log: string[] = [];
    const transaction = new InviteClientTransaction({
      clock,
      reliable,
      sendRequest: () => log.push('send'),
      sendAck: () => log.push('ack'),
      onResponse: ({ status }) => log.push(`up ${status}`),
      onFailure: (failure) => log.push(failure),
      onRingTimeout: () => log.push('ring timeout'),
      onTerminated: () => log.push('terminated'),
    });
    transaction.start();
    return { clock, log, transaction, take: () => log.splice(0) };
  }
  const reach = {
    calling: [],
    proceeding: [180],
    accepted: [200],
    completed: [486],
  } as const;
  type State = keyof typeof reach;

  function at(state: State, reliable = false) {
    const made = start(reliable);
    for (const status of reach[state]) made.transaction.receive(response(status));
    made.take();
    return made;
  }

  // state, event, what happens, state afterwards
  const table: [State, number | 'transport' | 'cancelled', string[], string][] = [
    ['calling', 100, ['up 100'], 'proceeding'],
    ['calling', 180, ['up 180'], 'proceeding'],
    ['calling', 200, ['up 200'], 'accepted'],
    ['calling', 302, ['ack', 'up 302'], 'completed'],
    ['calling', 486, ['ack', 'up 486'], 'completed'],
    ['calling', 'transport', ['terminated', 'transport'], 'terminated'],
    ['calling', 'cancelled', [], 'calling'],
    ['proceeding', 183, ['up 183'], 'proceeding'],
    ['proceeding', 200, ['up 200'], 'accepted'],
    ['proceeding', 603, ['ack', 'up 603'], 'completed'],
    ['proceeding', 'transport', [], 'proceeding'],
    ['proceeding', 'cancelled', [], 'proceeding'],
    ['accepted', 180, [], 'accepted'],
    ['accepted', 200, ['up 200'], 'accepted'],
    ['accepted', 486, [], 'accepted'],
    ['accepted', 'transport', [], 'accepted'],
    ['accepted', 'cancelled', [], 'accepted'],
    ['completed', 180, [], 'completed'],
    ['completed', 200, [], 'completed'],
    ['completed', 486, ['ack'], 'completed'],
    ['completed', 'transport', [], 'completed'],
    ['completed', 'cancelled', [], 'completed'],
  ];
  it.each(table)('%s + %s -> %j, %s', (state, event, happens, after) => {
    const { transaction, take } = at(state);
    if (event === 'transport') transaction.transportFailed();
    else if (event === 'cancelled') transaction.cancelled();
    else transaction.receive(response(event));
    expect(take()).toEqual(happens);
    expect(transaction.state).toBe(after);
  });

  it('repeats at 0.5, 1, 2, 4, 8, 16 s and gives up at 32 s (timers A and B)', () => {
    const { clock, take } = start();
    expect(take()).toEqual(['send']);
    for (const gap of [500, 1000, 2000, 4000, 8000]) {
      clock.advance(gap - 1);
      expect(take()).toEqual([]);
      clock.advance(1);
      expect(take()).toEqual(['send']);
    }
    clock.advance(16_000);
    expect(take()).toEqual(['send']);
    clock.advance(500);
    expect(take()).toEqual(['terminated', 'timeout']);
    expect(clock.pendingCount).toBe(0);
  });

  it('repeats nothing over a reliable transport, but gives up all the same', () => {
    const { clock, take } = start(true);
    clock.advance(31_999);
    expect(take()).toEqual(['send']);
    clock.advance(1);
    expect(take()).toEqual(['terminated', 'timeout']);
  });

  it('rings for 185 s from the last provisional response (timer C)', () => {
    const { clock, transaction, take } = at('proceeding');
    clock.advance(100_000);
    transaction.receive(response(180));
    take();
    clock.advance(184_999);
    expect(take()).toEqual([]);
    clock.advance(1);
    expect(take()).toEqual(['ring timeout']);
  });

  it('fails 32 s after a CANCEL that brings no final response, whatever rings on', () => {
    const { clock, transaction, take } = at('proceeding');
    transaction.cancelled();
    clock.advance(20_000);
    transaction.receive(response(180));
    clock.advance(12_000);
    expect(take()).toEqual(['up 180', 'terminated', 'timeout']);
  });

  it.each([
    ['completed', false, 32_000],
    ['completed', true, 0],
    ['accepted', false, 32_000],
    ['accepted', true, 32_000],
  ] as const)('lingers when %s, reliable %s, for %d ms (timers D and M)', (state, reliable, linger) => {
    const { clock, take } = at(state, reliable);
    clock.advance(Math.max(0, linger - 1));
    if (linger > 0) expect(take()).toEqual([]);
    clock.advance(1);
    expect(take()).toEqual(['terminated']);
    expect(clock.pendingCount).toBe(0);
  });
});

describe('non-INVITE client transaction (RFC 3261 17.1.2)', () => {
  function start(reliable = false) {
    const clock = new FakeClock();
    const log: string[] = [];
    const transaction = new NonInviteClientTransaction({
      clock,
      reliable,
      sendRequest: () => log.push('send'),
      onResponse: ({ status }) => log.push(`up ${status}`),
      onFailure: (failure) => log.push(failure),
      onTerminated: () => log.push('terminated'),
    });
    transaction.start();
    return { clock, transaction, take: () => log.splice(0) };
  }
  const reach = { trying: [], proceeding: [100], completed: [200] } as const;
  type State = keyof typeof reach;
  const table: [State, number | 'transport', string[], string][] = [
    ['trying', 100, ['up 100'], 'proceeding'],
    ['trying', 200, ['up 200'], 'completed'],
    ['trying', 404, ['up 404'], 'completed'],
    ['trying', 'transport', ['terminated', 'transport'], 'terminated'],
    ['proceeding', 180, ['up 180'], 'proceeding'],
    ['proceeding', 200, ['up 200'], 'completed'],
    ['proceeding', 'transport', [], 'proceeding'],
    ['completed', 100, [], 'completed'],
    ['completed', 200, [], 'completed'],
    ['completed', 'transport', [], 'completed'],
  ];
  it.each(table)('%s + %s -> %j, %s', (state, event, happens, after) => {
    const { transaction, take } = start();
    for (const status of reach[state]) transaction.receive(response(status));
    take();
    if (event === 'transport') transaction.transportFailed();
    else transaction.receive(response(event));
    expect(take()).toEqual(happens);
    expect(transaction.state).toBe(after);
  });

  it('repeats at 0.5, 1, 2, 4, 4, ... s and gives up at 32 s (timers E and F)', () => {
    const { clock, take } = start();
    expect(take()).toEqual(['send']);
    for (const gap of [500, 1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000, 4000]) {
      clock.advance(gap - 1);
      expect(take()).toEqual([]);
      clock.advance(1);
      expect(take()).toEqual(['send']);
    }
    clock.advance(500);
    expect(take()).toEqual(['terminated', 'timeout']);
  });

  it('repeats every 4 s once a provisional response is here', () => {
    const { clock, transaction, take } = start();
    transaction.receive(response(100));
    take();
    clock.advance(500 + 4000);
    expect(take()).toEqual(['send', 'send']);
  });

  it.each([
    [false, 5_000],
    [true, 0],
  ] as const)('reliable %s: absorbs responses for %d ms (timer K)', (reliable, linger) => {
    const { clock, transaction, take } = start(reliable);
    transaction.receive(response(200));
    take();
    clock.advance(linger);
    expect(take()).toEqual(['terminated']);
    expect(clock.pendingCount).toBe(0);
  });
});

describe('INVITE server transaction (RFC 3261 17.2.1, RFC 6026)', () => {
  function start(reliable = false) {
    const clock = new FakeClock();
    const log: string[] = [];
    const transaction = new InviteServerTransaction({
      clock,
      reliable,
      send: (text) => log.push(text),
      onAckTimeout: () => log.push('no ack'),
      onTerminated: () => log.push('terminated'),
    });
    return { clock, transaction, take: () => log.splice(0) };
  }
  type Event = 'invite' | 'ack' | 'acknowledged' | 180 | 200 | 486;
  const reach = { proceeding: [180], accepted: [200], completed: [486], confirmed: [486, 'ack'] } as const;
  type State = keyof typeof reach;
  function apply(transaction: InviteServerTransaction, event: Event): void {
    if (event === 'invite') transaction.receiveInvite();
    else if (event === 'ack') transaction.receiveAck();
    else if (event === 'acknowledged') transaction.acknowledged();
    else transaction.respond(event, String(event));
  }
  const table: [State, Event, string[], string][] = [
    ['proceeding', 'invite', ['180'], 'proceeding'],
    ['proceeding', 'ack', [], 'proceeding'],
    ['proceeding', 'acknowledged', [], 'proceeding'],
    ['proceeding', 180, ['180'], 'proceeding'],
    ['proceeding', 200, ['200'], 'accepted'],
    ['proceeding', 486, ['486'], 'completed'],
    ['accepted', 'invite', ['200'], 'accepted'],
    ['accepted', 'ack', [], 'accepted'],
    ['accepted', 'acknowledged', [], 'accepted'],
    ['accepted', 180, [], 'accepted'],
    ['accepted', 200, [], 'accepted'],
    ['accepted', 486, [], 'accepted'],
    ['completed', 'invite', ['486'], 'completed'],
    ['completed', 'ack', [], 'confirmed'],
    ['completed', 'acknowledged', [], 'completed'],
    ['completed', 200, [], 'completed'],
    ['completed', 486, [], 'completed'],
    ['confirmed', 'invite', [], 'confirmed'],
    ['confirmed', 'ack', [], 'confirmed'],
    ['confirmed', 'acknowledged', [], 'confirmed'],
    ['confirmed', 486, [], 'confirmed'],
  ];
  it.each(table)('%s + %s -> %j, %s', (state, event, happens, after) => {
    const { transaction, take } = start();
    for (const step of reach[state]) apply(transaction, step);
    take();
    apply(transaction, event);
    expect(take()).toEqual(happens);
    expect(transaction.state).toBe(after);
  });

  it.each([200, 486])('repeats a %d after 0.5, 1, 2, 4, 4, ... s', (status) => {
    const { clock, transaction, take } = start();
    transaction.respond(status, 'final');
    expect(take()).toEqual(['final']);
    for (const gap of [500, 1000, 2000, 4000, 4000, 4000]) {
      clock.advance(gap - 1);
      expect(take()).toEqual([]);
      clock.advance(1);
      expect(take()).toEqual(['final']);
    }
  });

  it('says that a 2xx was never ACKed, after 32 s, over any transport', () => {
    for (const reliable of [false, true]) {
      const { clock, transaction, take } = start(reliable);
      transaction.respond(200, 'ok');
      clock.advance(31_999);
      take();
      clock.advance(1);
      expect(take()).toEqual(['terminated', 'no ack']);
      expect(clock.pendingCount).toBe(0);
    }
  });

  it('ends in silence when a refusal is never ACKed (timer H)', () => {
    const { clock, transaction, take } = start(true);
    transaction.respond(486, 'busy');
    clock.advance(32_000);
    expect(take()).toEqual(['busy', 'terminated']);
  });

  it.each([
    [false, 5_000],
    [true, 0],
  ] as const)('reliable %s: absorbs ACKs for %d ms (timer I)', (reliable, linger) => {
    const { clock, transaction, take } = start(reliable);
    transaction.respond(486, 'busy');
    transaction.receiveAck();
    clock.advance(linger);
    expect(take()).toEqual(['busy', 'terminated']);
  });

  it('stays for late INVITEs after the ACK of a 2xx (timer L)', () => {
    const { clock, transaction, take } = start();
    transaction.respond(200, 'ok');
    transaction.acknowledged();
    clock.advance(31_999);
    expect(take()).toEqual(['ok']);
    clock.advance(1);
    expect(take()).toEqual(['terminated']);
  });
});

describe('non-INVITE server transaction (RFC 3261 17.2.2)', () => {
  function start(reliable = false) {
    const clock = new FakeClock();
    const log: string[] = [];
    const parts = {
      clock,
      reliable,
      send: (text: string) => log.push(text),
      onTerminated: () => log.push('terminated'),
    };
    return { clock, transaction: new NonInviteServerTransaction(parts), take: () => log.splice(0) };
  }
  const reach = { trying: [], proceeding: [100], completed: [200] } as const;
  type State = keyof typeof reach;
  const table: [State, 'request' | number, string[], string][] = [
    ['trying', 'request', [], 'trying'],
    ['trying', 100, ['100'], 'proceeding'],
    ['trying', 200, ['200'], 'completed'],
    ['proceeding', 'request', ['100'], 'proceeding'],
    ['proceeding', 404, ['404'], 'completed'],
    ['completed', 'request', ['200'], 'completed'],
    ['completed', 404, [], 'completed'],
  ];
  it.each(table)('%s + %s -> %j, %s', (state, event, happens, after) => {
    const { transaction, take } = start();
    for (const status of reach[state]) transaction.respond(status, String(status));
    take();
    if (event === 'request') transaction.receiveRequest();
    else transaction.respond(event, String(event));
    expect(take()).toEqual(happens);
    expect(transaction.state).toBe(after);
  });

  it.each([
    [false, 'completed'],
    [true, 'terminated'],
  ] as const)('reliable %s: is %s after its final response, and gone 32 s later (timer J)', (reliable, state) => {
    const { clock, transaction, take } = start(reliable);
    transaction.respond(200, '200');
    expect(transaction.state).toBe(state);
    clock.advance(32_000);
    expect(take()).toEqual(['200', 'terminated']);
    expect(clock.pendingCount).toBe(0);
  });
});
