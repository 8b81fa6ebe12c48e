import type { CallStatusUpdate } from './ports.js';
import type { CallEffect, CallEvent, CallState, CallStateName, Step } from './state.js';
import { CallStatus } from './status.js';
import type { Termination } from './termination.js';

type EventOf<T extends CallEvent['type']> = Extract<CallEvent, { type: T }>;
type StateOf<N extends CallStateName> = Extract<CallState, { name: N }>;
type Row<N extends CallStateName> = {
  readonly [T in CallEvent['type']]?: (state: StateOf<N>, event: EventOf<T>) => Step;
};

const hungUp: Termination = { result: 'completed', reason: 'hung up by the client' };
const cancelled: Termination = { result: 'cancelled', reason: 'cancelled by the client' };

const declined: Termination = { result: 'declined', reason: 'declined by the client' };
const unanswered: Termination = { result: 'no-answer', reason: 'not answered in time' };

/** What the caller is told (RFC 3261 section 21.4). */
const busyHere = 486;
const temporarilyUnavailable = 480;
const notAcceptableHere = 488;

const status = (update: CallStatusUpdate): CallEffect => ({ type: 'status', update });
const inProgress = status({ status: CallStatus.inProgress });
const connectStreams = status({ status: CallStatus.connectStreams });
const connected = status({ status: CallStatus.connected });
const disconnecting = status({ status: CallStatus.disconnecting });

/** The client's last status: 0, with what is known of the reason. */
function notConnected({ reason, sipStatus }: Termination): CallEffect {
  return status({
    status: CallStatus.notConnected,
    reason,
    ...(sipStatus !== undefined && { sipStatus }),
  });
}

/** The call is over at both legs. */
function end(termination: Termination, told = false): Step {
  const finish: CallEffect = { type: 'finish', termination };
  return { state: { name: 'ended', termination }, effects: told ? [finish] : [notConnected(termination), finish] };
}

/** The caller is refused. `told`: the client has never heard of the call. */
function refuse(sipStatus: number, termination: Termination, told = false): Step {
  const { state, effects } = end(termination, told);
  return { state, effects: [{ type: 'reject', sipStatus }, ...effects] };
}

/** What the caller is told when there can be no media. */
const refusalOf = ({ result }: Termination): number =>
  result === 'no-codec' ? notAcceptableHere : temporarilyUnavailable;

const bye = (termination: Termination): CallEffect => ({ type: 'bye', reason: termination.reason });

/** Both sides have answered. On 4 a phone makes its streams: it gets that once. */
const connect = (streams = false): Step => ({
  state: { name: 'connected' },
  effects: streams ? [connected] : [connectStreams, connected],
});

/** The client leaves an answered call: BYE and 3 now, 0 when the far end has confirmed. */
const leave = (termination: Termination): Step => ({
  state: { name: 'ending', termination, told: false },
  effects: [bye(termination), disconnecting],
});

/** The gateway takes an answered call down: BYE, and the client is told at once. */
const takeDown = (termination: Termination): Step => ({
  state: { name: 'ending', termination, told: true },
  effects: [bye(termination), notConnected(termination)],
});

/**
 * What happened is what ended the call first: a BYE's or CANCEL's own outcome does not change the result, but the final
 * status that a cancelled INVITE brought (487) is kept for the client.
 */
const settle = (state: StateOf<'cancelling' | 'ending'>, event: EventOf<'failed' | 'ended'>): Step => {
  const { sipStatus } = event.termination;
  const termination = sipStatus === undefined ? state.termination : { ...state.termination, sipStatus };
  return end(termination, state.told);
};

/** A second reason to end reaches a call that is ending: the client is told now, the SIP side goes on. */
function tellNow<S extends StateOf<'cancelling' | 'ending'>>(state: S, event: EventOf<'abandon'>): Step {
  if (state.told) return { state, effects: [] };
  return { state: { ...state, told: true }, effects: [notConnected(event.termination)] };
}

const table: { readonly [N in CallStateName]: Row<N> } = {
  idle: {
    start: () => ({ state: { name: 'preparing' }, effects: [inProgress, { type: 'open-media' }] }),
    invited: () => ({ state: { name: 'offered' }, effects: [{ type: 'open-media' }] }),
  },
  preparing: {
    'media-opened': () => ({ state: { name: 'inviting', streams: false }, effects: [{ type: 'invite' }] }),
    'media-failed': (_, event) => end(event.termination),
    hangup: () => {
      const { state, effects } = end(cancelled);
      return { state, effects: [disconnecting, ...effects] };
    },
    abandon: (_, event) => end(event.termination),
  },
  inviting: {
    provisional: (state) => ({ state, effects: [inProgress] }),
    early: (state, { answer }) => ({ state, effects: [{ type: 'early-media', answer }] }),
    'early-media-accepted': (state) =>
      state.streams
        ? { state, effects: [] }
        : { state: { name: 'inviting', streams: true }, effects: [connectStreams] },
    answered: ({ streams }, { answer }) => ({
      state: { name: 'answering', streams },
      effects: [{ type: 'accept-media', answer }],
    }),
    failed: (_, event) => end(event.termination),
    hangup: () => ({
      state: { name: 'cancelling', termination: cancelled, told: false },
      effects: [{ type: 'cancel' }, disconnecting],
    }),
    'media-failed': (_, { termination }) => ({
      state: { name: 'cancelling', termination, told: true },
      effects: [{ type: 'cancel' }, notConnected(termination)],
    }),
    abandon: (_, { termination }) => ({
      state: { name: 'cancelling', termination, told: true },
      effects: [{ type: 'cancel' }, notConnected(termination)],
    }),
  },
  offered: {
    'media-opened': () => ({ state: { name: 'ringing' }, effects: [{ type: 'ring' }, { type: 'announce' }] }),
    'media-failed': (_, { termination }) => refuse(refusalOf(termination), termination, true),
    failed: (_, event) => end(event.termination, true),
    abandon: (_, event) => refuse(temporarilyUnavailable, event.termination, true),
  },
  ringing: {
    accept: () => ({ state: { name: 'accepting' }, effects: [{ type: 'answer-media' }] }),
    decline: (_, event) => refuse(event.sipStatus, declined),
    hangup: () => refuse(busyHere, declined),
    timeout: () => refuse(temporarilyUnavailable, unanswered),
    failed: (_, event) => end(event.termination),
    'media-failed': (_, event) => refuse(temporarilyUnavailable, event.termination),
    abandon: (_, event) => refuse(temporarilyUnavailable, event.termination),
  },
  accepting: {
    'media-answered': (_, { answer }) => ({ state: { name: 'confirming' }, effects: [{ type: 'answer', answer }] }),
    'media-failed': (_, { termination }) => refuse(refusalOf(termination), termination),
    failed: (_, event) => end(event.termination),
    hangup: () => refuse(busyHere, declined),
    abandon: (_, event) => refuse(temporarilyUnavailable, event.termination),
  },
  confirming: {
    established: (_, { answer }) =>
      answer === undefined
        ? connect()
        : { state: { name: 'answering', streams: false }, effects: [{ type: 'accept-media', answer }] },
    'media-failed': (_, event) => takeDown(event.termination),
    failed: (_, event) => end(event.termination),
    ended: (_, event) => end(event.termination),
    hangup: () => leave(hungUp),
    abandon: (_, event) => takeDown(event.termination),
  },
  answering: {
    'media-accepted': ({ streams }) => connect(streams),
    'media-failed': (_, event) => takeDown(event.termination),
    ended: (_, event) => end(event.termination),
    hangup: () => leave(hungUp),
    abandon: (_, event) => takeDown(event.termination),
  },
  connected: {
    'media-failed': (_, event) => takeDown(event.termination),
    ended: (_, event) => end(event.termination),
    hangup: () => leave(hungUp),
    left: (_, event) => takeDown(event.termination),
    abandon: (_, event) => takeDown(event.termination),
  },
  cancelling: {
    // The answer crossed the CANCEL (RFC 3261 section 9.1): the dialog exists and has to be ended by BYE.
    answered: (state) => ({ state: { ...state, name: 'ending' }, effects: [bye(state.termination)] }),
    failed: settle,
    ended: settle,
    abandon: tellNow,
    timeout: (state) => end(state.termination, state.told),
  },
  ending: {
    failed: settle,
    ended: settle,
    abandon: tellNow,
    timeout: (state) => end(state.termination, state.told),
  },
  ended: {
    // An answer later than the time-out of a CANCEL: the client has long been told, the far end must not be left hanging.
    answered: (state) => ({ state, effects: [bye(state.termination)] }),
  },
};

/** The next state and what is to be done. An event that means nothing in a state leaves it as it is. */
export function step(state: CallState, event: CallEvent): Step {
  const row = table[state.name] as Row<CallStateName>;
  const cell = row[event.type] as ((state: CallState, event: CallEvent) => Step) | undefined;
  return cell ? cell(state, event) : { state, effects: [] };
}
