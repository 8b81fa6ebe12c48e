import type { Call } from '../call/call.js';
import type { CallObserver } from '../call/call-ports.js';
import type { CallParties } from '../call/parties.js';
import type { CallRegistry } from '../call/registry.js';
import type { Logger } from './log.js';

/** Three lines a call, and one for each transfer: started, connected, ended with its result and what its media measured. */
export function callLog(log: Logger, calls: CallRegistry, session: string): CallObserver {
  const started = new WeakMap<Call, number>();
  const elapsed = (call: Call) => Date.now() - (started.get(call) ?? Date.now());
  return {
    changed(call, state) {
      if (state === 'preparing' || state === 'offered') {
        started.set(call, Date.now());
        log.info({ call: call.id, session, ...describe(call.parties) }, 'call started');
      } else if (state === 'connected') {
        log.info({ call: call.id, afterMs: elapsed(call) }, 'call connected');
      }
    },
    transferred(call, uri) {
      log.info({ call: call.id, to: uri }, 'call transferred');
    },
    finished(call, { result, reason, sipStatus }, media) {
      calls.remove(call);
      log.info({ call: call.id, result, reason, sipStatus, durationMs: elapsed(call), media }, 'call ended');
    },
  };
}

function describe(parties: CallParties): Readonly<Record<string, string>> {
  if (parties.direction === 'outgoing') return { direction: 'outgoing', to: parties.uri, from: parties.from };
  const { called, from } = parties.invite.caller;
  return { direction: 'incoming', to: called, from };
}
