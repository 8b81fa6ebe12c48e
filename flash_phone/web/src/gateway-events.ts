import type { AmfObject, AmfValue } from 'rtmp-server-ts/browser';
import { CallStatus, type Party, type SonoPhoneEvents } from './events.js';

type Emit = <Name extends keyof SonoPhoneEvents>(event: Name, details: SonoPhoneEvents[Name]) => void;

const text = (value: AmfValue | undefined): string => (typeof value === 'string' ? value : '');

/** A field that is there only if the gateway gave it as text. */
const optional = <Key extends string>(key: Key, value: AmfValue | undefined) =>
  (typeof value === 'string' && value !== '' ? { [key]: value } : {}) as Partial<Record<Key, string>>;

const party = ({ uri, from, displayName }: AmfObject): Party => ({
  uri: text(uri),
  from: text(from),
  ...optional('displayName', displayName),
});

/** Undefined when it is none that this phone knows. */
export function statusIn({
  status_code: code,
  sip_status: sipStatus,
  reason,
}: AmfObject): SonoPhoneEvents['status'] | undefined {
  const status = Object.values(CallStatus).find((known) => known === code);
  return status === undefined
    ? undefined
    : { status, ...(typeof sipStatus === 'number' && { sipStatus }), ...optional('reason', reason) };
}

/** What the gateway tells beside statuses, by its code. Newer gateways may have more. */
const readers: ReadonlyMap<AmfValue | undefined, (info: AmfObject, emit: Emit) => void> = new Map([
  ['Sono.Call.Incoming', (info, emit) => emit('incoming', party(info))],
  ['Sono.Call.Waiting', (info, emit) => emit('waiting', party(info))],
  ['Sono.Call.Switched', (info, emit) => emit('switched', party(info))],
  [
    'Sono.Call.WaitingEnded',
    ({ from, reason }, emit) => emit('waitingEnded', { from: text(from), ...optional('reason', reason) }),
  ],
  [
    'Sono.Call.Hold',
    ({ held, local, remote, reason }, emit) =>
      emit('hold', {
        ...{ held: held === true, local: local === true, remote: remote === true },
        ...optional('reason', reason),
      }),
  ],
  [
    'Sono.Call.DTMF',
    ({ digit, duration }, emit) => emit('dtmf', { digit: text(digit), duration: Number(duration) || 0 }),
  ],
  ['Sono.Call.Transferred', ({ uri }, emit) => emit('transferred', { uri: text(uri) })],
  ['Sono.Call.TransferFailed', ({ reason }, emit) => emit('transferFailed', { reason: text(reason) })],
  ['Sono.Message', ({ from, text: said }, emit) => emit('message', { from: text(from), text: text(said) })],
] satisfies [string, (info: AmfObject, emit: Emit) => void][]);

export function tellEvent(info: AmfObject, emit: Emit): void {
  readers.get(info.code)?.(info, emit);
}
