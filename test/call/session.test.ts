import { describe, expect, it } from 'vitest';
import { type SessionEvent, type SessionState, stepSession } from '../../plugin/call/session.js';
import type { MediaDescription, SessionDescription } from '../../plugin/call/session-description.js';
import { isHeld } from '../../plugin/call/session-description.js';

const audio: MediaDescription = { kind: 'audio', port: 4000, protocol: 'RTP/AVP', direction: 'sendrecv', formats: [] };
const described = (media: Partial<MediaDescription> = {}, address = '192.0.2.1'): SessionDescription => ({
  address,
  media: [{ ...audio, ...media }],
});
const open = described();
const held = described({ direction: 'sendonly' });

/** Named by who holds, then by the offer that is on its way: `wanted/local/remote offering`. */
const states: Record<string, SessionState> = {
  'nobody holds': { wanted: false, local: false, remote: false, offering: undefined },
  'we hold': { wanted: true, local: true, remote: false, offering: undefined },
  'they hold': { wanted: false, local: false, remote: true, offering: undefined },
  'both hold': { wanted: true, local: true, remote: true, offering: undefined },
  'holding is offered': { wanted: true, local: false, remote: false, offering: true },
  'holding is offered, and no longer wanted': { wanted: false, local: false, remote: false, offering: true },
  'going on is offered': { wanted: false, local: true, remote: false, offering: false },
  'going on is offered, and no longer wanted': { wanted: true, local: true, remote: false, offering: false },
};

const events: Record<string, SessionEvent> = {
  hold: { type: 'hold', held: true },
  'go on': { type: 'hold', held: false },
  changed: { type: 'changed', answer: open },
  'changed, they hold': { type: 'changed', answer: held },
  unchanged: { type: 'unchanged', reason: 'no' },
  offered: { type: 'offered', offer: open },
  'offered nothing': { type: 'offered' },
  'answer made': { type: 'answer-made', offer: open, answer: open },
  'answer made, they hold': { type: 'answer-made', offer: held, answer: open },
  'answer refused': { type: 'answer-refused' },
  described: { type: 'described', answer: open },
  'described, they hold': { type: 'described', answer: held },
};

/** What is done, in order; `tell` with who holds then: l for us, r for them. Behind the arrow the state, by its name or its parts. */
const cells: Record<string, Record<string, string>> = {
  'nobody holds': {
    hold: 'offer(sendonly) -> holding is offered',
    'go on': '-> nobody holds',
    changed: '-> nobody holds',
    'changed, they hold': '-> nobody holds',
    unchanged: '-> nobody holds',
    offered: 'make-answer -> nobody holds',
    'offered nothing': 'accept-with-offer(sendrecv) -> nobody holds',
    'answer made': 'accept -> nobody holds',
    'answer made, they hold': 'accept tell(r) -> they hold',
    'answer refused': 'refuse(488) -> nobody holds',
    described: 'apply -> nobody holds',
    'described, they hold': 'apply tell(r) -> they hold',
  },
  'we hold': {
    hold: '-> we hold',
    'go on': 'offer(sendrecv) -> going on is offered',
    changed: '-> we hold',
    'changed, they hold': '-> we hold',
    unchanged: '-> we hold',
    offered: 'make-answer(held) -> we hold',
    'offered nothing': 'accept-with-offer(sendonly) -> we hold',
    'answer made': 'accept -> we hold',
    'answer made, they hold': 'accept tell(lr) -> both hold',
    'answer refused': 'refuse(488) -> we hold',
    described: 'apply -> we hold',
    'described, they hold': 'apply -> we hold',
  },
  'they hold': {
    hold: 'offer(inactive) -> wanted remote offering true',
    'go on': '-> they hold',
    changed: '-> they hold',
    'changed, they hold': '-> they hold',
    unchanged: '-> they hold',
    offered: 'make-answer -> they hold',
    'offered nothing': 'accept-with-offer(sendrecv) -> they hold',
    'answer made': 'accept tell() -> nobody holds',
    'answer made, they hold': 'accept -> they hold',
    'answer refused': 'refuse(488) -> they hold',
    described: 'apply tell() -> nobody holds',
    'described, they hold': 'apply -> they hold',
  },
  'both hold': {
    hold: '-> both hold',
    'go on': 'offer(sendrecv) -> local remote offering false',
    changed: '-> both hold',
    'changed, they hold': '-> both hold',
    unchanged: '-> both hold',
    offered: 'make-answer(held) -> both hold',
    'offered nothing': 'accept-with-offer(inactive) -> both hold',
    'answer made': 'accept tell(l) -> we hold',
    'answer made, they hold': 'accept -> both hold',
    'answer refused': 'refuse(488) -> both hold',
    described: 'apply -> both hold',
    'described, they hold': 'apply -> both hold',
  },
  'holding is offered': {
    hold: '-> holding is offered',
    'go on': '-> holding is offered, and no longer wanted',
    changed: 'apply tell(l) -> we hold',
    'changed, they hold': 'apply tell(l) -> we hold',
    unchanged: 'tell(: no) -> nobody holds',
    offered: 'make-answer -> holding is offered',
    'offered nothing': 'accept-with-offer(sendrecv) -> holding is offered',
    'answer made': 'accept -> holding is offered',
    'answer made, they hold': 'accept tell(r) -> wanted remote offering true',
    'answer refused': 'refuse(488) -> holding is offered',
    described: 'apply -> holding is offered',
    'described, they hold': 'apply tell(r) -> wanted remote offering true',
  },
  'holding is offered, and no longer wanted': {
    hold: '-> holding is offered',
    'go on': '-> holding is offered, and no longer wanted',
    changed: 'apply tell(l) offer(sendrecv) -> going on is offered',
    'changed, they hold': 'apply tell(l) offer(sendrecv) -> going on is offered',
    unchanged: 'tell(: no) -> nobody holds',
    offered: 'make-answer -> holding is offered, and no longer wanted',
    'offered nothing': 'accept-with-offer(sendrecv) -> holding is offered, and no longer wanted',
    'answer made': 'accept -> holding is offered, and no longer wanted',
    'answer made, they hold': 'accept tell(r) -> remote offering true',
    'answer refused': 'refuse(488) -> holding is offered, and no longer wanted',
    described: 'apply -> holding is offered, and no longer wanted',
    'described, they hold': 'apply tell(r) -> remote offering true',
  },
  'going on is offered': {
    hold: '-> going on is offered, and no longer wanted',
    'go on': '-> going on is offered',
    changed: 'apply tell() -> nobody holds',
    'changed, they hold': 'apply tell(r) -> they hold',
    unchanged: 'tell(l: no) -> we hold',
    offered: 'make-answer(held) -> going on is offered',
    'offered nothing': 'accept-with-offer(sendonly) -> going on is offered',
    'answer made': 'accept -> going on is offered',
    'answer made, they hold': 'accept tell(lr) -> local remote offering false',
    'answer refused': 'refuse(488) -> going on is offered',
    described: 'apply -> going on is offered',
    'described, they hold': 'apply -> going on is offered',
  },
  'going on is offered, and no longer wanted': {
    hold: '-> going on is offered, and no longer wanted',
    'go on': '-> going on is offered',
    changed: 'apply tell() offer(sendonly) -> holding is offered',
    'changed, they hold': 'apply tell(r) offer(inactive) -> wanted remote offering true',
    unchanged: 'tell(l: no) -> we hold',
    offered: 'make-answer(held) -> going on is offered, and no longer wanted',
    'offered nothing': 'accept-with-offer(sendonly) -> going on is offered, and no longer wanted',
    'answer made': 'accept -> going on is offered, and no longer wanted',
    'answer made, they hold': 'accept tell(lr) -> wanted local remote offering false',
    'answer refused': 'refuse(488) -> going on is offered, and no longer wanted',
    described: 'apply -> going on is offered, and no longer wanted',
    'described, they hold': 'apply -> going on is offered, and no longer wanted',
  },
};

function nameOf(state: SessionState): string {
  const known = Object.entries(states).find(([, other]) => JSON.stringify(other) === JSON.stringify(state));
  if (known) return known[0];
  const { wanted, local, remote, offering } = state;
  const parts = [
    wanted && 'wanted',
    local && 'local',
    remote && 'remote',
    offering !== undefined && `offering ${offering}`,
  ];
  return parts.filter((part) => part !== false).join(' ');
}

function show(state: SessionState, event: SessionEvent): string {
  const { state: next, effects } = stepSession(state, event);
  const done = effects.map((effect) => {
    switch (effect.type) {
      case 'offer':
      case 'accept-with-offer':
        return `${effect.type}(${effect.direction})`;
      case 'make-answer':
        return effect.held ? 'make-answer(held)' : 'make-answer';
      case 'refuse':
        return `refuse(${effect.sipStatus})`;
      case 'tell': {
        const who = `${effect.local ? 'l' : ''}${effect.remote ? 'r' : ''}`;
        return `tell(${who}${effect.reason === undefined ? '' : `: ${effect.reason}`})`;
      }
      default:
        return effect.type;
    }
  });
  return [...done, '->', nameOf(next)].join(' ');
}

describe('the session, every state and event', () => {
  for (const [name, state] of Object.entries(states)) {
    for (const [what, event] of Object.entries(events)) {
      it(`${name} x ${what}`, () => expect(show(state, event)).toBe(cells[name]?.[what]));
    }
  }
});

describe('hold in a description', () => {
  it.each([
    ['sendrecv', open, false],
    ['recvonly', described({ direction: 'recvonly' }), false],
    ['sendonly', held, true],
    ['inactive', described({ direction: 'inactive' }), true],
    ['an address of zeros', described({}, '0.0.0.0'), true],
    ['an IPv6 address of zeros', described({}, '::'), true],
    ['an address of zeros of the audio alone', described({ address: '0.0.0.0' }), true],
    ['an address of the audio, zeros of the session', described({ address: '192.0.2.2' }, '0.0.0.0'), false],
    ['port 0', described({ port: 0 }), true],
    ['no audio', { address: '192.0.2.1', media: [] }, true],
  ] as const)('%s: %s', (_, description, expected) => expect(isHeld(description)).toBe(expected));
});
