import type { AmfObject } from 'rtmp-server-ts';
import type { Caller, CallNotice, CallStatusUpdate } from '../../call/ports.js';
import type { CallsNotice } from '../line-client.js';

/** The information object of an onStatus. */
export type SonoPush = AmfObject & { readonly level: 'status'; readonly code: string };

const push = (code: string, fields: AmfObject = {}): SonoPush => ({ level: 'status', code, ...fields });

export function statusPush({ status, sipStatus, reason }: CallStatusUpdate): SonoPush {
  return push('Sono.Call.Status', {
    status_code: status,
    ...(sipStatus !== undefined && { sip_status: sipStatus }),
    ...(reason !== undefined && { reason }),
  });
}

export const keyFramePush = push('Sono.Call.KeyFrame');

export function incomingPush(caller: Caller): SonoPush {
  return push('Sono.Call.Incoming', callerFields(caller));
}

export function noticePush(notice: CallNotice): SonoPush {
  switch (notice.type) {
    case 'dtmf':
      return push('Sono.Call.DTMF', { digit: notice.tone.digit, duration: notice.tone.duration });
    case 'hold': {
      const { local, remote, reason } = notice;
      return push('Sono.Call.Hold', { held: local || remote, local, remote, ...(reason !== undefined && { reason }) });
    }
    case 'transferred':
      return push('Sono.Call.Transferred', { uri: notice.uri });
    case 'transfer-failed':
      return push('Sono.Call.TransferFailed', { reason: notice.reason });
    case 'message':
      return push('Sono.Message', { from: notice.message.from, text: notice.message.text });
  }
}

export function callsPush(notice: CallsNotice): SonoPush {
  switch (notice.type) {
    case 'waiting':
      return push('Sono.Call.Waiting', callerFields(notice.caller));
    case 'switched': {
      const { uri, displayName } = notice.party;
      return push('Sono.Call.Switched', { uri, from: uri, ...(displayName !== undefined && { displayName }) });
    }
    case 'waiting-ended':
      return push('Sono.Call.WaitingEnded', { from: notice.party.uri, reason: notice.reason });
  }
}

function callerFields({ called, from, displayName, video }: Caller): AmfObject {
  return {
    uri: called,
    from,
    ...(displayName !== undefined && { displayName }),
    ...(video !== undefined && { video }),
  };
}
