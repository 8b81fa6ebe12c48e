import type { DialTarget, Referral } from './ports.js';
import type { SessionDescription } from './session-description.js';
import type { Termination } from './termination.js';

/**
 * How an answered call passes on to another far end, as a pure state machine. The successor is the SIP side that is to
 * take the place of the present one; `alone` says that the present one has gone already, so that the call stands and
 * falls with the successor.
 */
export type TransferState =
  | { readonly name: 'none' }
  | { readonly name: 'asked'; readonly uri: string } // we have asked the far end to call somebody else
  | { readonly name: 'following'; readonly uri: string; readonly referred: true; readonly alone: boolean } // it has asked us: INVITE sent
  | { readonly name: 'joining'; readonly uri: string; readonly referred: false; readonly alone: boolean } // somebody takes its place: 200 sent
  | { readonly name: 'switching'; readonly uri: string; readonly referred: boolean; readonly alone: boolean }; // media is being switched

export type TransferEvent =
  | { readonly type: 'transfer'; readonly uri: string } // the client's wish
  | { readonly type: 'transferred' }
  | { readonly type: 'transfer-failed'; readonly reason: string }
  | { readonly type: 'referred'; readonly referral: Referral; readonly target: DialTarget }
  | { readonly type: 'replaced'; readonly uri: string } // of one at a time: a second is not let in
  | { readonly type: 'successor-answered'; readonly answer: SessionDescription }
  | { readonly type: 'successor-established' }
  | { readonly type: 'successor-failed'; readonly termination: Termination }
  | { readonly type: 'media-switched' }
  | { readonly type: 'media-failed'; readonly termination: Termination }
  | { readonly type: 'ended'; readonly termination: Termination } // the present far end has hung up
  | { readonly type: 'stop' }; // the call is being ended

export type TransferEffect =
  | { readonly type: 'refer'; readonly uri: string }
  | { readonly type: 'tell-transferred'; readonly uri: string }
  | { readonly type: 'tell-failed'; readonly reason: string }
  | { readonly type: 'leave'; readonly uri: string } // the far end talks to somebody else now
  | { readonly type: 'accept-referral' }
  | { readonly type: 'refuse-referral'; readonly sipStatus: number }
  | { readonly type: 'report'; readonly sipStatus: number; readonly reason: string }
  | { readonly type: 'follow'; readonly referral: Referral; readonly uri: string }
  | { readonly type: 'switch-media'; readonly answer: SessionDescription }
  | { readonly type: 'answer-successor' }
  | { readonly type: 'refuse-successor'; readonly sipStatus: number }
  | { readonly type: 'succeed'; readonly bye: boolean } // the successor is the present one from now on
  | { readonly type: 'drop-successor'; readonly reason: string }
  | { readonly type: 'end'; readonly termination: Termination };

export interface TransferStep {
  readonly state: TransferState;
  readonly effects: readonly TransferEffect[];
}

export const noTransfer: TransferState = { name: 'none' };

const forbidden = 403;
const notAcceptableHere = 488;
const requestPending = 491;
const serverError = 500;

const stay = (state: TransferState): TransferStep => ({ state, effects: [] });
const back = (...effects: readonly TransferEffect[]): TransferStep => ({ state: noTransfer, effects });

/** The next state and what is to be done. An event that means nothing in a state leaves it as it is. */
export function stepTransfer(state: TransferState, event: TransferEvent): TransferStep {
  switch (state.name) {
    case 'none':
      return begin(state, event);
    case 'asked':
      return asked(state, event);
    default:
      return succession(state, event);
  }
}

function begin(state: TransferState, event: TransferEvent): TransferStep {
  switch (event.type) {
    case 'transfer':
      return { state: { name: 'asked', uri: event.uri }, effects: [{ type: 'refer', uri: event.uri }] };
    case 'referred': {
      const { referral, target } = event;
      if ('refusal' in target) return back({ type: 'refuse-referral', sipStatus: forbidden });
      const { uri } = target;
      return {
        state: { name: 'following', uri, referred: true, alone: false },
        effects: [{ type: 'accept-referral' }, { type: 'follow', referral, uri }],
      };
    }
    case 'replaced':
      return {
        state: { name: 'joining', uri: event.uri, referred: false, alone: false },
        effects: [{ type: 'answer-successor' }],
      };
    case 'ended':
      return back({ type: 'end', termination: event.termination });
    default:
      return stay(state);
  }
}

function asked(state: Extract<TransferState, { name: 'asked' }>, event: TransferEvent): TransferStep {
  switch (event.type) {
    case 'transferred':
      return back({ type: 'tell-transferred', uri: state.uri }, { type: 'leave', uri: state.uri });
    case 'transfer-failed':
      return back({ type: 'tell-failed', reason: event.reason });
    case 'referred':
      return { state, effects: [{ type: 'refuse-referral', sipStatus: requestPending }] };
    case 'replaced':
    case 'ended':
      return begin(state, event);
    case 'stop':
      return back();
    default:
      return stay(state);
  }
}

type Succession = Extract<TransferState, { name: 'following' | 'switching' | 'joining' }>;

function succession(state: Succession, event: TransferEvent): TransferStep {
  switch (event.type) {
    case 'successor-answered':
      if (state.name === 'switching') return stay(state);
      return { state: { ...state, name: 'switching' }, effects: [{ type: 'switch-media', answer: event.answer }] };
    case 'media-switched':
      return state.name === 'switching' ? succeed(state) : stay(state);
    case 'successor-established':
      return state.name === 'joining' ? succeed(state) : stay(state);
    case 'media-failed': {
      const { termination } = event;
      if (state.name === 'following') return stay(state);
      const out: TransferEffect =
        state.name === 'joining'
          ? { type: 'refuse-successor', sipStatus: notAcceptableHere }
          : { type: 'drop-successor', reason: termination.reason };
      return fail(state, { ...termination, sipStatus: notAcceptableHere }, out);
    }
    case 'successor-failed':
      return fail(state, event.termination);
    case 'referred':
      return { state, effects: [{ type: 'refuse-referral', sipStatus: requestPending }] };
    case 'ended':
      return stay({ ...state, alone: true });
    case 'stop':
      return back({ type: 'drop-successor', reason: 'the call has ended' });
    default:
      return stay(state);
  }
}

/** The far end that has asked for it hears of it first. */
function succeed({ uri, referred, alone }: Succession): TransferStep {
  const report: TransferEffect[] = referred && !alone ? [{ type: 'report', sipStatus: 200, reason: 'OK' }] : [];
  return back(...report, { type: 'succeed', bye: !alone }, { type: 'tell-transferred', uri });
}

function fail({ referred, alone }: Succession, termination: Termination, ...first: TransferEffect[]): TransferStep {
  const { sipStatus = serverError, reason } = termination;
  if (alone) return back(...first, { type: 'end', termination });
  return back(...first, ...(referred ? [{ type: 'report', sipStatus, reason } as const] : []));
}
