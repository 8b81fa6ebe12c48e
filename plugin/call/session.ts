import { type Direction, isHeld, type SessionDescription } from './session-description.js';

/** The session of an answered call as a pure state machine: who holds it, and whose offer is on its way. */
export interface SessionState {
  /** What the client wants. */
  readonly wanted: boolean;
  /** Whether the client holds the call, as agreed with the far end. */
  readonly local: boolean;
  /** Whether the far end does. */
  readonly remote: boolean;
  /** What our offer says that is waiting for its answer. */
  readonly offering: boolean | undefined;
}

export type SessionEvent =
  | { readonly type: 'hold'; readonly held: boolean } // the client's wish
  | { readonly type: 'changed'; readonly answer: SessionDescription } // the far end takes our offer
  | { readonly type: 'unchanged'; readonly reason: string } // it does not
  | { readonly type: 'offered'; readonly offer?: SessionDescription } // it makes one, or wants to hear ours
  | { readonly type: 'answer-made'; readonly offer: SessionDescription; readonly answer: SessionDescription }
  | { readonly type: 'answer-refused' } // the media cannot do what it offers
  | { readonly type: 'described'; readonly answer: SessionDescription }; // its answer to the offer it wanted to hear

export type SessionEffect =
  | { readonly type: 'offer'; readonly direction: Direction }
  | { readonly type: 'apply'; readonly answer: SessionDescription }
  | { readonly type: 'make-answer'; readonly offer: SessionDescription; readonly held: boolean }
  | { readonly type: 'accept'; readonly answer: SessionDescription }
  | { readonly type: 'accept-with-offer'; readonly direction: Direction }
  | { readonly type: 'refuse'; readonly sipStatus: number }
  | { readonly type: 'tell'; readonly local: boolean; readonly remote: boolean; readonly reason?: string };

export interface SessionStep {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

export const answeredSession: SessionState = { wanted: false, local: false, remote: false, offering: undefined };

const notAcceptableHere = 488;

/** Held, we go on sending nothing but could; where the far end holds as well neither does. */
function directionOf(held: boolean, remote: boolean): Direction {
  if (!held) return 'sendrecv';
  return remote ? 'inactive' : 'sendonly';
}

/** Begins an offer of what the client wants, unless one is on its way: its answer comes first. */
function pursue(state: SessionState): SessionStep {
  const { wanted, local, remote, offering } = state;
  if (offering !== undefined || wanted === local) return { state, effects: [] };
  return {
    state: { ...state, offering: wanted },
    effects: [{ type: 'offer', direction: directionOf(wanted, remote) }],
  };
}

/** The client hears of a change, and of a wish that did not come true. */
function tell(before: SessionState, { local, remote }: SessionState, reason?: string): SessionEffect[] {
  if (before.local === local && before.remote === remote && reason === undefined) return [];
  return [{ type: 'tell', local, remote, ...(reason !== undefined && { reason }) }];
}

/** The next state and what is to be done. */
export function stepSession(state: SessionState, event: SessionEvent): SessionStep {
  switch (event.type) {
    case 'hold':
      return pursue({ ...state, wanted: event.held });
    case 'changed':
      return changed(state, event.answer);
    case 'unchanged': {
      // Only an offer of the client's is a wish: a refresh that is refused changes nothing.
      if (state.offering === undefined) return { state, effects: [] };
      const next = { ...state, wanted: state.local, offering: undefined };
      return { state: next, effects: tell(state, next, event.reason) };
    }
    case 'offered': {
      const { offer } = event;
      const { local, remote } = state;
      if (offer) return { state, effects: [{ type: 'make-answer', offer, held: local }] };
      return { state, effects: [{ type: 'accept-with-offer', direction: directionOf(local, remote && local) }] };
    }
    case 'answer-made': {
      const next = { ...state, remote: isHeld(event.offer) };
      return { state: next, effects: [{ type: 'accept', answer: event.answer }, ...tell(state, next)] };
    }
    case 'answer-refused':
      return { state, effects: [{ type: 'refuse', sipStatus: notAcceptableHere }] };
    case 'described': {
      const next = { ...state, remote: state.local ? state.remote : isHeld(event.answer) };
      return { state: next, effects: [{ type: 'apply', answer: event.answer }, ...tell(state, next)] };
    }
  }
}

function changed(state: SessionState, answer: SessionDescription): SessionStep {
  const { offering } = state;
  if (offering === undefined) return { state, effects: [] };
  // To an offer that holds, an answer says nothing of what the far end itself wants.
  const remote = offering ? state.remote : isHeld(answer);
  const agreed = { ...state, local: offering, remote, offering: undefined };
  const { state: next, effects } = pursue(agreed);
  return { state: next, effects: [{ type: 'apply', answer }, ...tell(state, agreed), ...effects] };
}
