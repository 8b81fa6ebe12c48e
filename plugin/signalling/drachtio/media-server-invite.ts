import type { DrachtioConnection } from './drachtio.js';
import type { SentRequest, SrfClient, SrfDialog } from './srf.js';

export interface MediaServerInvite {
  readonly headers: Readonly<Record<string, string>>;
  /** Without it the media server makes the offer. */
  readonly localSdp?: string;
}

/** As {@link DrachtioConnection.inviteMediaServer}. */
export function inviteMediaServer(
  connection: DrachtioConnection,
  login: SrfClient,
  uri: string,
  { headers, localSdp }: MediaServerInvite,
  timeoutMs: number,
): Promise<SrfDialog> {
  return new Promise((resolve, reject) => {
    let sent: SentRequest | undefined;
    let over = false;
    const end = (error?: Error) => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      connection.off('down', lost);
      if (error) reject(error);
    };
    const lost = (reason: string) => end(new Error(`drachtio server lost: ${reason}`));
    const timer = setTimeout(() => {
      if (sent) connection.send(sent.uri, { method: 'CANCEL', stackTxnId: sent.stackTxnId }, () => undefined);
      end(new Error(`no answer to the INVITE within ${timeoutMs} ms`));
    }, timeoutMs);
    connection.once('down', lost);
    const callbacks = {
      cbRequest: (_: unknown, request?: SentRequest) => {
        sent = request;
      },
      cbProvisional: () => undefined,
    };
    login
      .createUAC(uri, { headers: { ...headers }, ...(localSdp !== undefined && { localSdp }) }, callbacks)
      .then((dialog) => {
        // An answer that nobody waits for any more.
        if (over) dialog.destroy({ headers: {} }, () => undefined);
        end();
        resolve(dialog);
      }, end);
  });
}
