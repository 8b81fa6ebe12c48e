import type { InCallEvent } from '../../call/ports.js';
import { allow, optionsHeaders } from '../drachtio/capabilities.js';
import type { ReceivedRequest } from '../drachtio/received-request.js';
import { readText } from '../text-message.js';
import { readDtmfInfo } from './dtmf-info.js';
import { asksForPicture } from './media-control.js';
import type { Offered } from './offered.js';
import type { Referred } from './referred.js';
import type { Transfer } from './transfer.js';

export interface InDialogOptions {
  readonly offered: Offered;
  readonly referred: Referred;
  readonly transfer: () => Transfer | undefined;
  readonly tell: (event: InCallEvent) => void;
  readonly hungUp: (reason: string) => void;
}

const methodNotAllowed = 405;
const unsupportedMediaType = 415;
const noSuchSubscription = 481;
const badEvent = 489;

/** What the far end may ask within an answered call, and who answers. */
export class InDialogRequests {
  readonly #options: InDialogOptions;

  constructor(options: InDialogOptions) {
    this.#options = options;
  }

  receive(request: ReceivedRequest): void {
    const { offered, referred, tell } = this.#options;
    switch (request.method) {
      case 'BYE':
        this.#hungUp(request);
        return;
      case 'INVITE':
      case 'UPDATE':
        offered.receive(request);
        return;
      case 'ACK':
        offered.acknowledged(request);
        return;
      case 'INFO':
        this.#informed(request);
        return;
      case 'REFER':
        referred.receive(request);
        return;
      case 'NOTIFY':
        this.#notified(request);
        return;
      case 'MESSAGE': {
        const text = readText(request);
        if ('refusal' in text) request.respond(text.refusal, { headers: text.headers });
        else {
          request.respond(200);
          tell({ type: 'message', message: text });
        }
        return;
      }
      case 'OPTIONS':
        request.respond(200, { headers: optionsHeaders });
        return;
      case 'PRACK':
        request.respond(200);
        return;
      default:
        request.respond(methodNotAllowed, { headers: { Allow: allow } });
    }
  }

  #hungUp(request: ReceivedRequest): void {
    request.respond(200);
    const text = /text="((?:[^"\\]|\\.)*)"/i.exec(request.header('reason'))?.[1];
    this.#options.hungUp(
      request.generated && text !== undefined ? `ended by the SIP server: ${text}` : 'hung up by the far end',
    );
  }

  /** An INFO without a body asks only whether the call is there (RFC 6086 section 4.2.2). */
  #informed(request: ReceivedRequest): void {
    const type = request.header('content-type');
    const tone = readDtmfInfo(type, request.body);
    if (tone) this.#options.tell({ type: 'tone', tone });
    if (asksForPicture(type, request.body)) this.#options.tell({ type: 'key-frame-wanted' });
    const understood = tone !== undefined || request.body === '' || /^application\/(?:dtmf|media_control)/i.test(type);
    request.respond(understood ? 200 : unsupportedMediaType);
  }

  #notified(request: ReceivedRequest): void {
    if (!/^refer\b/i.test(request.header('event'))) {
      request.respond(badEvent);
      return;
    }
    const transfer = this.#options.transfer();
    if (!transfer) {
      request.respond(noSuchSubscription);
      return;
    }
    request.respond(200);
    transfer.notified(request);
  }
}
