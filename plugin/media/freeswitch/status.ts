/** What `status` on the event socket says. */
export interface ServerStatus {
  readonly ready: boolean;
  readonly sessions: number;
  readonly maxSessions: number;
}

/**
 * Reads lines such as `FreeSWITCH (Version ...) is ready`, `12 session(s) - peak 20, ...` and `500 session(s) max`.
 * Total: what is not there counts as none.
 */
export function readStatus(text: string): ServerStatus {
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    ready: /^FreeSWITCH .* is ready$/m.test(text),
    sessions: number(/^(\d{1,9}) session\(s\) - peak/m),
    maxSessions: number(/^(\d{1,9}) session\(s\) max/m),
  };
}
