import type { Dialog } from './dialog.js';

/** The dialogs alive, found by the id that applications use and by the tags that are on the wire. */
export class DialogTable {
  readonly #byId = new Map<string, Dialog>();
  readonly #byTags = new Map<string, Dialog>();

  get size(): number {
    return this.#byId.size;
  }

  /** Adds a dialog; an older one with the same id gives way to it (an INVITE repeated with credentials). */
  add(dialog: Dialog): void {
    const older = this.#byId.get(dialog.id);
    if (older) this.remove(older);
    this.#byId.set(dialog.id, dialog);
    this.#byTags.set(tagsKey(dialog.callId, dialog.localTag), dialog);
  }

  remove(dialog: Dialog): void {
    dialog.state = 'terminated';
    dialog.expiry?.cancel();
    if (this.#byId.get(dialog.id) === dialog) this.#byId.delete(dialog.id);
    const key = tagsKey(dialog.callId, dialog.localTag);
    if (this.#byTags.get(key) === dialog) this.#byTags.delete(key);
  }

  byId(id: string): Dialog | undefined {
    return this.#byId.get(id);
  }

  /** The dialog a request from the network belongs to: both tags must fit, once the peer's is known. */
  match(callId: string, localTag: string, remoteTag: string | undefined): Dialog | undefined {
    const dialog = this.#byTags.get(tagsKey(callId, localTag));
    if (!dialog || dialog.state === 'failed') return undefined;
    return dialog.remoteTag === undefined || dialog.remoteTag === remoteTag ? dialog : undefined;
  }

  [Symbol.iterator](): Iterator<Dialog> {
    return this.#byId.values();
  }
}

function tagsKey(callId: string, localTag: string): string {
  return `${callId}\n${localTag}`;
}
