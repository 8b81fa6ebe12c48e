import type { Clock } from '../clock.js';
import type { DialogTable } from '../dialog/dialog-table.js';
import type { SipLogger } from '../log.js';
import type { EmbeddedSipLimits } from '../options.js';
import type { LocalAddress } from '../transport/local-address.js';
import type { MessageTransport } from '../transport/transport.js';
import type { TransactionBudget } from './transaction-budget.js';

/** What the server and client sides of the core share. */
export interface CoreContext {
  readonly clock: Clock;
  readonly limits: EmbeddedSipLimits;
  readonly log: SipLogger;
  readonly budget: TransactionBudget;
  readonly dialogs: DialogTable;
  readonly transport: MessageTransport;
  readonly local: LocalAddress;
  /** SIP port, the same for UDP and TCP. */
  readonly port: number;
}
