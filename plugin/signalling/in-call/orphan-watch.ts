import type { Timers } from '../../call/call-ports.js';
import type { SipDialog } from '../drachtio/dialog.js';
import type { DrachtioConnection } from '../drachtio/drachtio.js';
import { endsDialog } from './reoffer.js';

/** Milliseconds between two looks at a call whose far end cannot reach us. */
const probeMs = 30_000;

/**
 * A call outlives the connection to the drachtio server that it was made on, but the server answers the far end's
 * requests, its BYE too, in our place from then on. So the far end is asked now and then whether there still is a call.
 */
export class OrphanWatch {
  readonly #dialog: SipDialog;
  readonly #connection: DrachtioConnection;
  readonly #timers: Timers;
  readonly #gone: (reason: string) => void;
  #orphaned = false;
  #stop: () => void = () => undefined;

  constructor(dialog: SipDialog, connection: DrachtioConnection, timers: Timers, gone: (reason: string) => void) {
    this.#dialog = dialog;
    this.#connection = connection;
    this.#timers = timers;
    this.#gone = gone;
    connection.on('down', this.#lost);
    connection.on('up', this.#probe);
  }

  close(): void {
    this.#stop();
    this.#connection.off('down', this.#lost);
    this.#connection.off('up', this.#probe);
  }

  readonly #lost = (): void => {
    this.#orphaned = true;
    this.#stop();
  };

  readonly #probe = (): void => {
    if (!this.#orphaned) return;
    this.#stop = this.#timers.after(probeMs, this.#probe);
    this.#dialog.request('OPTIONS').then(
      ({ status }) => {
        if (endsDialog(status)) this.#gone('the call ended while the SIP server could not be reached');
      },
      (error: Error) => {
        if (/unable to find dialog/i.test(error.message)) this.#gone('the SIP server does not know the call any more');
      },
    );
  };
}
