/** An INVITE that is not answered yet, and its response, as drachtio-srf keeps them. */
export interface PendingInvite {
  readonly req: Emitter;
  readonly res: { readonly status?: number };
}

interface Emitter {
  get(name: string): string | undefined;
  emit(event: string, ...values: readonly unknown[]): boolean;
  listenerCount(event: string): number;
}

/**
 * The INVITEs of one connection that are not answered yet, in the place of drachtio-srf's own map. That has one for each
 * Call-ID, so that of a call which a proxy forks to two clients here only one would ever hear of its CANCEL, and perhaps
 * not the one that it is for. What is read is made up of all that have the Call-ID.
 */
export class PendingInvites {
  readonly #byCallId = new Map<string, PendingInvite[]>();

  get size(): number {
    return this.#byCallId.size;
  }

  has(callId: string): boolean {
    return this.#byCallId.has(callId);
  }

  set(callId: string, invite: PendingInvite): this {
    this.#byCallId.set(callId, [...(this.#byCallId.get(callId) ?? []), invite]);
    return this;
  }

  get(callId: string): Pick<PendingInvite, 'req'> | undefined {
    const invites = this.#byCallId.get(callId);
    const last = invites?.at(-1);
    if (!invites || !last) return undefined;
    const forks = {
      get: (name: string) => last.req.get(name),
      listenerCount: (event: string) => last.req.listenerCount(event),
      emit: (event: string, ...values: readonly unknown[]) => {
        const [message] = values as readonly [Pick<Emitter, 'get'> | undefined];
        const isMeant = ({ req }: PendingInvite) => branchOf(req) === branchOf(message);
        const meant = event === 'cancel' ? invites.find(isMeant) : undefined;
        if (meant) this.#cancelled.add(meant);
        return (meant ?? last).req.emit(event, ...values);
      },
    };
    return { req: forks };
  }

  /** One of those with the Call-ID has had its final response, or its CANCEL. */
  delete(callId: string): boolean {
    const left = (this.#byCallId.get(callId) ?? []).filter(
      (invite) => (invite.res.status ?? 0) < 200 && !this.#cancelled.has(invite),
    );
    if (left.length > 0) this.#byCallId.set(callId, left);
    else return this.#byCallId.delete(callId);
    return true;
  }

  readonly #cancelled = new WeakSet<PendingInvite>();
}

/** A CANCEL has the branch of its INVITE (RFC 3261 section 9.1). */
function branchOf(message: Pick<Emitter, 'get'> | undefined): string | undefined {
  return /;\s*branch=([^;,\s]+)/i.exec(message?.get('via') ?? '')?.[1];
}
