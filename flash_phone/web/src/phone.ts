import type { CallStatus, SonoPhoneEvents } from './events.js';

/** A password, or a user who is not called as the address is. */
export type Credentials = string | { readonly user?: string; readonly password: string };

/** What a phone can do, be it the browser's own or the Flash phone. */
export interface Phone {
  readonly status: CallStatus;
  readonly address: string | undefined;
  readonly muted: boolean;
  connect(url?: string): void;
  disconnect(): void;
  register(username?: string, registrar?: string, credentials?: Credentials): void;
  unregister(): void;
  dial(uri: string): void;
  accept(): void;
  reject(sipStatus?: number): void;
  hangup(): void;
  sendDTMF(digits: string, ms?: number): void;
  hold(held: boolean): void;
  callWaiting(allowed: boolean): void;
  swap(): void;
  mute(muted: boolean): void;
  transfer(uri: string): void;
  sendMessage(uri: string, text: string): void;
  on<Name extends keyof SonoPhoneEvents>(event: Name, listener: (details: SonoPhoneEvents[Name]) => unknown): unknown;
  off<Name extends keyof SonoPhoneEvents>(event: Name, listener: (details: SonoPhoneEvents[Name]) => unknown): unknown;
  once<Name extends keyof SonoPhoneEvents>(event: Name, listener: (details: SonoPhoneEvents[Name]) => unknown): unknown;
}
