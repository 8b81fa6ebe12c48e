import { Emitter } from './emitter.js';
import { CallStatus, type SonoPhoneEvents } from './events.js';

/** What the gateway's API takes as arguments of the commands that are only passed on. */
export type Argument = string | number | boolean;

/** What every phone has: where it stands, and the commands that the gateway alone has to understand. */
export abstract class BasePhone extends Emitter<SonoPhoneEvents> {
  protected readonly state: { status: CallStatus; address: string | undefined; muted: boolean } = {
    status: CallStatus.notConnected,
    address: undefined,
    muted: false,
  };

  /** Where the call stands. */
  get status(): CallStatus {
    return this.state.status;
  }

  /** The SIP address at which this phone can be called; undefined while there is none. */
  get address(): string | undefined {
    return this.state.address;
  }

  get muted(): boolean {
    return this.state.muted;
  }

  /** Refuses the incoming call, or the one that waits. @param sipStatus 400-699, 486 (busy) by default */
  reject(sipStatus?: number): void {
    this.command('reject', ...given(sipStatus));
  }

  /** @param digits 0-9 * # A-D @param ms length of each */
  sendDTMF(digits: string, ms?: number): void {
    this.command('sendDTMF', digits, ...given(ms));
  }

  hold(held: boolean): void {
    this.command('hold', held);
  }

  /** Talks to the one who is held, and holds the one who was talked to. */
  swap(): void {
    this.command('swap');
  }

  transfer(uri: string): void {
    this.command('transfer', uri);
  }

  sendMessage(uri: string, text: string): void {
    this.command('sendMessage', uri, text);
  }

  protected abstract command(name: string, ...args: Argument[]): void;
}

const given = (value: number | undefined): number[] => (value === undefined ? [] : [value]);

/** Without the arguments at the end that were left out. */
export function withoutEnd<Value>(args: readonly (Value | undefined)[]): (Value | undefined)[] {
  return args.slice(0, args.findLastIndex((value) => value !== undefined) + 1);
}
