import { setText, show } from './dom.js';

/** Says something that the person should know, until it is dismissed or something else is said; empty for nothing. */
export function showNotice(text: string): void {
  setText('notice-text', text);
  show('notice', text !== '');
}
