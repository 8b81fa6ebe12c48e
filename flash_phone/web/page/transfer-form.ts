import { button, element, input, show } from './dom.js';

/** Where a call is to be transferred to. */
export class TransferForm {
  constructor(transfer: (to: string) => void) {
    button('transfer').onclick = () => this.#show(element('transfer-form', HTMLElement).hidden === true);
    element('transfer-form', HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      transfer(input('transfer-to').value.trim());
      this.close();
    };
  }

  close(): void {
    this.#show(false);
  }

  #show(open: boolean): void {
    show('transfer-form', open);
    button('transfer').setAttribute('aria-expanded', String(open));
    if (open) input('transfer-to').focus();
  }
}
