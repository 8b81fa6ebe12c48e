import { describe, expect, it } from 'vitest';
import type { Referral } from '../../plugin/call/ports.js';
import { stepTransfer, type TransferEvent, type TransferState } from '../../plugin/call/transfer.js';

const [there, here] = ['sip:carol@example.com', 'sip:bob@example.com'];
const referral: Referral = { uri: there };
const answer = { address: '192.0.2.1', media: [] };
const termination = { result: 'busy', reason: 'Busy Here', sipStatus: 486 } as const;

const referred = { uri: there, referred: true } as const;
const joining = { name: 'joining', uri: there, referred: false } as const;
const states: Record<string, TransferState> = {
  none: { name: 'none' },
  asked: { name: 'asked', uri: there },
  following: { name: 'following', ...referred, alone: false },
  'following alone': { name: 'following', ...referred, alone: true },
  joining: { ...joining, alone: false },
  'joining alone': { ...joining, alone: true },
  'switching after REFER': { name: 'switching', ...referred, alone: false },
  'switching after REFER, alone': { name: 'switching', ...referred, alone: true },
  'switching after Replaces': { ...joining, name: 'switching', alone: false },
  'switching after Replaces, alone': { ...joining, name: 'switching', alone: true },
};

const events: Record<string, TransferEvent> = {
  transfer: { type: 'transfer', uri: there },
  transferred: { type: 'transferred' },
  'transfer-failed': { type: 'transfer-failed', reason: '603 Decline' },
  referred: { type: 'referred', referral, target: { uri: there } },
  'referred, forbidden': { type: 'referred', referral, target: { refusal: 'no' } },
  replaced: { type: 'replaced', uri: there },
  'successor-answered': { type: 'successor-answered', answer },
  'successor-established': { type: 'successor-established' },
  'successor-failed': { type: 'successor-failed', termination },
  'media-switched': { type: 'media-switched' },
  'media-failed': { type: 'media-failed', termination: { result: 'no-codec', reason: 'no codec' } },
  ended: { type: 'ended', termination: { result: 'completed', reason: 'hung up' } },
  stop: { type: 'stop' },
};

/** The cells in which something happens: the effects in order, and the next state. */
const refuseReferral = 'refuse-referral(491)';
const drop = 'drop-successor -> none';
const cells: Record<string, Record<string, string>> = {
  none: {
    transfer: 'refer -> asked',
    referred: 'accept-referral follow -> following',
    'referred, forbidden': 'refuse-referral(403) -> none',
    replaced: 'answer-successor -> joining',
    ended: 'end(completed) -> none',
  },
  asked: {
    transferred: 'tell-transferred leave -> none',
    'transfer-failed': 'tell-failed -> none',
    referred: `${refuseReferral} -> asked`,
    'referred, forbidden': `${refuseReferral} -> asked`,
    replaced: 'answer-successor -> joining',
    ended: 'end(completed) -> none',
    stop: '-> none',
  },
  following: {
    'successor-answered': 'switch-media -> switching after REFER',
    'successor-failed': 'report(486) -> none',
    referred: `${refuseReferral} -> following`,
    'referred, forbidden': `${refuseReferral} -> following`,
    ended: '-> following alone',
    stop: drop,
  },
  'following alone': {
    'successor-answered': 'switch-media -> switching after REFER, alone',
    'successor-failed': 'end(busy) -> none',
    referred: `${refuseReferral} -> following alone`,
    'referred, forbidden': `${refuseReferral} -> following alone`,
    stop: drop,
  },
  joining: {
    'successor-answered': 'switch-media -> switching after Replaces',
    'successor-established': 'succeed(bye) tell-transferred -> none',
    'successor-failed': '-> none',
    'media-failed': 'refuse-successor(488) -> none',
    referred: `${refuseReferral} -> joining`,
    'referred, forbidden': `${refuseReferral} -> joining`,
    ended: '-> joining alone',
    stop: drop,
  },
  'joining alone': {
    'successor-answered': 'switch-media -> switching after Replaces, alone',
    'successor-established': 'succeed tell-transferred -> none',
    'successor-failed': 'end(busy) -> none',
    'media-failed': 'refuse-successor(488) end(no-codec) -> none',
    referred: `${refuseReferral} -> joining alone`,
    'referred, forbidden': `${refuseReferral} -> joining alone`,
    stop: drop,
  },
  'switching after REFER': {
    'media-switched': 'report(200) succeed(bye) tell-transferred -> none',
    'media-failed': 'drop-successor report(488) -> none',
    'successor-failed': 'report(486) -> none',
    referred: `${refuseReferral} -> switching after REFER`,
    'referred, forbidden': `${refuseReferral} -> switching after REFER`,
    ended: '-> switching after REFER, alone',
    stop: drop,
  },
  'switching after REFER, alone': {
    'media-switched': 'succeed tell-transferred -> none',
    'media-failed': 'drop-successor end(no-codec) -> none',
    'successor-failed': 'end(busy) -> none',
    referred: `${refuseReferral} -> switching after REFER, alone`,
    'referred, forbidden': `${refuseReferral} -> switching after REFER, alone`,
    stop: drop,
  },
  'switching after Replaces': {
    'media-switched': 'succeed(bye) tell-transferred -> none',
    'media-failed': 'drop-successor -> none',
    'successor-failed': '-> none',
    referred: `${refuseReferral} -> switching after Replaces`,
    'referred, forbidden': `${refuseReferral} -> switching after Replaces`,
    ended: '-> switching after Replaces, alone',
    stop: drop,
  },
  'switching after Replaces, alone': {
    'media-switched': 'succeed tell-transferred -> none',
    'media-failed': 'drop-successor end(no-codec) -> none',
    'successor-failed': 'end(busy) -> none',
    referred: `${refuseReferral} -> switching after Replaces, alone`,
    'referred, forbidden': `${refuseReferral} -> switching after Replaces, alone`,
    stop: drop,
  },
};

function show(state: TransferState, event: TransferEvent): string {
  const { state: next, effects } = stepTransfer(state, event);
  const done = effects.map((effect) => {
    if ('sipStatus' in effect) return `${effect.type}(${effect.sipStatus})`;
    if (effect.type === 'succeed') return effect.bye ? 'succeed(bye)' : 'succeed';
    return effect.type === 'end' ? `end(${effect.termination.result})` : effect.type;
  });
  const name = Object.entries(states).find(
    ([, other]) => JSON.stringify(sorted(other)) === JSON.stringify(sorted(next)),
  );
  return [...done, '->', name?.[0] ?? JSON.stringify(next)].join(' ');
}

const sorted = (state: TransferState) => Object.entries(state).sort(([a], [b]) => a.localeCompare(b));

describe('the transfer, every state and event', () => {
  for (const [name, state] of Object.entries(states)) {
    for (const [what, event] of Object.entries(events)) {
      it(`${name} x ${what}`, () => expect(show(state, event)).toBe(cells[name]?.[what] ?? `-> ${name}`));
    }
  }

  it('tells whom the client talks to now', () => {
    const joined = stepTransfer({ ...joining, uri: here, alone: false }, { type: 'successor-established' });
    expect(joined.effects).toContainEqual({ type: 'tell-transferred', uri: here });
  });
});
