import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { parseNameAddr } from '../addresses/name-addr.js';
import type {
  Acknowledge,
  ReceivedRequest,
  Responder,
  ResponseOptions,
  SentRequest,
  SrfRequestOptions,
} from './srf.js';

type Deliver = (request: ReceivedRequest, responder: Responder) => void;

/** One side of a dialog, by its own name of it. */
interface Side {
  readonly peer: string;
  readonly local: string;
  readonly remote: string;
  readonly callId: string;
}

interface Transaction {
  readonly id: string;
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly request: EventEmitter;
  readonly sent: EventEmitter;
  /** The dialog that an INVITE begins: at the caller, at the callee. */
  readonly dialogs: readonly [string, string] | undefined;
  /** The dialog that it belongs to, at the sender. */
  readonly within: string | undefined;
  readonly tag: string;
  final: boolean;
}

/** Names that no server gives. */
const prefix = 'loop:';

const reasons: Readonly<Record<number, string>> = {
  180: 'Ringing',
  183: 'Session Progress',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  489: 'Bad Event',
  491: 'Request Pending',
  603: 'Decline',
};

/**
 * SIP to our own server, which a drachtio server refuses to send: requests are handed back as if they had come in, with
 * all that makes them SIP but the wire. So two clients of one gateway call each other as any two parties do.
 */
export class Loopback {
  readonly #deliver: Deliver;
  readonly #sides = new Map<string, Side>();
  readonly #transactions = new Map<string, Transaction>();

  constructor(deliver: Deliver) {
    this.#deliver = deliver;
  }

  /** Whether a request belongs to something that began here. */
  owns({ stackDialogId = '', stackTxnId = '' }: SrfRequestOptions): boolean {
    return stackDialogId.startsWith(prefix) || stackTxnId.startsWith(prefix);
  }

  /**
   * Takes a request.
   * @param server `host:port` of the server.
   * @throws Error for a request of a call that is over.
   */
  send(uri: string, options: SrfRequestOptions, server: string, done: (sent: SentRequest) => void): void {
    const { method, stackTxnId, stackDialogId } = options;
    if (method === 'CANCEL' && stackTxnId !== undefined) {
      this.#cancel(stackTxnId);
      return;
    }
    const side = stackDialogId === undefined ? undefined : this.#sides.get(stackDialogId);
    if (stackDialogId !== undefined && !side) throw new Error('the call is over');
    const headers = side ? headersWithin(side, options) : headersOutside(uri, options, server);
    const begins = method === 'INVITE' && !side;
    const transaction: Transaction = {
      ...{ id: prefix + randomUUID(), method, headers, request: new EventEmitter(), sent: new EventEmitter() },
      dialogs: begins ? [prefix + randomUUID(), prefix + randomUUID()] : undefined,
      ...{ within: stackDialogId, tag: randomUUID().slice(0, 8), final: false },
    };
    this.#transactions.set(transaction.id, transaction);
    const { body } = options;
    const get = getter(headers);
    done(Object.assign(transaction.sent, { uri, stackTxnId: transaction.id, get }));
    queueMicrotask(() => this.#receive(transaction, uri, body, side?.peer ?? '', server));
  }

  #receive(transaction: Transaction, uri: string, body: string | undefined, dialogId: string, server: string): void {
    const [, address = '', port = ''] = /^(.*):(\d+)$/.exec(server) ?? [];
    const request = Object.assign(transaction.request, {
      ...{ method: transaction.method, uri, stackDialogId: dialogId, source: 'network' },
      ...{ source_address: address, source_port: Number(port), protocol: 'udp' },
      ...(body !== undefined && { body }),
      get: getter(transaction.headers),
    });
    const responder = {
      stackDialogId: transaction.dialogs?.[1] ?? dialogId,
      send: (status: number, options: ResponseOptions, done?: Parameters<Responder['send']>[2]) =>
        this.#respond(transaction, server, status, options, done),
    };
    this.#deliver(request, responder);
  }

  #respond(
    transaction: Transaction,
    server: string,
    status: number,
    { headers: given = {}, body }: ResponseOptions,
    done: Parameters<Responder['send']>[2],
  ): void {
    if (transaction.final) {
      done?.(new Error('a final response was sent before'));
      return;
    }
    const { dialogs, within } = transaction;
    const headers = responseHeaders(transaction, given, server, body);
    const get = getter(headers);
    if (dialogs && status > 100 && status < 300) this.#open(dialogs, headers);
    if (status >= 200) this.#end(transaction);
    if (dialogs && status >= 300) this.#close(dialogs[0]);
    if (within !== undefined && status >= 200 && transaction.method === 'BYE') this.#close(within);
    done?.(null, { get });
    const stackDialogId = dialogs?.[0] ?? within ?? '';
    const reason = reasons[status] ?? STATUS_CODES[status] ?? 'Response';
    const response = { status, reason, stackDialogId, get, ...(body !== undefined && { body }) };
    const confirm: Acknowledge = (options, sent) => {
      const confirmed = dialogs?.[0] ?? within;
      if (transaction.method === 'INVITE' && status >= 200 && confirmed !== undefined)
        this.#confirm(confirmed, options?.body);
      sent?.(null);
    };
    queueMicrotask(() => transaction.sent.emit('response', response, confirm));
  }

  #confirm(dialogId: string, body: string | undefined): void {
    const side = this.#sides.get(dialogId);
    if (!side) return;
    const request = Object.assign(new EventEmitter(), {
      ...{ method: 'ACK', uri: 'sip:placeholder', stackDialogId: side.peer, source: 'network' },
      ...(body !== undefined && { body }),
      get: getter(headersWithin(side, { method: 'ACK', ...(body !== undefined && { body }) })),
    });
    queueMicrotask(() => this.#deliver(request, { stackDialogId: side.peer, send: () => undefined }));
  }

  #cancel(id: string): void {
    const transaction = this.#transactions.get(id);
    if (!transaction?.dialogs) return;
    this.#end(transaction);
    this.#close(transaction.dialogs[0]);
    const get = getter(responseHeaders(transaction, {}, '', undefined));
    const response = { status: 487, reason: 'Request Terminated', stackDialogId: '', get };
    queueMicrotask(() => {
      transaction.request.emit('cancel');
      transaction.sent.emit('response', response, () => undefined);
    });
  }

  #open([caller, callee]: readonly [string, string], headers: ReadonlyMap<string, string>): void {
    const [from = '', to = '', callId = ''] = ['from', 'to', 'call-id'].map((name) => headers.get(name));
    this.#sides.set(caller, { peer: callee, local: from, remote: to, callId });
    this.#sides.set(callee, { peer: caller, local: to, remote: from, callId });
  }

  #end(transaction: Transaction): void {
    transaction.final = true;
    this.#transactions.delete(transaction.id);
  }

  #close(dialogId: string): void {
    const side = this.#sides.get(dialogId);
    this.#sides.delete(dialogId);
    if (side) this.#sides.delete(side.peer);
  }
}

const getter = (headers: ReadonlyMap<string, string>) => (name: string) => headers.get(name.toLowerCase());

const withTag = (address: string, tag: string): string =>
  parseNameAddr(address)?.parameters.has('tag') ? address : `${address};tag=${tag}`;

/** As a server fills in what an application leaves out. */
function headersOutside(uri: string, options: SrfRequestOptions, server: string): Map<string, string> {
  const headers = lowerCase(
    { From: `<sip:${server}>`, To: `<${uri}>`, 'Call-ID': randomUUID(), ...options.headers },
    server,
  );
  const cseq = headers.get('cseq') ?? `1 ${options.method}`;
  headers.set('cseq', cseq);
  headers.set('from', withTag(headers.get('from') ?? '', randomUUID().slice(0, 8)));
  headers.set('via', `SIP/2.0/UDP ${server};branch=z9hG4bK${randomUUID()}`);
  headers.set('max-forwards', headers.get('max-forwards') ?? '70');
  if (!headers.has('contact') && options.method === 'INVITE') headers.set('contact', `<sip:${server}>`);
  return withType(headers, options.body);
}

function headersWithin({ local, remote, callId }: Side, options: SrfRequestOptions): Map<string, string> {
  const headers = lowerCase(options.headers ?? {}, '');
  headers.set('from', local);
  headers.set('to', remote);
  headers.set('call-id', callId);
  headers.set('cseq', `1 ${options.method}`);
  return withType(headers, options.body);
}

function responseHeaders(
  { headers: request, tag }: Transaction,
  given: Readonly<Record<string, string>>,
  server: string,
  body: string | undefined,
): Map<string, string> {
  const headers = lowerCase(server === '' ? given : { Contact: `<sip:${server}>`, ...given }, server);
  for (const name of ['via', 'from', 'call-id', 'cseq']) headers.set(name, request.get(name) ?? '');
  headers.set('to', withTag(request.get('to') ?? '', tag));
  return withType(headers, body);
}

function lowerCase(headers: Readonly<Record<string, string>>, server: string): Map<string, string> {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    value
      .replace(/\r\n[\w-]+: /g, ', ')
      .replace(/[\r\n\0]+/g, ' ')
      .replace(/@localhost(?::\d+)?(?=[;>?]|$)/i, `@${server}`),
  ]);
  return new Map(entries);
}

function withType(headers: Map<string, string>, body: string | undefined): Map<string, string> {
  if (body?.startsWith('v=0') && !headers.has('content-type')) headers.set('content-type', 'application/sdp');
  return headers;
}
