import type { InviteRequest, OutgoingInvite, SignallingEvent } from '../call/ports.js';
import type { Termination } from '../call/termination.js';
import { Authenticator } from './authenticator.js';
import { type DrachtioConnection, type SentInvite, type SipDialog, SipFailure } from './drachtio.js';
import { failure, reasonHeader } from './outcome.js';
import { parseSdp, writeSdp } from './sdp.js';

/**
 * Largest message that a drachtio server takes is 12,228 bytes; one above it wedges the connection in silence. What the
 * server and its client add to the SDP stays well below the difference.
 */
const maxSdpBytes = 10_000;

export interface InviteHeaders {
  readonly from: string;
  readonly to: string;
  readonly requestUri: string;
  /** What the dialled URI asks for. */
  readonly more?: Readonly<Record<string, string>>;
}

/** One outgoing INVITE and the dialog that may come of it. */
export class Invitation implements OutgoingInvite {
  readonly #connection: DrachtioConnection;
  readonly #listener: (event: SignallingEvent) => void;
  #sent: SentInvite | undefined;
  #dialog: SipDialog | undefined;
  #cancelled = false;
  #settled = false;

  constructor(
    connection: DrachtioConnection,
    request: InviteRequest,
    headers: InviteHeaders,
    listener: (event: SignallingEvent) => void,
  ) {
    this.#connection = connection;
    this.#listener = listener;
    connection.on('down', this.#connectionLost);
    void this.#run(request, headers);
  }

  cancel(): void {
    this.#cancelled = true;
    this.#sent?.cancel();
  }

  bye(reason?: string): void {
    if (!this.#dialog) return;
    const headers: Record<string, string> = reason === undefined ? {} : { Reason: reasonHeader(reason) };
    this.#dialog.bye(headers).then(
      () => this.#settle({ type: 'ended', termination: { result: 'completed', reason: 'call ended' } }),
      (error: unknown) => this.#settle({ type: 'ended', termination: failure(error) }),
    );
  }

  async #run(request: InviteRequest, { from, to, requestUri, more }: InviteHeaders): Promise<void> {
    // Events never reach the caller before it has this object.
    await undefined;
    const sdp = writeSdp(request.offer);
    if (Buffer.byteLength(sdp) > maxSdpBytes) {
      const reason = `the session description has ${Buffer.byteLength(sdp)} bytes, more than the ${maxSdpBytes} that a drachtio server takes`;
      this.#settle({ type: 'failed', termination: { result: 'signalling-failed', reason } });
      return;
    }
    const authenticator = new Authenticator(request.credentials);
    let headers: Record<string, string> = { From: from, To: to, ...more };
    for (;;) {
      try {
        this.#established(await this.#send(requestUri, headers, sdp));
        return;
      } catch (error) {
        const challenged = error instanceof SipFailure && !this.#cancelled && authenticator.challenged(error.answer);
        if (!challenged || this.#settled || !this.#sent) {
          this.#settle({ type: 'failed', termination: failure(error) });
          return;
        }
        const { callId, from, sequence } = this.#sent;
        const again = { From: from, To: to, ...more, 'Call-ID': callId, CSeq: `${sequence + 1} INVITE` };
        headers = { ...again, ...authenticator.headers('INVITE', requestUri) };
      }
    }
  }

  #send(requestUri: string, headers: Readonly<Record<string, string>>, sdp: string): Promise<SipDialog> {
    return this.#connection.invite(requestUri, {
      headers,
      sdp,
      onSent: (invite) => {
        this.#sent = invite;
        if (this.#cancelled) this.cancel();
      },
      onProvisional: ({ status, reason }) => {
        if (!this.#settled) this.#listener({ type: 'provisional', status, reason });
      },
    });
  }

  #established(dialog: SipDialog): void {
    this.#dialog = dialog;
    dialog.onBye(() =>
      this.#settle({ type: 'ended', termination: { result: 'completed', reason: 'hung up by the far end' } }),
    );
    this.#listener({ type: 'answered', answer: parseSdp(dialog.remoteSdp) });
  }

  /** A pending INVITE gets no answer any more, and the far end is not to ring on; an established call goes on. */
  readonly #connectionLost = (reason: string): void => {
    if (this.#dialog) return;
    this.cancel();
    const termination: Termination = { result: 'signalling-failed', reason: `drachtio server lost: ${reason}` };
    this.#settle({ type: 'failed', termination });
  };

  #settle(event: SignallingEvent): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#connection.off('down', this.#connectionLost);
    this.#listener(event);
  }
}
