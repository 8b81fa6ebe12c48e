import type { SonoPhone } from '../src/sono-phone.js';
import { element, input, show } from './dom.js';
import { showNotice } from './notice.js';
import { shortAddress, tame } from './words.js';

/** Older ones are forgotten. */
const most = 100;

/** Text messages, of this page's life: those that came, and those that were sent. */
export class Messages {
  readonly #list = element('messages', HTMLOListElement);

  constructor(phone: SonoPhone) {
    phone.on('message', ({ from, text }) => {
      this.#add(from, text, false);
      // Whoever writes first is who is answered.
      if (input('message-to').value === '') input('message-to').value = from;
      showNotice(`${tame(shortAddress(from))}: ${tame(text, 500)}`);
    });
    element('message-form', HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      const [to, text] = [input('message-to').value.trim(), input('message-text').value.trim()];
      if (to === '' || text === '') return;
      phone.sendMessage(to, text);
      this.#add(to, text, true);
      input('message-text').value = '';
    };
  }

  #add(address: string, text: string, sent: boolean): void {
    const item = document.createElement('li');
    const head = document.createElement('small');
    const at = new Date().toLocaleTimeString([], { timeStyle: 'short' });
    head.textContent = `${sent ? 'To' : 'From'} ${tame(shortAddress(address))} · ${at}`;
    const body = document.createElement('p');
    body.textContent = tame(text, 1_000);
    item.className = sent ? 'sent' : 'received';
    item.append(head, body);
    this.#list.append(item);
    while (this.#list.children.length > most) this.#list.firstElementChild?.remove();
    this.#list.scrollTop = this.#list.scrollHeight;
    show('messages-empty', false);
  }
}
