import {
  type AmfObject,
  type AmfValue,
  amfProperties,
  type PublishRequest,
  type RpcCall,
  type RtmpSession,
} from 'rtmp-server-ts';
import type { Caller, CallNotice, CallStatusUpdate } from '../../call/ports.js';
import type { CallsNotice } from '../line-client.js';
import { type CallWish, type Dialect, type DialRefusal, noServer, type PhoneLine } from './dialect.js';
import { readDtmf } from './sono-dtmf.js';
import { callsPush, incomingPush, keyFramePush, noticePush, statusPush } from './sono-pushes.js';
import { readRegister } from './sono-register.js';

const refusalCodes = { existing: 'Sono.Call.Existing', failed: 'Sono.Call.Failed' } as const;

/** The default API: the one of the SEMS RTMP plugin and its test phone. */
export class SonoDialect implements Dialect {
  readonly #session: RtmpSession;
  readonly #line: PhoneLine;

  constructor(session: RtmpSession, line: PhoneLine) {
    this.#session = session;
    this.#line = line;
  }

  command(call: RpcCall): boolean {
    switch (call.name) {
      case 'dial':
        this.#dial(call);
        return true;
      case 'hangup':
        this.#line.hangup();
        return true;
      case 'accept':
        this.#line.accept(readWish(call.args[0]));
        return true;
      case 'reject':
        this.#reject(call);
        return true;
      case 'callWaiting':
        this.#callWaiting(call);
        return true;
      case 'swap':
        this.#swap(call);
        return true;
      case 'sendDTMF':
        this.#sendDtmf(call);
        return true;
      case 'hold':
        this.#hold(call);
        return true;
      case 'transfer':
        this.#transfer(call);
        return true;
      case 'sendMessage':
        this.#sendMessage(call);
        return true;
      case 'register':
        this.#register(call);
        return true;
      case 'unregister':
        this.#line.unregister();
        call.result();
        return true;
      default:
        return false;
    }
  }

  status(update: CallStatusUpdate): void {
    this.#session.status(statusPush(update));
  }

  keyFrameWanted(): void {
    this.#session.status(keyFramePush);
  }

  incoming(caller: Caller): void {
    this.#session.status(incomingPush(caller));
  }

  notice(notice: CallNotice): void {
    this.#session.status(noticePush(notice));
  }

  calls(notice: CallsNotice): void {
    this.#session.status(callsPush(notice));
  }

  /** The call decides whether anybody hears it; the name carries no meaning. */
  publish(request: PublishRequest): void {
    request.accept();
  }

  unpublish(): void {}

  /** An accepted dial has no reply of its own: the phone's Responder is for faults only. */
  #dial(call: RpcCall): void {
    const destination = call.args[0];
    if (destination === undefined || destination === null || destination === '') {
      call.error(fault('Sono.Call.NoUri', 'dial needs a SIP address, for example dial("sip:echo@localhost")'));
    } else if (typeof destination !== 'string') {
      call.error(fault('Sono.Call.Failed', `dial needs a SIP address as a string, not ${kindOf(destination)}`));
    } else {
      const refusal = this.#line.dial(destination, readWish(call.args[1]));
      if (refusal) call.error(refused(refusal));
    }
  }

  #reject(call: RpcCall): void {
    const [sipStatus = 486] = call.args;
    if (typeof sipStatus === 'number' && Number.isInteger(sipStatus) && sipStatus >= 400 && sipStatus <= 699) {
      this.#line.decline(sipStatus);
    } else {
      call.error(fault('Sono.Call.Failed', 'reject takes a SIP status from 400 to 699, or nothing for 486'));
    }
  }

  #callWaiting(call: RpcCall): void {
    const [on] = call.args;
    if (typeof on !== 'boolean') {
      call.error(fault('Sono.Call.Failed', 'callWaiting takes true, or false for a busy line'));
      return;
    }
    this.#line.callWaiting(on);
    call.result();
  }

  #swap(call: RpcCall): void {
    const refusal = this.#line.swap();
    if (refusal) call.error(fault('Sono.Call.Failed', refusal.description));
  }

  #sendDtmf(call: RpcCall): void {
    const wish = readDtmf(call.args);
    const refusal = 'refusal' in wish ? { description: wish.refusal } : this.#line.sendDtmf(wish.digits, wish.ms);
    if (refusal) call.error(fault('Sono.Call.Failed', refusal.description));
  }

  #hold(call: RpcCall): void {
    const [held] = call.args;
    const refusal =
      typeof held === 'boolean' ? this.#line.hold(held) : { description: 'hold takes true, or false to go on' };
    if (refusal) call.error(fault('Sono.Call.Failed', refusal.description));
  }

  #transfer(call: RpcCall): void {
    const [destination] = call.args;
    const refusal =
      typeof destination === 'string'
        ? this.#line.transfer(destination)
        : { description: 'transfer needs the SIP address to pass the call on to, as a string' };
    if (refusal) call.error(fault('Sono.Call.Failed', refusal.description));
  }

  #sendMessage(call: RpcCall): void {
    const [destination, text] = call.args;
    if (typeof destination !== 'string' || typeof text !== 'string') {
      call.error(fault('Sono.Message.Failed', 'sendMessage needs a SIP address and a text, both as strings'));
      return;
    }
    this.#line.sendMessage(destination, text).then(
      () => call.result({ level: 'status' }),
      (error: Error) => call.error(fault('Sono.Message.Failed', error.message)),
    );
  }

  #register(call: RpcCall): void {
    const wish = readRegister(call.args, (domain) => this.#line.home(domain));
    const lost = (reason: string) => this.#session.status({ level: 'status', code: 'Sono.Registration.Lost', reason });
    if (wish === 'made-up address') {
      const uri = this.#line.registerMadeUp(lost);
      if (uri === undefined) call.error(fault('Sono.Registration.Failed', noServer));
      else call.result({ level: 'status', uri });
    } else if ('refusal' in wish) {
      call.error(fault('Sono.Registration.Failed', wish.refusal));
    } else {
      this.#line.register(wish, lost).then(
        () => call.result({ level: 'status', uri: wish.address }),
        (error: Error) => call.error(fault('Sono.Registration.Failed', error.message)),
      );
    }
  }
}

/** The options of dial() and accept(): `{video: true}`. */
function readWish(options: AmfValue): CallWish {
  return { video: amfProperties(options)?.video === true };
}

function refused({ code, description }: DialRefusal): AmfObject {
  return fault(refusalCodes[code], description);
}

function fault(code: string, description: string): AmfObject {
  return { level: 'error', code, description };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
