import { newUuid } from '../ids.js';
import type { SipResponse } from '../message/message.js';
import type { Sent, UserEvent } from '../transaction-user.js';
import type { Flow } from '../transport/types.js';

/** Time of day as the protocol writes it: hh:mm:ss.uuuuuu in UTC. */
export function timeOfDay(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const micros = Math.floor((milliseconds - whole) * 1000);
  return new Date(whole).toISOString().slice(11, 23) + String(micros).padStart(3, '0');
}

/** Frame payload that shows a SIP message to a client. */
export function eventText(event: UserEvent, now: number): string {
  const { source, bytes, protocol, address, port, transactionId, dialogId, receivedOn } = event;
  const meta = [newUuid(), 'sip', source, bytes, protocol, address, port, timeOfDay(now), transactionId, dialogId];
  if (receivedOn) meta.push(receivedOn.address, receivedOn.port);
  return `${meta.join('|')}|\r\n${event.text}`;
}

/** Frame payload that answers a client's frame. */
export function answerText(commandId: string, ...fields: readonly string[]): string {
  return [newUuid(), 'response', commandId, ...fields].join('|');
}

/** Answer to `proxy` that shows a target's final response; another answer follows. */
export function proxiedText(commandId: string, response: SipResponse, flow: Flow, now: number): string {
  const { text } = response;
  const { protocol, remoteAddress, remotePort } = flow;
  const head = ['OK', 'network', String(text.length), protocol, remoteAddress, String(remotePort), timeOfDay(now)];
  return `${answerText(commandId, ...head, '', '', 'continue')}\r\n${text}`;
}

/** Answer to a request that has been sent. */
export function sentRequestText(commandId: string, sent: Sent, now: number): string {
  return sentText(commandId, sent, now, ['Msg sent:', '']);
}

/** Answer to a response that has been sent. */
export function sentResponseText(commandId: string, sent: Sent, now: number): string {
  return sentText(commandId, sent, now, [sent.dialogId, '', 'Msg sent:', '']);
}

function sentText(commandId: string, sent: Sent, now: number, tail: readonly string[]): string {
  const { bytes, protocol, address, port, transactionId, text } = sent;
  const head = ['OK', 'application', String(bytes), protocol, address, String(port), timeOfDay(now), transactionId];
  return `${answerText(commandId, ...head, ...tail)}\r\n${text}`;
}
