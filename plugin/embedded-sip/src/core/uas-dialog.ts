import { Dialog } from '../dialog/dialog.js';
import type { DialogTable } from '../dialog/dialog-table.js';
import { tagOf } from '../message/message.js';
import { formatNameAddr, parseNameAddr, withTag } from '../message/name-addr.js';
import { parseSipUri } from '../message/uri.js';
import type { TransactionUser } from '../transaction-user.js';
import { targetOf } from '../transport/transport.js';
import type { Target } from '../transport/types.js';
import type { ServerEntry } from './server-entry.js';

/** The dialog that an incoming INVITE or SUBSCRIBE makes (RFC 3261 section 12.1.1). */
export function uasDialog(entry: ServerEntry, owner: TransactionUser, dialogs: DialogTable, sequence: number): Dialog {
  const { request } = entry;
  const fromTag = tagOf(request.from) ?? '';
  const usual = dialogIdOf(request.callId, fromTag);
  const dialog = new Dialog({
    // A call to ourselves has the same Call-ID and From tag at both ends, and so have two forks of one call.
    id: dialogs.byId(usual) ? `${usual};to-tag=${entry.toTag}` : usual,
    role: 'uas',
    callId: request.callId,
    localTag: entry.toTag,
    local: formatNameAddr(withTag(request.to, entry.toTag)),
    localSequence: sequence,
    method: request.method,
    owner,
  });
  dialog.remoteTag = fromTag;
  dialog.remote = request.headers.get('from') ?? '';
  dialog.remoteSequence = request.cseq.number;
  dialog.routeSet = request.headers.list('record-route');
  dialog.remoteTarget = request.uri;
  dialog.refreshTarget(request.headers.list('contact')[0]);
  dialog.natTarget = guessNat(entry);
  return dialog;
}

export function dialogIdOf(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

/** A Contact that is not where the request came from is taken for one behind NAT. */
function guessNat(entry: ServerEntry): Target | undefined {
  const { request, flow } = entry;
  if (request.headers.has('record-route')) return undefined;
  const contact = parseNameAddr(request.headers.list('contact')[0] ?? '');
  const uri = contact && parseSipUri(contact.uri);
  if (!uri) return targetOf(flow);
  const sameHost = uri.host === flow.remoteAddress;
  // Over TCP the source port is not where the peer listens, so only the address counts.
  const samePort = flow.protocol === 'tcp' || (uri.port ?? 5060) === flow.remotePort;
  return sameHost && samePort ? undefined : targetOf(flow);
}
