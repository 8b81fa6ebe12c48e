import type { ProxyOptions } from '../core/proxy/proxied-request.js';
import { Headers } from '../message/headers.js';
import type { OutgoingRequest, OutgoingResponse } from '../transaction-user.js';

/** What a client asks for. `invalid` closes its connection. */
export type Command =
  | { readonly verb: 'authenticate'; readonly id: string; readonly secret: string }
  | { readonly verb: 'ping'; readonly id: string }
  | { readonly verb: 'route'; readonly id: string; readonly method: string }
  | { readonly verb: 'remove_route'; readonly id: string }
  | { readonly verb: 'request'; readonly id: string; readonly request: OutgoingRequest }
  | {
      readonly verb: 'respond';
      readonly id: string;
      readonly transactionId: string;
      readonly response: OutgoingResponse;
    }
  | {
      readonly verb: 'proxy';
      readonly id: string;
      readonly transactionId: string;
      /** Whether the client wants to see the final responses. */
      readonly fullResponse: boolean;
      readonly options: ProxyOptions;
    }
  | { readonly verb: 'refused'; readonly id: string; readonly reason: string }
  | { readonly verb: 'invalid'; readonly id: string; readonly reason: string };

/** Parses a frame's payload. Total: what the drachtio server aborts on is `invalid` here. */
export function parseCommand(payload: string): Command {
  const lineEnd = payload.indexOf('\r\n');
  const fields = (lineEnd === -1 ? payload : payload.slice(0, lineEnd)).split('|');
  const message = lineEnd === -1 ? '' : payload.slice(lineEnd + 2);
  const [id = '', verb, first] = fields;
  if (verb === undefined) return { verb: 'invalid', id, reason: 'Invalid message format' };
  switch (verb) {
    case 'authenticate':
      return first === undefined ? { verb: 'invalid', id, reason: 'secret missing' } : { verb, id, secret: first };
    case 'ping':
      return { verb, id };
    case 'route':
      return first === undefined
        ? { verb: 'invalid', id, reason: 'route without a verb' }
        : { verb, id, method: first };
    case 'remove_route':
      return { verb, id };
    case 'sip':
      return parseSip(id, fields, message);
    case 'proxy':
      return parseProxy(id, fields, message);
    default:
      return { verb: 'invalid', id, reason: 'Unknown message type' };
  }
}

function parseSip(id: string, fields: readonly string[], message: string): Command {
  if (fields.length < 4) return { verb: 'invalid', id, reason: 'sip with too few fields' };
  const [, , transactionId = '', dialogId = '', nextHop = ''] = fields;
  const { startLine, headers, body } = splitMessage(message);
  const status = /^SIP\/2\.0[ \t]+(\d{3})(?:[ \t]+(.*))?$/i.exec(startLine);
  if (status) {
    if (transactionId === '') return { verb: 'invalid', id, reason: 'transaction id missing' };
    const code = Number(status[1]);
    if (code < 100 || code > 699) return { verb: 'invalid', id, reason: `invalid status line: ${startLine}` };
    const response = { status: code, reason: clean(status[2] ?? ''), headers, body };
    return { verb: 'respond', id, transactionId, response };
  }
  const request = /^([A-Za-z0-9\-.!%*_+`'~]+)[ \t]+(\S+)[ \t]+SIP\/2\.0$/i.exec(startLine);
  const method = request?.[1];
  const uri = request?.[2];
  if (/^SIP\/2\.0/i.test(startLine) || startLine === '')
    return { verb: 'invalid', id, reason: `invalid start line: ${startLine}` };
  if (method === undefined || uri === undefined)
    return { verb: 'refused', id, reason: `invalid request-uri: ${startLine}` };
  const base = { method, uri, headers, body };
  if (dialogId !== '') return { verb: 'request', id, request: { ...base, dialogId } };
  if (transactionId !== '') {
    if (method !== 'CANCEL') return { verb: 'invalid', id, reason: 'a request with a transaction id must be a CANCEL' };
    return { verb: 'request', id, request: { ...base, transactionId } };
  }
  return { verb: 'request', id, request: nextHop === '' ? base : { ...base, nextHop } };
}

/** `id|proxy|TXN|remainInDialog|fullResponse|followRedirects|simultaneous or serial|PROVTIMEOUT|FINALTIMEOUT|uri...` */
function parseProxy(id: string, fields: readonly string[], message: string): Command {
  const [, , transactionId = '', remain, full, follow, forking, provisional, final, ...targets] = fields;
  if (targets.length === 0) return { verb: 'invalid', id, reason: 'proxy with too few fields' };
  const provisionalMs = milliseconds(provisional);
  const finalMs = milliseconds(final);
  const options = {
    ...{ targets, headers: splitMessage(message).headers },
    simultaneous: forking === 'simultaneous',
    remainInDialog: remain === 'remainInDialog',
    followRedirects: follow === 'followRedirects',
    ...(provisionalMs !== undefined && { provisionalMs }),
    ...(finalMs !== undefined && { finalMs }),
  };
  return { verb: 'proxy', id, transactionId, fullResponse: full === 'fullResponse', options };
}

/** `500`, `500ms` or `2s`; anything else, `undefined` as drachtio-srf writes it too, is no limit. */
function milliseconds(text = ''): number | undefined {
  const match = /^(\d{1,7})(ms|s)?$/.exec(text);
  return match ? Number(match[1]) * (match[2] === 's' ? 1000 : 1) : undefined;
}

/** Splits what a client sends; Content-Length is not looked at, a line without a colon is dropped. */
function splitMessage(message: string): { startLine: string; headers: Headers; body: string } {
  const end = message.indexOf('\r\n\r\n');
  const head = end === -1 ? message : message.slice(0, end);
  const [startLine = '', ...lines] = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim();
    if (/^[A-Za-z0-9\-.!%*_+`'~]+$/.test(name)) headers.add(name, clean(line.slice(colon + 1)));
  }
  return { startLine, headers, body: end === -1 ? '' : message.slice(end + 4) };
}

/** A lone CR or LF must not end a line on the wire. */
function clean(value: string): string {
  return value.replace(/[\r\n\0]+/g, ' ').trim();
}
