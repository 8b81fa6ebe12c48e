import type { Calls } from './calls.js';
import { button, setText, show } from './dom.js';
import { partyWords } from './words.js';

export type State = 'idle' | 'calling' | 'incoming' | 'connected';

/** Shows what there is to see and to press in a state. */
export function showState(state: State, { active, other }: Calls, echo: boolean): void {
  document.body.dataset.state = state;
  const inCall = state === 'calling' || state === 'connected';
  show('incoming', state === 'incoming');
  show('call', inCall);
  show('dialer', state === 'idle');
  show('welcome', state === 'idle' && echo);
  show('keys', state === 'idle' || state === 'connected');
  show('dial', state === 'idle');
  show('hangup', inCall);
  for (const part of ['timer', 'quality']) show(part, state === 'connected');
  for (const id of ['hold', 'transfer']) button(id).disabled = state !== 'connected';
  const { name, address } = partyWords(active);
  for (const id of ['call-name', 'incoming-name']) setText(id, name);
  for (const id of ['call-address', 'incoming-address']) setText(id, address);
  showOther(other);
  const waiting = other?.state === 'waiting';
  const caller = waiting ? partyWords(other.call).name : state === 'incoming' ? name : undefined;
  document.title = caller === undefined ? 'Sono web phone' : `☎ ${caller} is calling`;
  const announced = waiting ? 'Call waiting from' : 'Incoming call from';
  setText('announcement', caller === undefined ? '' : `${announced} ${caller}`);
}

/** The call besides the one that is talked in: it waits to be answered, or is held. */
function showOther(other: Calls['other']): void {
  const waits = other?.state === 'waiting';
  show('other', other !== undefined);
  for (const id of ['other-accept', 'other-reject']) show(id, waits);
  show('swap', other?.state === 'held');
  const { name, address } = partyWords(other?.call);
  setText('other-name', name);
  setText('other-address', address);
  setText('other-state', other === undefined ? '' : waits ? 'Call waiting' : 'On hold');
}
