/** The lines of the gateway's log that are about calls. */
interface LogLine {
  readonly msg: string;
  readonly call?: string;
  readonly direction?: string;
  readonly to?: string;
  readonly from?: string;
  readonly result?: string;
  readonly reason?: string;
  readonly level?: string;
}

export interface CallResult {
  readonly result: string;
  readonly reason: string;
}

/** What the log says of the calls, by the name of their far end. */
export class CallResults {
  /** Names by the id of their call. */
  readonly #names = new Map<string, string>();
  readonly #results = new Map<string, CallResult[]>();
  /** Warnings and errors. */
  readonly complaints: string[] = [];
  ended = 0;

  read(text: string): void {
    if (!text.startsWith('{')) {
      this.complaints.push(text);
      return;
    }
    const line = JSON.parse(text) as LogLine;
    const { msg, call, direction, to, from, result = 'nothing', reason = '' } = line;
    if (line.level === 'warn' || line.level === 'error') this.complaints.push(text);
    if (call === undefined) return;
    if (msg === 'call started') {
      const name = /^sip:([^@]*)@/.exec((direction === 'outgoing' ? to : from) ?? '')?.[1] ?? '';
      this.#names.set(call, name);
      this.#results.set(name, this.#results.get(name) ?? []);
    } else if (msg === 'call ended') {
      const name = this.#names.get(call);
      this.ended++;
      if (name === undefined) this.complaints.push(`a call ended that had not started: ${text}`);
      else this.#results.get(name)?.push({ result, reason });
    }
  }

  /** All results of the call with this far end; undefined when none has begun. */
  of(name: string): readonly CallResult[] | undefined {
    return this.#results.get(name);
  }
}
