import type { SrfResponse } from './srf.js';

/** The final response to a request, or a provisional one to an INVITE. */
export interface SipAnswer {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  /** Several headers of one name are joined by commas; empty when there is none. */
  header(name: string): string;
}

/** A final response other than 2xx to a request of ours. */
export class SipFailure extends Error {
  override readonly name = 'SipFailure';
  readonly answer: SipAnswer;

  constructor(answer: SipAnswer) {
    super(`${answer.status} ${answer.reason}`);
    this.answer = answer;
  }
}

export function asAnswer(response: SrfResponse): SipAnswer {
  const { status, reason, body = '' } = response;
  return { status, reason, body, header: (name) => response.get(name) ?? '' };
}
