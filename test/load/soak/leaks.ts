import { keptSockets, type SoakOutcome } from './soak.js';

/** What there is one of for each call, client or socket: nothing of it may be left at rest. */
const ofCalls = [
  ...['Call', 'LineCall', 'CallMedia', 'InCall', 'Succession'],
  ...[
    'Invitation',
    'Invited',
    'ReceivedInvite',
    'SentInvite',
    'SipDialog',
    'Leg',
    'SessionTimer',
    'OrphanWatch',
    'Side',
  ],
  ...['DirectSession', 'RtpChannel', 'AudioFlow', 'AudioReceiver', 'AudioSender', 'RtcpSession'],
  ...['Line', 'LineCalls', 'SonoDialect', 'PhoneStreams', 'Player'],
];

/** What lasts until nothing can be repeated any more: 64 * T1 beyond its call. */
const ofTransactions = [
  ...['Dialog', 'InviteClientTransaction', 'InviteServerTransaction', 'NonInviteClientTransaction'],
  'NonInviteServerTransaction',
];

/** A timer or two of the server's own. */
const maxTimers = 20;

/** Octets that may be alive at rest: the gateway itself, its code above all. */
const maxAlive = 48 * 2 ** 20;

/** kB that resident memory may grow from the first quarter of the calls to the end: what V8 keeps for the next calls. */
export const maxGrowth = 40 * 1024;

/** What is left of calls that have ended, one line each. @param drained Whether their transactions had the time to end. */
export function leaks({ idle, warm, end, heap }: SoakOutcome, drained = true): string[] {
  const left = [...ofCalls, ...(drained ? ofTransactions : [])].flatMap((name) => {
    const count = heap.objects.get(name) ?? 0;
    return count === 0 ? [] : [`${count} ${name} left in memory`];
  });
  const timers = heap.objects.get('Timeout') ?? 0;
  if (drained && timers > maxTimers) left.push(`${timers} timers left`);
  if (end.sockets > idle.sockets + keptSockets)
    left.push(`${end.sockets} sockets, ${idle.sockets} before the first call`);
  if (end.udp > idle.udp + keptSockets) left.push(`${end.udp} UDP ports, ${idle.udp} before the first call`);
  if (end.files > idle.files + 2) left.push(`${end.files} open files, ${idle.files} before the first call`);
  if (drained && heap.octets > maxAlive) left.push(`${heap.octets} octets alive`);
  const growth = end.memory - warm.memory;
  if (drained && growth > maxGrowth) left.push(`resident memory has grown by ${growth} kB`);
  return left;
}
