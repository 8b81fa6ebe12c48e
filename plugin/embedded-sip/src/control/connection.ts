import { timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';
import type { SipCore } from '../core/core.js';
import type { EmbeddedSipLimits } from '../options.js';
import type { TransactionUser, UserEvent } from '../transaction-user.js';
import { type Command, parseCommand } from './command.js';
import { answerText, eventText, proxiedText, sentRequestText, sentResponseText } from './event-text.js';
import { encodeFrame, FrameDecoder } from './frame.js';
import type { RouteTable } from './routes.js';

/** Version that clients are told: the drachtio server whose behaviour this is. */
const VERSION = 'v0.9.10-embedded-sip';

export interface ConnectionParts {
  readonly core: SipCore;
  readonly routes: RouteTable;
  readonly clock: Clock;
  readonly limits: EmbeddedSipLimits;
  readonly secret: string;
  /** SIP addresses, as `tcp/127.0.0.1:5060,udp/127.0.0.1:5060`. */
  readonly hostports: string;
  onClose(reason: string): void;
}

/** One application on the control port: a transaction user that lives at the other end of a TCP connection. */
export class ControlConnection implements TransactionUser {
  readonly #socket: Socket;
  readonly #parts: ConnectionParts;
  readonly #decoder: FrameDecoder;
  #authenticated = false;
  #alive = true;
  #reason = 'closed by the client';

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#decoder = new FrameDecoder(parts.limits.controlFrameBytes);
    socket.on('data', (chunk) => this.#receiveBytes(chunk.toString('latin1')));
    socket.on('error', (error) => {
      this.#reason = error.message;
    });
    socket.on('close', () => {
      this.#leave();
      parts.onClose(this.#reason);
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  receive(event: UserEvent): void {
    this.#send(eventText(event, this.#parts.clock.now()));
  }

  close(): void {
    this.#reason = 'server closed';
    this.#leave();
    this.#socket.destroy();
  }

  #receiveBytes(chunk: string): void {
    if (!this.#alive) return;
    const { payloads, error } = this.#decoder.push(chunk);
    for (const payload of payloads) {
      if (this.#alive) this.#execute(parseCommand(payload));
    }
    if (error !== undefined) this.#end(error);
  }

  #execute(command: Command): void {
    const { core, routes, limits, clock } = this.#parts;
    if (!this.#authenticated && command.verb !== 'authenticate') {
      this.#refuse(command.id, 'not authenticated');
      return;
    }
    switch (command.verb) {
      case 'authenticate':
        this.#authenticate(command.id, command.secret);
        break;
      case 'ping':
        this.#answer(command.id, 'OK', 'pong');
        break;
      case 'route':
        if (routes.add(command.method, this, limits.routesPerConnection)) this.#answer(command.id, 'OK');
        else this.#answer(command.id, 'NOK', 'too many routes');
        break;
      case 'remove_route':
        routes.removeAll(this);
        this.#answer(command.id, 'OK');
        break;
      case 'request':
        core.request(this, command.request, (result) => {
          if (result.ok) this.#send(sentRequestText(command.id, result, clock.now()));
          else this.#answer(command.id, 'NOK', result.reason);
        });
        break;
      case 'respond': {
        const result = core.respond(command.transactionId, command.response);
        if (result.ok) this.#send(sentResponseText(command.id, result, clock.now()));
        else this.#answer(command.id, 'NOK', result.reason);
        break;
      }
      case 'proxy':
        this.#proxy(command);
        break;
      case 'refused':
        this.#answer(command.id, 'NOK', command.reason);
        break;
      case 'invalid':
        this.#refuse(command.id, command.reason);
        break;
    }
  }

  #proxy({ id, transactionId, options, fullResponse }: Extract<Command, { readonly verb: 'proxy' }>): void {
    const { core, clock } = this.#parts;
    const refusal = core.proxy(transactionId, options, {
      onFinal: (response, flow) => {
        if (fullResponse) this.#send(proxiedText(id, response, flow, clock.now()));
      },
      onDone: () => {
        if (fullResponse) this.#answer(id, 'OK', 'done');
      },
    });
    if (refusal !== undefined) this.#answer(id, 'NOK', refusal);
    else if (!fullResponse) this.#answer(id, 'OK', 'done');
  }

  #authenticate(id: string, secret: string): void {
    const given = Buffer.from(secret, 'latin1');
    const expected = Buffer.from(this.#parts.secret);
    this.#authenticated = given.length === expected.length && timingSafeEqual(given, expected);
    if (this.#authenticated) this.#answer(id, 'OK', this.#parts.hostports, VERSION, this.#parts.hostports);
    else this.#refuse(id, 'incorrect secret');
  }

  #answer(id: string, ...fields: readonly string[]): void {
    this.#send(answerText(id, ...fields));
  }

  /** An error of the protocol: said, then the connection is closed. */
  #refuse(id: string, reason: string): void {
    this.#answer(id, 'NO', reason);
    this.#end(reason);
  }

  #send(payload: string): void {
    if (!this.#alive) return;
    this.#socket.write(encodeFrame(payload), 'latin1');
    if (this.#socket.writableLength > this.#parts.limits.pendingBytes) this.#end('client reads too slowly');
  }

  #end(reason: string): void {
    this.#reason = reason;
    this.#leave();
    this.#socket.end();
    this.#parts.clock.schedule(1_000, () => this.#socket.destroy());
  }

  #leave(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#parts.routes.removeAll(this);
    this.#parts.core.userGone(this);
  }
}
