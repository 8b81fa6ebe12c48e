/** What one call of `push` found in a SIP byte stream. */
export interface Framed {
  /** Complete messages, in order. */
  readonly messages: readonly string[];
  /** How many CRLF CRLF keep-alives came, each to be answered with CRLF (RFC 5626 section 4.4.1). */
  readonly keepAlives: number;
  /** Set when the stream cannot be followed any further. */
  readonly error?: string;
}

/** Whatever is no request or status line means that the sender and we do not agree on where messages begin. */
const START_LINE = /^(?:SIP\/\d|[A-Za-z0-9\-.!%*_+`'~]+[ \t][^\r\n]*SIP\/\d)/i;
const CONTENT_LENGTH = /\r\n(?:content-length|l)[ \t]*:/gi;
/** What follows the name: a number, perhaps on a line of its own (section 7.3.1). */
const LENGTH = /(?:[ \t]|\r\n[ \t])*(\d{1,9})[ \t]*\r\n(?![ \t])/y;

/** Cuts a TCP stream into SIP messages by Content-Length (RFC 3261 section 18.3). */
export class StreamFramer {
  readonly #messageBytes: number;
  #pending = '';
  /** Where the search for the end of the header section goes on, so that slow bytes are not scanned again. */
  #searched = 0;
  /** Length of the message at the head of the buffer once its header section is complete. */
  #need = 0;
  /** The message at the head does not say where it ends: it is delivered without a body, to be answered, as the last one. */
  #lost = false;

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
      if (this.#lost) return { messages, keepAlives, error: 'where the message ends is not known' };
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
    // What begins with a line end waits for the next byte: it may be a keep-alive.
    if (this.#pending.indexOf('\r\n') > 0 && !START_LINE.test(this.#pending)) return 'not SIP';
    if (head === -1) return this.#pending.length > this.#messageBytes ? this.#tooLong() : undefined;
    const total = head + 4 + this.#bodyLength(head + 2);
    if (total > this.#messageBytes) return this.#tooLong();
    this.#need = total;
    return undefined;
  }

  /** Section 20.14 makes Content-Length mandatory here; a message without it has no body that could be delimited. */
  #bodyLength(headEnd: number): number {
    const text = this.#pending.slice(0, headEnd);
    const names = [...text.matchAll(CONTENT_LENGTH)];
    const [name] = names;
    if (!name) return 0;
    LENGTH.lastIndex = name.index + name[0].length;
    const length = LENGTH.exec(text)?.[1];
    this.#lost = length === undefined || names.length > 1;
    return this.#lost ? 0 : Number(length);
  }

  #tooLong(): string {
    return `message above ${this.#messageBytes} bytes`;
  }
}
