import {
  type AmfObject,
  type AmfValue,
  amfProperties,
  type PublishRequest,
  type RpcCall,
  type RtmpSession,
} from 'rtmp-server-ts';
import type { Caller, CallNotice, CallStatusUpdate } from '../../call/ports.js';
import { type CallWish, type Dialect, type DialRefusal, noServer, type PhoneLine } from './dialect.js';
import { readDtmf } from './sono-dtmf.js';
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

  status({ status, sipStatus, reason }: CallStatusUpdate): void {
    this.#session.status({
      level: 'status',
      code: 'Sono.Call.Status',
      status_code: status,
      ...(sipStatus !== undefined && { sip_status: sipStatus }),
      ...(reason !== undefined && { reason }),
    });
  }

  keyFrameWanted(): void {
    this.#session.status({ level: 'status', code: 'Sono.Call.KeyFrame' });
  }

  incoming({ called, from, displayName, video }: Caller): void {
    this.#session.status({
      level: 'status',
      code: 'Sono.Call.Incoming',
      uri: called,
      from,
      ...(displayName !== undefined && { displayName }),
      ...(video !== undefined && { video }),
    });
  }

  notice(notice: CallNotice): void {
    switch (notice.type) {
      case 'dtmf':
        this.#push('Sono.Call.DTMF', { digit: notice.tone.digit, duration: notice.tone.duration });
        return;
      case 'hold': {
        const { local, remote, reason } = notice;
        this.#push('Sono.Call.Hold', { held: local || remote, local, remote, ...(reason !== undefined && { reason }) });
        return;
      }
      case 'transferred':
        this.#push('Sono.Call.Transferred', { uri: notice.uri });
        return;
      case 'transfer-failed':
        this.#push('Sono.Call.TransferFailed', { reason: notice.reason });
        return;
      case 'message':
        this.#push('Sono.Message', { from: notice.message.from, text: notice.message.text });
        return;
    }
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

  #push(code: string, fields: AmfObject): void {
    this.#session.status({ level: 'status', code, ...fields });
  }

  #register(call: RpcCall): void {
    const wish = readRegister(call.args);
    if (wish === 'made-up address') {
      this.#line.unregister();
      const uri = this.#line.address;
      if (uri === undefined) call.error(fault('Sono.Registration.Failed', noServer));
      else call.result({ level: 'status', uri });
    } else if ('refusal' in wish) {
      call.error(fault('Sono.Registration.Failed', wish.refusal));
    } else {
      const lost = (reason: string) =>
        this.#session.status({ level: 'status', code: 'Sono.Registration.Lost', reason });
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
