import type { ReceivedRequest, RequestSource } from '../../../../plugin/signalling/drachtio/received-request.js';

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/** A request as if it had come in, and the answers that it got. */
export function fakeRequest(
  method: string,
  uri: string,
  headers: Readonly<Record<string, string>>,
  source: Partial<RequestSource> = {},
): { request: ReceivedRequest; answers: Answered[] } {
  const answers: Answered[] = [];
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const request: ReceivedRequest = {
    method,
    uri,
    body: '',
    generated: false,
    source: { address: '127.0.0.1', port: 5080, transport: 'udp', ...source },
    header: (name) => byName.get(name.toLowerCase()) ?? '',
    respond: (status, options = {}) => void answers.push({ status, headers: options.headers ?? {} }),
    onCancel: () => undefined,
    onUpdate: () => undefined,
  };
  return { request, answers };
}
