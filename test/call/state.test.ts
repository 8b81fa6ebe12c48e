import { describe, expect, it } from 'vitest';
import type { SessionDescription } from '../../plugin/call/session-description.js';
import { type CallEvent, type CallState, type CallStateName, transitions } from '../../plugin/call/state.js';
import { step } from '../../plugin/call/step.js';
import type { Termination } from '../../plugin/call/termination.js';

const answer: SessionDescription = { address: '127.0.0.1', media: [] };
const first: Termination = { result: 'cancelled', reason: 'first' };
const second: Termination = { result: 'refused', reason: 'second', sipStatus: 487 };

const states: Record<string, CallState> = {
  idle: { name: 'idle' },
  preparing: { name: 'preparing' },
  inviting: { name: 'inviting', streams: false },
  'inviting, heard early': { name: 'inviting', streams: true },
  answering: { name: 'answering', streams: false },
  'answering, heard early': { name: 'answering', streams: true },
  offered: { name: 'offered' },
  ringing: { name: 'ringing' },
  accepting: { name: 'accepting' },
  confirming: { name: 'confirming' },
  connected: { name: 'connected' },
  'cancelling, client waits': { name: 'cancelling', termination: first, told: false },
  'cancelling, client told': { name: 'cancelling', termination: first, told: true },
  'ending, client waits': { name: 'ending', termination: first, told: false },
  'ending, client told': { name: 'ending', termination: first, told: true },
  ended: { name: 'ended', termination: first },
};

const events: Record<CallEvent['type'], CallEvent> = {
  start: { type: 'start' },
  invited: { type: 'invited' },
  'media-opened': { type: 'media-opened' },
  'media-accepted': { type: 'media-accepted' },
  'media-answered': { type: 'media-answered', answer },
  'media-failed': { type: 'media-failed', termination: second },
  provisional: { type: 'provisional', status: 180, reason: 'Ringing' },
  early: { type: 'early', answer },
  'early-media-accepted': { type: 'early-media-accepted' },
  answered: { type: 'answered', answer },
  established: { type: 'established' },
  failed: { type: 'failed', termination: second },
  ended: { type: 'ended', termination: second },
  accept: { type: 'accept' },
  decline: { type: 'decline', sipStatus: 603 },
  hangup: { type: 'hangup' },
  left: { type: 'left', termination: second },
  abandon: { type: 'abandon', termination: second },
  timeout: { type: 'timeout' },
};

/**
 * The cells in which something happens: the next state, then the effects in order. A status stands as its number, `0!`
 * where the client is told the SIP status too.
 */
const cells: Record<string, Partial<Record<CallEvent['type'], string>>> = {
  idle: { start: 'preparing: 1 open-media', invited: 'offered: open-media' },
  preparing: {
    'media-opened': 'inviting: invite',
    'media-failed': 'ended: 0! finish(refused)',
    hangup: 'ended: 3 0 finish(cancelled)',
    abandon: 'ended: 0! finish(refused)',
  },
  inviting: {
    provisional: 'inviting: 1',
    early: 'inviting: early-media',
    'early-media-accepted': 'inviting: 4',
    answered: 'answering: accept-media',
    failed: 'ended: 0! finish(refused)',
    hangup: 'cancelling: cancel 3',
    'media-failed': 'cancelling: cancel 0!',
    abandon: 'cancelling: cancel 0!',
  },
  'inviting, heard early': {
    provisional: 'inviting: 1',
    early: 'inviting: early-media',
    answered: 'answering: accept-media',
    failed: 'ended: 0! finish(refused)',
    hangup: 'cancelling: cancel 3',
    'media-failed': 'cancelling: cancel 0!',
    abandon: 'cancelling: cancel 0!',
  },
  answering: {
    'media-accepted': 'connected: 4 2',
    'media-failed': 'ending: bye 0!',
    ended: 'ended: 0! finish(refused)',
    hangup: 'ending: bye 3',
    abandon: 'ending: bye 0!',
  },
  'answering, heard early': {
    'media-accepted': 'connected: 2',
    'media-failed': 'ending: bye 0!',
    ended: 'ended: 0! finish(refused)',
    hangup: 'ending: bye 3',
    abandon: 'ending: bye 0!',
  },
  offered: {
    'media-opened': 'ringing: ring announce',
    'media-failed': 'ended: reject(480) finish(refused)',
    failed: 'ended: finish(refused)',
    abandon: 'ended: reject(480) finish(refused)',
  },
  ringing: {
    accept: 'accepting: answer-media',
    decline: 'ended: reject(603) 0 finish(declined)',
    hangup: 'ended: reject(486) 0 finish(declined)',
    timeout: 'ended: reject(480) 0 finish(no-answer)',
    failed: 'ended: 0! finish(refused)',
    'media-failed': 'ended: reject(480) 0! finish(refused)',
    abandon: 'ended: reject(480) 0! finish(refused)',
  },
  accepting: {
    'media-answered': 'confirming: answer',
    'media-failed': 'ended: reject(480) 0! finish(refused)',
    failed: 'ended: 0! finish(refused)',
    hangup: 'ended: reject(486) 0 finish(declined)',
    abandon: 'ended: reject(480) 0! finish(refused)',
  },
  confirming: {
    established: 'connected: 4 2',
    'media-failed': 'ending: bye 0!',
    failed: 'ended: 0! finish(refused)',
    ended: 'ended: 0! finish(refused)',
    hangup: 'ending: bye 3',
    abandon: 'ending: bye 0!',
  },
  connected: {
    'media-failed': 'ending: bye 0!',
    ended: 'ended: 0! finish(refused)',
    hangup: 'ending: bye 3',
    left: 'ending: bye 0!',
    abandon: 'ending: bye 0!',
  },
  'cancelling, client waits': {
    answered: 'ending: bye',
    failed: 'ended: 0! finish(cancelled)',
    ended: 'ended: 0! finish(cancelled)',
    abandon: 'cancelling: 0!',
    timeout: 'ended: 0 finish(cancelled)',
  },
  'cancelling, client told': {
    answered: 'ending: bye',
    failed: 'ended: finish(cancelled)',
    ended: 'ended: finish(cancelled)',
    timeout: 'ended: finish(cancelled)',
  },
  'ending, client waits': {
    failed: 'ended: 0! finish(cancelled)',
    ended: 'ended: 0! finish(cancelled)',
    abandon: 'ending: 0!',
    timeout: 'ended: 0 finish(cancelled)',
  },
  'ending, client told': {
    failed: 'ended: finish(cancelled)',
    ended: 'ended: finish(cancelled)',
    timeout: 'ended: finish(cancelled)',
  },
  ended: { answered: 'ended: bye' },
};

function show(state: CallState, event: CallEvent): string {
  const next = step(state, event);
  const effects = next.effects.map((effect) => {
    if (effect.type === 'status') return `${effect.update.status}${effect.update.sipStatus === undefined ? '' : '!'}`;
    if (effect.type === 'reject') return `reject(${effect.sipStatus})`;
    return effect.type === 'finish' ? `finish(${effect.termination.result})` : effect.type;
  });
  return effects.length === 0 && next.state === state ? 'ignored' : `${next.state.name}: ${effects.join(' ')}`.trim();
}

describe('the call, every state and event', () => {
  for (const [name, state] of Object.entries(states)) {
    for (const event of Object.values(events)) {
      const expected = cells[name]?.[event.type] ?? 'ignored';
      it(`${name} x ${event.type} -> ${expected}`, () => {
        expect(show(state, event)).toBe(expected);
      });
      it(`${name} x ${event.type} makes a legal transition`, () => {
        const next = step(state, event).state.name;
        const legal: readonly CallStateName[] = [state.name, ...transitions[state.name]];
        expect(legal).toContain(next);
      });
    }
  }

  it('can reach every state, and every state can end', () => {
    const reached = new Set<CallStateName>(['idle']);
    for (const name of reached) for (const next of transitions[name]) reached.add(next);
    expect([...reached].sort()).toEqual(Object.keys(transitions).sort());
  });

  it('applies the answer to an offer that was ours before the incoming call is connected', () => {
    const next = step({ name: 'confirming' }, { type: 'established', answer });
    expect(next).toEqual({ state: { name: 'answering', streams: false }, effects: [{ type: 'accept-media', answer }] });
  });

  it.each(['offered', 'accepting'] as const)(
    'refuses a caller whose offer has no codec in common with 488: %s',
    (name) => {
      const termination: Termination = { result: 'no-codec', reason: 'none' };
      expect(step({ name }, { type: 'media-failed', termination }).effects[0]).toEqual({
        type: 'reject',
        sipStatus: 488,
      });
    },
  );

  it('tells the client once that it is not connected, however the call ends', () => {
    const paths: CallEvent['type'][][] = [
      ['start', 'media-opened', 'answered', 'media-accepted', 'hangup', 'abandon', 'ended'],
      ['start', 'media-opened', 'hangup', 'abandon', 'answered', 'ended'],
      ['start', 'media-opened', 'answered', 'media-failed', 'ended', 'answered'],
      ['start', 'hangup', 'media-opened', 'failed'],
      ['start', 'media-opened', 'hangup', 'timeout', 'failed', 'answered'],
    ];
    for (const path of paths) {
      let state: CallState = { name: 'idle' };
      const told: number[] = [];
      let finished = 0;
      for (const type of path) {
        const next = step(state, events[type]);
        state = next.state;
        for (const effect of next.effects) {
          if (effect.type === 'status') told.push(effect.update.status);
          if (effect.type === 'finish') finished += 1;
        }
      }
      expect(told.filter((status) => status === 0)).toHaveLength(1);
      expect(told.at(-1)).toBe(0);
      expect(finished).toBe(1);
    }
  });
});
