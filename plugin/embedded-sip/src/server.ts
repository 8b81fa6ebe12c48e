import { randomBytes } from 'node:crypto';
import { ScopedClock, systemClock } from './clock.js';
import { ControlServer } from './control/control-server.js';
import { RouteTable } from './control/routes.js';
import { SipCore } from './core/core.js';
import { DialogTable } from './dialog/dialog-table.js';
import { hostPort } from './message/uri.js';
import { Numbers } from './numbers/numbers.js';
import { DEFAULT_LIMITS, type EmbeddedSipOptions } from './options.js';
import { LocalAddress } from './transport/local-address.js';
import { Transport } from './transport/transport.js';
import type { Flow, Target } from './transport/types.js';

/** A SIP server over UDP and TCP that applications drive over the drachtio control protocol. */
export class EmbeddedSip {
  /** Where SIP is served. */
  readonly sip: { readonly host: string; readonly port: number };
  /** What a control client needs to connect. */
  readonly control: { readonly host: string; readonly port: number; readonly secret: string };
  readonly #core: SipCore;
  readonly #close: () => Promise<void>;
  #closing: Promise<void> | undefined;

  private constructor(
    sip: EmbeddedSip['sip'],
    control: EmbeddedSip['control'],
    core: SipCore,
    close: () => Promise<void>,
  ) {
    this.sip = sip;
    this.control = control;
    this.#core = core;
    this.#close = close;
  }

  /**
   * Opens the SIP and control ports.
   * @throws ListenError when a port cannot be opened; its code is EADDRINUSE when it is taken.
   */
  static async start(options: EmbeddedSipOptions): Promise<EmbeddedSip> {
    const { advertisedAddress, control = {} } = options;
    const host = options.host === 'localhost' ? '127.0.0.1' : options.host;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const clock = new ScopedClock(options.clock ?? systemClock);
    const log = options.logger ?? (() => undefined);
    const local = new LocalAddress(host, advertisedAddress);
    const routes = new RouteTable();

    // The core needs the transport and the transport delivers to the core: nothing arrives before both exist.
    let core: SipCore | undefined;
    const events = {
      onMessage: (text: string, flow: Flow) => core?.onMessage(text, flow),
      onUnreachable: (target: Target) => core?.onUnreachable(target),
    };
    const transport = await Transport.bind(host, options.port, events, { limits, clock, log });
    const { port } = transport;
    const dialogs = new DialogTable();
    let numbers: Numbers | undefined;
    const sipCore = new SipCore(
      { clock, limits, log, dialogs, transport, local, port },
      (request) => numbers?.userFor(request) ?? routes.select(request.method),
    );
    core = sipCore;
    const { speexEncoder } = options;
    if (options.numbers ?? true) numbers = new Numbers({ core: sipCore, clock, limits, log, local, speexEncoder });

    const controlHost = control.host ?? '127.0.0.1';
    const secret = control.secret ?? randomBytes(16).toString('hex');
    const address = hostPort(local.facing(advertisedAddress ?? host), port);
    const hostports = `tcp/${address},udp/${address}`;
    try {
      const parts = { core: sipCore, routes, clock, limits, secret, hostports, log };
      const server = await ControlServer.listen(controlHost, control.port ?? 0, parts);
      return new EmbeddedSip({ host, port }, { host: controlHost, port: server.port, secret }, sipCore, async () => {
        await server.close();
        numbers?.close();
        sipCore.close();
        await transport.close();
        clock.cancelAll();
      });
    } catch (error) {
      await transport.close();
      clock.cancelAll();
      throw error;
    }
  }

  /** Transactions and dialogs alive, and messages dropped as malformed since the start. */
  get counts(): { readonly transactions: number; readonly dialogs: number; readonly dropped: number } {
    return this.#core.counts;
  }

  /** Closes every socket and drops every call without a word; safe to call more than once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }
}
