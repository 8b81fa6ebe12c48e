import type { CallSetupEvent, CallStatusUpdate } from './ports.js';
import type { SessionDescription } from './session-description.js';
import type { Termination } from './termination.js';

/**
 * A call as a pure state machine: an outgoing one begins with `start`, an incoming one with `invited`. `told` says that
 * the client has had its final status 0 while the SIP side is still being taken down; `streams` that it has had its 4,
 * because the far end was to be heard before it answered.
 */
export type CallState =
  | { readonly name: 'idle' }
  | { readonly name: 'preparing' } // media is being opened, nothing is on the wire
  | { readonly name: 'inviting'; readonly streams: boolean } // INVITE sent, no final response
  | { readonly name: 'answering'; readonly streams: boolean } // both have answered, the far end's description is being applied
  | { readonly name: 'offered' } // INVITE received, media is being opened, nobody was told
  | { readonly name: 'ringing' } // 180 sent, the client was told
  | { readonly name: 'accepting' } // accepted by the client, media makes its answer
  | { readonly name: 'confirming' } // 200 is being sent
  | { readonly name: 'connected' }
  | { readonly name: 'cancelling'; readonly termination: Termination; readonly told: boolean }
  | { readonly name: 'ending'; readonly termination: Termination; readonly told: boolean } // BYE sent
  | { readonly name: 'ended'; readonly termination: Termination };

export type CallStateName = CallState['name'];

export type CallEvent =
  | { readonly type: 'start' }
  | { readonly type: 'invited' }
  | { readonly type: 'media-opened' }
  | { readonly type: 'media-accepted' }
  | { readonly type: 'media-answered'; readonly answer: SessionDescription }
  | { readonly type: 'media-failed'; readonly termination: Termination }
  | { readonly type: 'early-media-accepted' }
  | CallSetupEvent
  | { readonly type: 'accept' } // the client's own wishes
  | { readonly type: 'decline'; readonly sipStatus: number }
  | { readonly type: 'hangup' }
  | { readonly type: 'left'; readonly termination: Termination } // the far end talks to somebody else now
  | { readonly type: 'abandon'; readonly termination: Termination } // the client has gone, or the gateway stops
  | { readonly type: 'timeout' }; // nobody answered, or the far end did not confirm CANCEL or BYE in time

export type CallEffect =
  | { readonly type: 'open-media' }
  | { readonly type: 'invite' }
  | { readonly type: 'accept-media'; readonly answer: SessionDescription }
  | { readonly type: 'early-media'; readonly answer: SessionDescription }
  | { readonly type: 'cancel' }
  | { readonly type: 'ring' }
  | { readonly type: 'announce' }
  | { readonly type: 'answer-media' }
  | { readonly type: 'answer'; readonly answer: SessionDescription }
  | { readonly type: 'reject'; readonly sipStatus: number }
  | { readonly type: 'bye'; readonly reason: string }
  | { readonly type: 'status'; readonly update: CallStatusUpdate }
  | { readonly type: 'finish'; readonly termination: Termination };

export interface Step {
  readonly state: CallState;
  readonly effects: readonly CallEffect[];
}

/** Every legal change of state; a call makes no other. */
export const transitions: Readonly<Record<CallStateName, readonly CallStateName[]>> = {
  idle: ['preparing', 'offered'],
  preparing: ['inviting', 'ended'],
  inviting: ['answering', 'cancelling', 'ended'],
  answering: ['connected', 'ending', 'ended'],
  offered: ['ringing', 'ended'],
  ringing: ['accepting', 'ended'],
  accepting: ['confirming', 'ended'],
  confirming: ['answering', 'connected', 'ending', 'ended'],
  connected: ['ending', 'ended'],
  cancelling: ['ending', 'ended'],
  ending: ['ended'],
  ended: [],
};
