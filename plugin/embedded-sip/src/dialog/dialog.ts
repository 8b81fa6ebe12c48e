import type { ScheduledCall } from '../clock.js';
import { parseNameAddr } from '../message/name-addr.js';
import { parseSipUri } from '../message/uri.js';
import type { TransactionUser } from '../transaction-user.js';
import type { Target } from '../transport/types.js';

/** `pending`: no response with a tag yet. `failed`: its INVITE got a 3xx-6xx; kept only to refuse the client's ACK properly. */
export type DialogState = 'pending' | 'early' | 'confirmed' | 'failed' | 'terminated';

export interface DialogInit {
  readonly id: string;
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  readonly localTag: string;
  /** From of our requests, tag included. */
  readonly local: string;
  readonly localSequence: number;
  readonly method: string;
  readonly owner: TransactionUser;
}

/** One SIP dialog (RFC 3261 section 12), of INVITE or SUBSCRIBE. */
export class Dialog {
  readonly id: string;
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  readonly localTag: string;
  readonly local: string;
  readonly method: string;
  readonly owner: TransactionUser;
  state: DialogState = 'pending';
  remoteTag: string | undefined;
  /** To of our requests, with the peer's tag once it is known. */
  remote = '';
  localSequence: number;
  remoteSequence: number | undefined;
  /** Record-Route elements in the order in which our requests visit them. */
  routeSet: readonly string[] = [];
  /** URI of the peer's Contact. */
  remoteTarget = '';
  /** Set where the peer's Contact is guessed to be unreachable: requests go to this address instead. */
  natTarget: Target | undefined;
  /** The description last sent in it that counts, which a refresh repeats. */
  localSdp: string | undefined;
  /** Refreshes the session, or ends a call whose peer does not. */
  expiry: ScheduledCall | undefined;

  constructor(init: DialogInit) {
    this.id = init.id;
    this.role = init.role;
    this.callId = init.callId;
    this.localTag = init.localTag;
    this.local = init.local;
    this.localSequence = init.localSequence;
    this.method = init.method;
    this.owner = init.owner;
  }

  get established(): boolean {
    return this.state === 'early' || this.state === 'confirmed';
  }

  nextSequence(): number {
    this.localSequence++;
    return this.localSequence;
  }

  /** Takes a new remote target from a Contact header (target refresh, section 12.2). */
  refreshTarget(contact: string | undefined): void {
    const uri = contact === undefined ? undefined : parseNameAddr(contact)?.uri;
    if (uri !== undefined && parseSipUri(uri)) this.remoteTarget = uri;
  }

  /** Request-URI and Route headers of a request in this dialog (section 12.2.1.1), and the URI of its next hop. */
  routing(requestUri: string): { uri: string; routes: readonly string[]; nextHop: string } {
    const [first, ...rest] = this.routeSet;
    const firstUri = first === undefined ? undefined : parseNameAddr(first)?.uri;
    if (first === undefined || firstUri === undefined) return { uri: requestUri, routes: [], nextHop: requestUri };
    if (parseSipUri(firstUri)?.params.has('lr')) return { uri: requestUri, routes: this.routeSet, nextHop: firstUri };
    // A strict router wants its own address as the Request-URI and the target as the last Route.
    return { uri: firstUri, routes: [...rest, `<${requestUri}>`], nextHop: firstUri };
  }
}
