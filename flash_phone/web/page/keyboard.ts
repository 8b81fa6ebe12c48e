import { element } from './dom.js';

export interface KeyboardHandler {
  /** A key of the key pad. */
  key(key: string): void;
  /** @returns false when there is nothing to escape from */
  escape(): boolean;
}

/** The keys of a key pad wherever nothing is being typed, and Escape everywhere but in the settings, which it closes. */
export function listenToKeyboard(handler: KeyboardHandler): void {
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || element('settings', HTMLDialogElement).open) return;
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key === 'Escape') {
      if (handler.escape()) event.preventDefault();
    } else if (!typing && /^[\d*#]$/.test(event.key) && !event.repeat) {
      event.preventDefault();
      handler.key(event.key);
    }
  });
}
