import type { Credentials } from '../../call/ports.js';
import { authorize, type Challenge, readChallenge } from './digest.js';
import type { SipAnswer } from './sip-answer.js';

/** Where each kind of challenge stands and where its answer goes (RFC 3261 sections 22.2 and 22.3). */
const kinds = {
  401: { challenge: 'www-authenticate', answer: 'Authorization' },
  407: { challenge: 'proxy-authenticate', answer: 'Proxy-Authorization' },
} as const;

/** Challenges of one kind answered for one request: the first, and one more when its nonce was stale. */
const maxChallenges = 2;

interface Login {
  readonly challenge: Challenge;
  /** How often the nonce was used. */
  uses: number;
}

/** Answers the challenges to the requests of one client, and remembers nonces from one request to the next. */
export class Authenticator {
  readonly #credentials: Credentials | undefined;
  readonly #logins = new Map<401 | 407, Login>();
  readonly #answered = { 401: 0, 407: 0 };

  constructor(credentials: Credentials | undefined) {
    this.#credentials = credentials;
  }

  /** A new request begins: what was answered for the one before does not count. */
  begin(): void {
    this.#answered[401] = 0;
    this.#answered[407] = 0;
  }

  /** Takes a final response; true when the same request, sent again with {@link headers}, may be let through. */
  challenged(answer: SipAnswer): boolean {
    const { status } = answer;
    if (!this.#credentials || (status !== 401 && status !== 407)) return false;
    const challenge = readChallenge(answer.header(kinds[status].challenge));
    if (!challenge) return false;
    const before = this.#answered[status]++;
    // What was refused with a nonce just given, and not for its age, are the credentials.
    if (before >= maxChallenges || (before > 0 && !challenge.stale)) return false;
    this.#logins.set(status, { challenge, uses: 0 });
    return true;
  }

  headers(method: string, uri: string): Record<string, string> {
    const headers: Record<string, string> = {};
    if (!this.#credentials) return headers;
    for (const [status, login] of this.#logins) {
      const request = { method, uri, count: ++login.uses };
      headers[kinds[status].answer] = authorize(login.challenge, this.#credentials, request);
    }
    return headers;
  }
}
