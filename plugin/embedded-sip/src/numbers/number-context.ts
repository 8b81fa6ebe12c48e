import type { Clock } from '../clock.js';
import type { SipCore } from '../core/core.js';
import type { SipLogger } from '../log.js';
import type { EmbeddedSipLimits, SpeexEncoderFactory } from '../options.js';
import type { TransactionUser } from '../transaction-user.js';
import type { LocalAddress } from '../transport/local-address.js';
import type { NumberMedia } from './number-media.js';

/** What all numbers are given. */
export interface NumbersParts {
  readonly core: SipCore;
  readonly clock: Clock;
  readonly limits: EmbeddedSipLimits;
  readonly log: SipLogger;
  readonly local: LocalAddress;
  readonly speexEncoder: SpeexEncoderFactory | undefined;
}

/** What makes one number that answers different from another. */
export interface NumberTraits {
  readonly name: string;
  /** Name of the limit below. */
  readonly limit: 'echoCalls' | 'musicCalls';
  /** Calls at once. */
  readonly calls: number;
  /** Longest call, in milliseconds. */
  readonly callMs: number;
  /** @param onPacket to be called for each packet heard */
  openMedia(address: string, onPacket: () => void): NumberMedia;
}

/** What a call to one of them is given. */
export interface NumberContext extends NumbersParts, NumberTraits {
  readonly user: TransactionUser;
}
