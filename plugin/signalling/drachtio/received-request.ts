import { checkSize } from './message-size.js';
import type { Responder, ReceivedRequest as SrfRequest, ResponseOptions as SrfResponseOptions } from './srf.js';

export interface ResponseOptions {
  /** Several values make several headers of the name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
}

/** A request from outside. */
export interface ReceivedRequest {
  readonly method: string;
  readonly uri: string;
  readonly body: string;
  /** The server itself has sent it in our name, as the BYE of a call whose answer was never confirmed. */
  readonly generated: boolean;
  readonly source: RequestSource;
  /** Several headers of one name are joined by commas; empty when there is none. */
  header(name: string): string;
  /**
   * Answers. What cannot be sent any more, or is too long for the server because of what the request has in it, is not
   * sent. `done` learns the id of the dialog, where there is one, and the headers as they were sent.
   */
  respond(status: number, options?: ResponseOptions, done?: (sent: SentResponse | Error) => void): void;
  /** The caller has given up its INVITE: the server has answered. */
  onCancel(listener: () => void): void;
  /** An UPDATE before the final response to the INVITE. */
  onUpdate(listener: (update: ReceivedRequest) => void): void;
}

/** Where a request came from: the last hop. */
export interface RequestSource {
  readonly address: string;
  readonly port: number;
  readonly transport: string;
}

export interface SentResponse {
  readonly dialogId: string;
  header(name: string): string;
}

export function receivedRequest(request: SrfRequest, responder: Responder): ReceivedRequest {
  const header = (name: string) => request.get(name) ?? '';
  return {
    method: request.method,
    uri: request.uri,
    body: request.body ?? '',
    generated: request.source === 'application',
    source: {
      address: request.source_address ?? '',
      port: request.source_port ?? 5060,
      transport: request.protocol ?? 'udp',
    },
    header,
    respond: (status, options = {}, done) => {
      try {
        const response = written(options);
        checkSize(header('call-id'), header('cseq'), header('from'), header('to'), response.headers, response.body);
        send(responder, status, response, done);
      } catch (error) {
        done?.(asError(error));
      }
    },
    onCancel: (listener) => void request.on('cancel', listener),
    onUpdate: (listener) => void request.on('update', (update, of) => listener(receivedRequest(update, of))),
  };
}

/** The library joins headers of one name by commas, which some may not be: the text of one holds the lines of all. */
function written({ headers, body }: ResponseOptions): SrfResponseOptions {
  const entries = Object.entries(headers ?? {}).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : value.join(`\r\n${name}: `),
  ]);
  return { ...(headers && { headers: Object.fromEntries(entries) }), ...(body !== undefined && { body }) };
}

function send(
  responder: Responder,
  status: number,
  options: SrfResponseOptions,
  done: ((sent: SentResponse | Error) => void) | undefined,
): void {
  const told = (error: unknown, sent?: { get(name: string): string | undefined }) => {
    if (error) done?.(asError(error));
    else done?.({ dialogId: responder.stackDialogId, header: (name) => sent?.get(name) ?? '' });
  };
  try {
    responder.send(status, options, told);
  } catch {
    // A status that the library does not know means what the first of its class means (RFC 3261 section 8.1.3.2).
    responder.send(Math.floor(status / 100) * 100, options, told);
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
