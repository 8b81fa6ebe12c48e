/** What one call of `push` found in a SIP byte stream. */
export interface Framed {
  /** Complete messages, in order. */
  readonly messages: readonly string[];
  /** How many CRLF CRLF keep-alives came, each to be answered with CRLF (RFC 5626 section 4.4.1). */
  readonly keepAlives: number;
  /** Set when the stream cannot be followed any further. */
  readonly error?: string;
}

const CONTENT_LENGTH = /\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*(?=\r\n)/i;

/** Cuts a TCP stream into SIP messages by Content-Length (RFC 3261 section 18.3). */
export class StreamFramer {
  readonly #messageBytes: number;
  #pending = '';
  /** Where the search for the end of the header section goes on, so that slow bytes are not scanned again. */
  #searched = 0;
  /** Length of the message at the head of the buffer once its header section is complete. */
  #need = 0;

  constructor(messageBytes: number) {
    this.#messageBytes = messageBytes;
  }

  /** Whether a message has begun and is not complete. */
  get midMessage(): boolean {
    return this.#pending !== '';
  }

  push(chunk: string): Framed {
    this.#pending += chunk;
    const messages: string[] = [];
    let keepAlives = 0;
    for (;;) {
      if (this.#need === 0) {
        keepAlives += this.#skipKeepAlives();
        const error = this.#findHead();
        if (error) return { messages, keepAlives, error };
      }
      if (this.#need === 0 || this.#pending.length < this.#need) return { messages, keepAlives };
      messages.push(this.#pending.slice(0, this.#need));
      this.#pending = this.#pending.slice(this.#need);
      this.#need = 0;
      this.#searched = 0;
    }
  }

  #skipKeepAlives(): number {
    let at = 0;
    let keepAlives = 0;
    while (this.#pending.startsWith('\r\n', at)) {
      if (this.#pending.startsWith('\r\n\r\n', at)) {
        keepAlives++;
        at += 4;
      } else if (this.#pending.length - at > 3 || (this.#pending.length > at + 2 && this.#pending[at + 2] !== '\r'))
        at += 2;
      else break;
    }
    if (at > 0) {
      this.#pending = this.#pending.slice(at);
      this.#searched = 0;
    }
    return keepAlives;
  }

  #findHead(): string | undefined {
    const head = this.#pending.indexOf('\r\n\r\n', Math.max(0, this.#searched - 3));
    this.#searched = this.#pending.length;
    if (head === -1) return this.#pending.length > this.#messageBytes ? this.#tooLong() : undefined;
    const length = CONTENT_LENGTH.exec(this.#pending.slice(0, head + 2));
    // Section 20.14 makes the header mandatory here; without it the message has no body that could be delimited.
    const total = head + 4 + (length ? Number(length[1]) : 0);
    if (total > this.#messageBytes) return this.#tooLong();
    this.#need = total;
    return undefined;
  }

  #tooLong(): string {
    return `message above ${this.#messageBytes} bytes`;
  }
}
