import { element } from './dom.js';

const letters: Readonly<Record<string, string>> = {
  ...{ '1': '', '2': 'ABC', '3': 'DEF', '4': 'GHI', '5': 'JKL', '6': 'MNO' },
  ...{ '7': 'PQRS', '8': 'TUV', '9': 'WXYZ', '*': '', '0': '+', '#': '' },
};
const names: Readonly<Record<string, string>> = { '*': 'star', '#': 'hash' };

/** Twelve keys. */
export function makeKeyPad(pressed: (key: string) => void): void {
  element('keys', HTMLElement).replaceChildren(
    ...[...'123456789*0#'].map((key) => {
      const made = document.createElement('button');
      made.type = 'button';
      made.dataset.key = key;
      made.setAttribute('aria-label', names[key] ?? key);
      const label = document.createElement('small');
      label.textContent = letters[key] ?? '';
      made.append(key, label);
      made.onclick = () => pressed(key);
      return made;
    }),
  );
}
