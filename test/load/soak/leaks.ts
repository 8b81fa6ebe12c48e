import { keptSockets, type SoakOutcome } from './soak.js';

/** What there is one of for each call, dialog, transaction, client or socket: nothing of it may be left at rest. */
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
  ...['Dialog', 'InviteClientTransaction', 'InviteServerTransaction', 'NonInviteClientTransaction'],
  ...['NonInviteServerTransaction', 'ReliableProvisionals'],
  ...['Line', 'LineCalls', 'SonoDialect', 'PhoneStreams', 'Player'],
];

/** A timer or two of the server's own. */
const maxTimers = 20;

/** kB that resident memory may grow from the first quarter of the calls to the end: what V8 keeps for the next calls. */
export const maxGrowth = 40 * 1024;

/** What is left of calls that have ended, one line each. */
export function leaks({ idle, warm, end, heap }: SoakOutcome): string[] {
  const left = ofCalls.flatMap((name) => {
    const count = heap.objects.get(name) ?? 0;
    return count === 0 ? [] : [`${count} ${name} left in memory`];
  });
  const timers = heap.objects.get('Timeout') ?? 0;
  if (timers > maxTimers) left.push(`${timers} timers left`);
  if (end.sockets > idle.sockets + keptSockets)
    left.push(`${end.sockets} sockets, ${idle.sockets} before the first call`);
  if (end.udp > idle.udp + keptSockets) left.push(`${end.udp} UDP ports, ${idle.udp} before the first call`);
  if (end.files > idle.files + 2) left.push(`${end.files} open files, ${idle.files} before the first call`);
  const growth = end.memory - warm.memory;
  if (growth > maxGrowth) left.push(`resident memory has grown by ${growth} kB`);
  return left;
}
