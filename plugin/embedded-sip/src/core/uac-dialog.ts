import type { Dialog } from '../dialog/dialog.js';
import { type SipResponse, tagOf } from '../message/message.js';
import { parseNameAddr } from '../message/name-addr.js';
import { parseSipUri } from '../message/uri.js';
import { targetOf } from '../transport/transport.js';
import type { Flow } from '../transport/types.js';

/** Completes the caller's dialog from a 2xx or a reliable provisional response (RFC 3261 section 12.1.2). */
export function completeUacDialog(dialog: Dialog, response: SipResponse, flow: Flow, requestUri: string): void {
  dialog.remoteTag = tagOf(response.to);
  dialog.remote = response.headers.get('to') ?? '';
  dialog.routeSet = response.headers.list('record-route').reverse();
  dialog.state = response.status < 200 ? 'early' : 'confirmed';
  const contact = response.headers.list('contact')[0];
  dialog.remoteTarget = requestUri;
  dialog.refreshTarget(contact);
  dialog.natTarget = undefined;
  if (dialog.routeSet.length > 0) return;
  // A Contact with another address than the response's source is taken for one behind NAT.
  const uri = parseSipUri(parseNameAddr(contact ?? '')?.uri ?? '');
  if (uri?.host !== flow.remoteAddress) dialog.natTarget = targetOf(flow);
}
