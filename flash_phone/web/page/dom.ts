/** An element of the page. @throws Error when the page has none of this kind */
export function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

export const button = (id: string): HTMLButtonElement => element(id, HTMLButtonElement);
export const input = (id: string): HTMLInputElement => element(id, HTMLInputElement);

export function setText(id: string, text: string): void {
  const found = element(id, HTMLElement);
  // Screen readers read what is set again, even if it is the same.
  if (found.textContent !== text) found.textContent = text;
}

export function show(id: string, shown: boolean): void {
  element(id, HTMLElement).hidden = !shown;
}
