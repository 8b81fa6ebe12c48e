import { loopback } from '../../../support/ports.js';
import type { Scope } from '../../../support/scope.js';
import { Sipp, type SippOptions } from '../../../support/sipp.js';

export type CallOptions = Pick<SippOptions, 'rtpPort' | 'transport' | 'timeLimitS'>;

/** User and port of a SIP address on loopback. */
export function addressOf(uri: string): { readonly user: string; readonly host: string; readonly port: number } {
  const [, user = '', port = ''] = /^sip:([^@]+)@127\.0\.0\.1:(\d+)$/.exec(uri) ?? [];
  if (user === '') throw new Error(`${uri} is no address on ${loopback} with a port`);
  return { user, host: loopback, port: Number(port) };
}

/** SIPp calls this address. */
export function callFrom(scope: Scope, uri: string, scenario: string, options: CallOptions = {}): Promise<Sipp> {
  return Sipp.start(scope, { scenario, call: addressOf(uri), ...options });
}

/** Start lines without repetitions: UDP repeats what is not confirmed soon, and this machine may be busy. */
export async function flowOf(sipp: Sipp): Promise<string[]> {
  const flow = await sipp.flow();
  return flow.filter((line, index) => line !== flow[index - 1]);
}
