import type { ShownCall } from './calls.js';
import { element } from './dom.js';
import { load, save } from './store.js';
import { duration, shortAddress } from './words.js';

interface LoggedCall {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly outgoing: boolean;
  readonly address: string;
  readonly name: string;
  /** Seconds of talk; absent when there was none. */
  readonly seconds?: number;
}

const key = 'sono.calls';
const most = 50;

/** The calls of this browser, the latest first; a click dials again. */
export class CallLog {
  #calls: readonly LoggedCall[];
  readonly #list = element('log', HTMLOListElement);
  readonly #clear = element('clear', HTMLButtonElement);
  readonly #again: (address: string) => void;

  constructor(again: (address: string) => void) {
    this.#again = again;
    this.#calls = load(key, isLog) ?? [];
    this.#clear.onclick = () => this.#set([]);
    // Another tab has made a call.
    addEventListener('storage', (event) => {
      if (event.key === key) this.#show(load(key, isLog) ?? []);
    });
    this.#show(this.#calls);
  }

  /** Takes a call that is over. */
  add({ at, outgoing, address, name, answeredAt }: ShownCall): void {
    const seconds = answeredAt === undefined ? undefined : (performance.now() - answeredAt) / 1000;
    const call = { at, outgoing, address, name, ...(seconds !== undefined && { seconds }) };
    this.#set([call, ...(load(key, isLog) ?? this.#calls)].slice(0, most));
  }

  #set(calls: readonly LoggedCall[]): void {
    save(key, calls);
    this.#show(calls);
  }

  #show(calls: readonly LoggedCall[]): void {
    this.#calls = calls;
    this.#clear.hidden = calls.length === 0;
    document.body.dataset.visit = calls.length === 0 ? 'first' : 'again';
    element('log-empty', HTMLElement).hidden = calls.length > 0;
    this.#list.replaceChildren(...calls.map((call) => this.#entry(call)));
  }

  #entry({ at, outgoing, address, name, seconds }: LoggedCall): HTMLLIElement {
    const missed = !outgoing && seconds === undefined;
    const arrow = child('span', outgoing ? '↗' : '↙');
    arrow.setAttribute('aria-hidden', 'true');
    arrow.classList.toggle('missed', missed);
    const when = child('time', new Date(at).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' }));
    const how =
      seconds === undefined
        ? outgoing
          ? 'Not answered'
          : 'Missed'
        : `${outgoing ? 'Outgoing' : 'Incoming'}, ${duration(seconds)}`;
    const button = document.createElement('button');
    button.type = 'button';
    const details = child('small', `${how} · `);
    details.append(when);
    button.append(arrow, child('span', name || shortAddress(address)), details);
    button.setAttribute('aria-label', `Call ${name || shortAddress(address)} again. ${how}, ${when.textContent}`);
    button.onclick = () => this.#again(address);
    const item = document.createElement('li');
    item.append(button);
    return item;
  }
}

function child(tag: 'span' | 'small' | 'time', text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function isLog(value: unknown): value is LoggedCall[] {
  return (
    Array.isArray(value) &&
    value.length <= most &&
    value.every(
      (call: Partial<LoggedCall> | null) =>
        typeof call?.at === 'number' && typeof call.address === 'string' && typeof call.name === 'string',
    )
  );
}
