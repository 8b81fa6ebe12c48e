import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { EmbeddedSip } from 'embedded-sip';
import type { Scope } from '../../../support/scope.js';

/** The part of drachtio-srf that is used here; its own types leave some of it out. */
export interface SipText {
  readonly method: string;
  readonly uri: string;
  readonly body: string;
  readonly raw: string;
  readonly headers: Record<string, string>;
  get(name: string): string;
  has(name: string): boolean;
}

export interface Request extends SipText, EventEmitter {
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  readonly receivedOn?: string;
  readonly stackDialogId: string;
  cancel(options?: object, callback?: (error: unknown, request: Request) => void): void;
}

export interface Response extends SipText {
  readonly status: number;
  readonly reason: string;
  send(
    status: number,
    options?: object,
    callback?: (error: unknown, sent: SipText) => void,
    onPrack?: (prack: Request) => void,
  ): void;
}

export interface Dialog extends EventEmitter {
  readonly id: string;
  readonly sip: { callId: string; localTag: string; remoteTag: string };
  readonly local: { uri: string; sdp: string };
  readonly remote: { uri: string; sdp: string };
  destroy(options?: object): Promise<Request>;
  modify(sdp: string): Promise<string>;
  request(options: object): Promise<Response>;
}

export interface Progress {
  cbRequest?: (error: unknown, request: Request) => void;
  cbProvisional?: (response: Response) => void;
}

export interface App extends EventEmitter {
  connect(options: object): void;
  disconnect(): void;
  use(method: string, handler: (request: Request, response: Response, next: () => void) => void): void;
  createUAC(uri: string, options: object, progress?: Progress): Promise<Dialog>;
  createUAS(request: Request, response: Response, options: object): Promise<Dialog>;
  createB2BUA(
    request: Request,
    response: Response,
    uri: string,
    options: object,
  ): Promise<{ uac: Dialog; uas: Dialog }>;
  request(uri: string, options: object): Promise<Request>;
}

const Srf: new () => App = createRequire(import.meta.url)('drachtio-srf');

/** An application with unmodified drachtio-srf, connected and with its routes known to the server. */
export async function srfApp(
  scope: Scope,
  server: EmbeddedSip,
  handlers: Record<string, (request: Request, response: Response) => void> = {},
): Promise<App> {
  const app = new Srf();
  app.on('error', () => undefined);
  for (const [method, handler] of Object.entries(handlers)) app.use(method, handler);
  const connected = once(app, 'connect', (error) => {
    if (error) throw error;
  });
  app.connect(server.control);
  await connected;
  // Routes are sent before 'connect'; a frame that is answered afterwards means that they are known.
  const probe = await app
    .request(`sip:nobody@127.0.0.1:${server.sip.port};transport=none`, { method: 'OPTIONS' })
    .catch(() => undefined);
  if (probe) throw new Error('the probe was sent');
  // drachtio-srf asserts when it is disconnected already.
  let connectedNow = true;
  app.on('close', () => {
    connectedNow = false;
  });
  scope.defer(() => connectedNow && app.disconnect());
  return app;
}

/** The final response to a request outside a dialog. */
export async function answerTo(app: App, uri: string, options: object): Promise<Response> {
  const request = await app.request(uri, options);
  return new Promise((resolve) => {
    request.on('response', (response: Response) => {
      if (response.status >= 200) resolve(response);
    });
  });
}

/** The next event of that name, as what `pick` makes of its arguments. */
export function once<T, A extends unknown[]>(
  emitter: EventEmitter,
  name: string,
  pick: (...values: A) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    emitter.once(name, (...values) => {
      try {
        resolve(pick(...(values as A)));
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** Resolves from outside. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

export function sdp(port = 4000): string {
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=audio ${port} RTP/AVP 97`];
  return `${[...lines, 'a=rtpmap:97 speex/16000', 'a=sendrecv'].join('\r\n')}\r\n`;
}
