import { acknowledge, ask, expectMatching, nothing, reply, request, takeMatching, typed } from './sipp-dialog.js';
import {
  called,
  callId,
  confirm,
  contact,
  established,
  expect,
  from,
  invite,
  message,
  optional,
  pause,
  respond,
  ringing,
  type Step,
  scenario,
  take,
  takeInvite,
  via,
  withInvite,
} from './sipp-scenarios.js';

/**
 * SIPp scenarios of what phones do within a call, and of what is unusual in setting one up. `$pt` is the payload type that
 * the gateway offered for speex/16000, `$line` whatever an action has to put somewhere.
 */

export interface Media {
  readonly direction?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  /** Of the `c=` line; SIPp's own unless given. */
  readonly address?: string;
  /** Audio port; SIPp's own unless given. */
  readonly port?: number | string;
  readonly payloadType?: number | string;
  readonly codec?: string;
  /** Payload type of telephone-event, at the codec's rate; none unless given. */
  readonly events?: number;
  /** Session version in `o=`. */
  readonly version?: number;
  /** Lines behind the audio section. */
  readonly more?: readonly string[];
}

const body = (media: Media = {}): string => {
  const { direction = 'sendrecv', address = '[local_ip]', port = '[rtp_port]', version = 1, more = [] } = media;
  const { payloadType = '[$pt]', codec = 'speex/16000', events } = media;
  const [, rate] = codec.split('/');
  return [
    'Content-Type: application/sdp',
    'Content-Length: [len]',
    '',
    'v=0',
    `o=sipp 4711 ${version} IN IP4 [local_ip]`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${payloadType}${events === undefined ? '' : ` ${events}`}`,
    `a=rtpmap:${payloadType} ${codec}`,
    ...(events === undefined ? [] : [`a=rtpmap:${events} telephone-event/${rate}`, `a=fmtp:${events} 0-15`]),
    `a=${direction}`,
    ...more,
  ].join('\n');
};

const okWith = (media?: Media): Step => respond('200 OK', body(media), ' retrans="500"');
const answered = (media?: Media): readonly Step[] => [takeInvite, ringing, okWith(media), take('ACK')];
const isHungUpOn: readonly Step[] = [take('BYE'), confirm];

const pictureFastUpdate = [
  '<?xml version="1.0" encoding="utf-8" ?>',
  '<media_control><vc_primitive><to_encoder><picture_fast_update></picture_fast_update></to_encoder></vc_primitive></media_control>',
];

/** The far end is called. `spoken` is what it answers with at first. */
export const answering = {
  /** Answers with events in RTP, and waits for the BYE. */
  withEvents: (events: number, spoken: Media = {}) =>
    scenario('answers with events', ...answered({ ...spoken, events }), ...isHungUpOn),
  /** Takes each of these keys by INFO. */
  takesKeys: (...digits: readonly string[]) =>
    scenario(
      'takes keys by INFO',
      ...answered(),
      ...digits.flatMap((digit) => [takeMatching('INFO', `Signal=${digit}[^0-9A-D]`), confirm]),
      ...isHungUpOn,
    ),
  /** Presses a key by INFO in both ways there are, sends an INFO that nobody knows, and an empty one. */
  pressesKeys: (spoken: Media = {}) =>
    scenario(
      'presses keys by INFO',
      ...answered(spoken),
      pause(300),
      ask('INFO', 1, typed('application/dtmf-relay', 'Signal=5', 'Duration=240')),
      expect(200),
      ask('INFO', 2, typed('application/dtmf', '#')),
      expect(200),
      ask('INFO', 3, typed('application/x-unheard-of', 'Signal=1')),
      expect(415),
      ask('INFO', 4),
      expect(200),
      ...isHungUpOn,
    ),
  /** Asks for a key frame as phones without RTCP feedback do (RFC 5168). */
  wantsKeyFrame: () =>
    scenario(
      'asks for a key frame by INFO',
      ...answered(),
      pause(300),
      ask('INFO', 1, typed('application/media_control+xml', ...pictureFastUpdate)),
      expect(200),
      ...isHungUpOn,
    ),
  /** Is put on hold, and taken off it. */
  isHeld: (spoken: Media = {}) =>
    scenario(
      'is held',
      ...answered(spoken),
      takeMatching('INVITE', 'a=sendonly'),
      reply('200 OK', body({ ...spoken, direction: 'recvonly', version: 2 })),
      take('ACK'),
      takeMatching('INVITE', 'a=sendrecv'),
      reply('200 OK', body({ ...spoken, version: 3 })),
      take('ACK'),
      ...isHungUpOn,
    ),
  /** Answers a re-INVITE with this status, and goes on. */
  refusesHold: (status: string, spoken: Media = {}) =>
    scenario('refuses hold', ...answered(spoken), take('INVITE'), reply(status), take('ACK'), ...isHungUpOn),
  /** Says that it has an offer of its own under way, once. */
  collides: () =>
    scenario(
      'collides',
      ...answered(),
      take('INVITE'),
      reply('491 Request Pending'),
      take('ACK'),
      takeMatching('INVITE', 'a=sendonly'),
      reply('200 OK', body({ direction: 'recvonly', version: 2 })),
      take('ACK'),
      ...isHungUpOn,
    ),
  /** Makes an offer while one is pending that it has not answered: it is told 491, then answers. */
  offersAtTheSameTime: () =>
    scenario(
      'offers at the same time',
      ...answered(),
      take('INVITE'),
      // Kept for the answer: SIPp repeats the headers of the last message.
      ask('INVITE', 1, body({ version: 2 })),
      optional(100),
      expect(491),
      acknowledge(1),
      pause(100),
      // The gateway sends its own again, as nobody has answered it.
      takeMatching('INVITE', 'a=sendonly'),
      reply('200 OK', body({ direction: 'recvonly', version: 3 })),
      take('ACK'),
      ...isHungUpOn,
    ),
  /** Holds the call with this description, expects a direction in the answer, and goes on. */
  holds: (media: Media, expected: string, spoken: Media & { readonly ms?: number } = {}) =>
    scenario(
      'holds',
      ...answered(spoken),
      pause(300),
      ask('INVITE', 1, body({ ...spoken, ...media, version: 2 })),
      optional(100),
      expectMatching(200, expected),
      acknowledge(1),
      pause(spoken.ms ?? 300),
      ask('INVITE', 2, body({ ...spoken, version: 3 })),
      optional(100),
      expectMatching(200, 'a=sendrecv'),
      acknowledge(2),
      ...isHungUpOn,
    ),
  /** Holds the call by UPDATE, and refreshes it by one without a description. */
  updates: () =>
    scenario(
      'updates',
      ...answered(),
      pause(300),
      ask('UPDATE', 1, body({ direction: 'sendonly', version: 2 })),
      expectMatching(200, 'a=recvonly'),
      ask('UPDATE', 2),
      expect(200),
      ...isHungUpOn,
    ),
  /** Wants to hear our offer, and answers it in the ACK. */
  asksForOffer: (media: Media = {}, spoken: Media = {}) =>
    scenario(
      'asks for an offer',
      ...answered(spoken),
      pause(300),
      ask('INVITE', 1),
      optional(100),
      expectMatching(200, 'm=audio [1-9][0-9]* RTP/AVP'),
      acknowledge(1, body({ ...media, version: 2 })),
      ...isHungUpOn,
    ),
  /** Changes its media, and waits for the BYE. */
  changes: (media: Media, expected: string, spoken: Media = {}) =>
    scenario(
      'changes its media',
      ...answered(spoken),
      pause(300),
      ask('INVITE', 1, body({ ...media, version: 2 })),
      optional(100),
      expectMatching(200, expected),
      acknowledge(1),
      ...isHungUpOn,
    ),
  /** Offers a codec that we do not have: it is refused, and the call goes on. */
  changesToUnknown: (spoken: Media = {}) =>
    scenario(
      'changes to an unknown codec',
      ...answered(spoken),
      pause(300),
      ask('INVITE', 1, body({ payloadType: 18, codec: 'G729/8000', version: 2 })),
      optional(100),
      expect(488),
      acknowledge(1),
      ...isHungUpOn,
    ),
  /** Wants refreshes more often than anybody should: 422. */
  refreshesTooOften: () =>
    scenario(
      'refreshes too often',
      ...answered(),
      pause(300),
      ask('UPDATE', 1, ['Session-Expires: 60;refresher=uac', 'Supported: timer', nothing].join('\n')),
      expectMatching(422, '[Mm]in-S[Ee]: *90'),
      ...isHungUpOn,
    ),
  /** Insists on a longer session interval than was asked for. */
  wantsInterval: (seconds: number) =>
    scenario(
      'wants a longer interval',
      takeInvite,
      respond('422 Session Interval Too Small', [`Min-SE: ${seconds}`, nothing].join('\n')),
      take('ACK'),
      takeMatching('INVITE', `Session-Expires: *${seconds}`),
      respond('200 OK', [`Session-Expires: ${seconds};refresher=uas`, body()].join('\n'), ' retrans="500"'),
      take('ACK'),
      ...isHungUpOn,
    ),
  /** Is asked whether it is still there. */
  isAsked: () => scenario('is asked', ...answered(), take('OPTIONS'), confirm, ...isHungUpOn),
  /** Is asked whether it is still there, and does not know the call any more. */
  isGone: () => scenario('is gone', ...answered(), take('OPTIONS'), reply('481 Call/Transaction Does Not Exist')),
  /** Rings with early media that has to be confirmed, then answers without a description. */
  ringsReliably: (spoken: Media = { events: 100 }, ms = 300) =>
    scenario(
      'rings reliably',
      takeInviteAndKeepIt,
      respond('183 Session Progress', ['Require: 100rel', 'RSeq: 17', body(spoken)].join('\n')),
      takeMatching('PRACK', 'RAck: *17 [0-9]+ INVITE'),
      confirm,
      pause(ms),
      answerTo('INVITE', nothing),
      take('ACK'),
      ...isHungUpOn,
    ),
  /** Is two phones: the first plays an announcement, the second answers with another address. */
  forks: (first: Media, second: Media) =>
    scenario(
      'forks',
      takeInvite,
      fork('183 Session Progress', 'one', body(first)),
      pause(400),
      fork('183 Session Progress', 'two', body(second)),
      pause(400),
      fork('200 OK', 'two', body(second)),
      take('ACK'),
      take('BYE'),
      confirm,
    ),
  /** Is asked to call somebody else, and tells how that went. */
  isTransferred: (to: string, outcome: string, spoken: Media = {}) =>
    scenario(
      'is transferred',
      ...answered(spoken),
      takeMatching('REFER', `Refer-To: *&lt;${to}&gt;`),
      reply('202 Accepted'),
      ask('NOTIFY', 1, notice('100 Trying', 'active;expires=60')),
      expect(200),
      ask('NOTIFY', 2, notice(outcome, 'terminated;reason=noresource')),
      expect(200),
      ...isHungUpOn,
    ),
  refusesTransfer: () =>
    scenario('refuses a transfer', ...answered(), take('REFER'), reply('603 Decline'), ...isHungUpOn),
  /** Asks us to call somebody else, hears how that went and is hung up on. */
  transfers: (to: string, outcome: number, spoken: Media = {}) =>
    scenario(
      'transfers',
      ...answered(spoken),
      pause(300),
      ask('REFER', 1, [`Refer-To: <${to}>`, 'Referred-By: <sip:sipp@[local_ip]:[local_port]>', nothing].join('\n')),
      expect(202),
      takeMatching('NOTIFY', 'SIP/2.0 100'),
      confirm,
      takeMatching('NOTIFY', `SIP/2.0 ${outcome}`),
      confirm,
      ...isHungUpOn,
    ),
  /** Asks us to call somebody else, and hangs up without waiting. */
  transfersBlindly: (to: string) =>
    scenario(
      'transfers blindly',
      ...answered(),
      pause(300),
      ask('REFER', 1, [`Refer-To: <${to}>`, nothing].join('\n')),
      expect(202),
      takeMatching('NOTIFY', 'SIP/2.0 100'),
      confirm,
      ask('BYE', 2),
      expect(200),
    ),
  /** Asks us to call what nobody may dial. */
  transfersNowhere: (to: string, status: number) =>
    scenario(
      'transfers nowhere',
      ...answered(),
      pause(300),
      ask('REFER', 1, [`Refer-To: <${to}>`, nothing].join('\n')),
      expect(status),
      ...isHungUpOn,
    ),
  /** Sends the caller somewhere else. */
  redirects: (...contacts: readonly string[]) =>
    scenario(
      'redirects',
      takeInvite,
      message(
        [
          'SIP/2.0 302 Moved Temporarily',
          '[last_Via:]',
          '[last_From:]',
          '[last_To:];tag=sipp[pid]c[call_number]',
          '[last_Call-ID:]',
          '[last_CSeq:]',
          `Contact: ${contacts.join(', ')}`,
          nothing,
        ].join('\n'),
      ),
      take('ACK'),
    ),
  /** Sends a text, a picture and too much, and asks what we can do. */
  talksInText: (text: string) =>
    scenario(
      'talks in text',
      ...answered(),
      pause(300),
      ask('MESSAGE', 1, typed('text/plain', text)),
      expect(200),
      ask('MESSAGE', 2, typed('image/png', 'x')),
      expect(415),
      ask('OPTIONS', 3),
      expectMatching(200, 'Allow: [A-Z, ]*REFER'),
      ask('SUBSCRIBE', 4, ['Event: presence', nothing].join('\n')),
      expect(405),
      ask('NOTIFY', 5, ['Event: presence', 'Subscription-State: active', nothing].join('\n')),
      expect(489),
      ...isHungUpOn,
    ),
} as const;

function notice(status: string, state: string): string {
  return ['Event: refer', `Subscription-State: ${state}`, typed('message/sipfrag', `SIP/2.0 ${status}`, '')].join('\n');
}

/** As takeInvite, for {@link answerTo}. */
const takeInviteAndKeepIt: Step = takeInvite
  .replace(
    '<action>',
    '<action>\n  <ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>\n  <ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="cseq"/>',
  )
  .replace('variables="', 'variables="via,cseq,');

/** A final response to the INVITE when another request was the last. */
function answerTo(method: string, content: string): Step {
  return message(
    [
      'SIP/2.0 200 OK',
      'Via:[$via]',
      '[last_From:]',
      '[last_To:]',
      '[last_Call-ID:]',
      `CSeq: [$cseq] ${method}`,
      contact,
      content,
    ].join('\n'),
    ' retrans="500"',
  );
}

/** A response of one of several phones. */
function fork(status: string, tag: string, content: string): Step {
  return message(
    [
      `SIP/2.0 ${status}`,
      '[last_Via:]',
      '[last_From:]',
      `[last_To:];tag=${tag}`,
      '[last_Call-ID:]',
      '[last_CSeq:]',
      contact,
      content,
    ].join('\n'),
    status.startsWith('2') ? ' retrans="500"' : '',
  );
}

const inviteWith = (headers: readonly string[], content: string = body({ payloadType: 117 })): Step =>
  message(
    [
      `INVITE ${called} SIP/2.0`,
      via,
      from(),
      `To: <${called}>`,
      callId,
      'CSeq: 1 INVITE',
      contact,
      'Max-Forwards: 70',
      ...headers,
      content,
    ].join('\n'),
    ' retrans="500"',
  );

/** Outside of calls. */
const outside = (method: string, content: string): Step =>
  message(
    [
      `${method} ${called} SIP/2.0`,
      via,
      from(),
      `To: <${called}>`,
      callId,
      `CSeq: 1 ${method}`,
      contact,
      'Max-Forwards: 70',
      content,
    ].join('\n'),
    ' retrans="500"',
  );

const refused = (headers: readonly string[], status: number, pattern: string): readonly Step[] => [
  inviteWith(headers),
  optional(100),
  expectMatching(status, pattern),
  withInvite('ACK'),
];

/** The far end calls. */
export const calling = {
  /** Wants to hear our offer, answers it in the ACK and is hung up on. */
  offersNothing: (spoken: Media = { payloadType: 96 }, expected = 'a=rtpmap:96 speex/16000') =>
    scenario(
      'offers nothing',
      invite({ offer: false }),
      optional(100),
      optional(180),
      expectMatching(200, expected),
      request('ACK', 1, body(spoken)),
      ...isHungUpOn,
    ),
  /** The same, and its answer has nothing that was offered. */
  answersNothing: () =>
    scenario(
      'answers nothing',
      invite({ offer: false }),
      optional(100),
      optional(180),
      expectMatching(200, 'm=audio'),
      request('ACK', 1),
      ...isHungUpOn,
    ),
  /** Insists on a ringing that is confirmed. */
  insistsOnReliability: () =>
    scenario(
      'insists on reliable ringing',
      inviteWith(['Require: 100rel', 'Supported: 100rel']),
      optional(100),
      `<recv response="180" rrs="true"><action>
  <ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" check_it="true" assign_to="line"/>
</action></recv>
<Reference variables="line"/>`,
      request('PRACK', 2, ['RAck: [$line] 1 INVITE', nothing].join('\n')),
      '<recv response="200"><action><ereg regexp="PRACK" search_in="hdr" header="CSeq:" check_it="true" assign_to="line"/></action></recv>',
      '<recv response="200" rrs="true"/>',
      request('ACK', 1),
      ...isHungUpOn,
    ),
  refreshesTooOften: () =>
    scenario('refreshes too often', ...refused(['Session-Expires: 60', 'Supported: timer'], 422, '[Mm]in-S[Ee]: *90')),
  insistsOnUnknown: () =>
    scenario('insists on the unknown', ...refused(['Require: teleportation'], 420, 'Unsupported: *teleportation')),
  /** Asks for a session timer, and is told who refreshes. */
  wantsTimer: (expires: string, expected: string) =>
    scenario(
      'wants a session timer',
      inviteWith([`Session-Expires: ${expires}`, 'Supported: timer']),
      optional(100),
      optional(180),
      expectMatching(200, expected),
      request('ACK', 1),
      ...isHungUpOn,
    ),
  /** Takes over somebody's side of a call, and is hung up on. */
  takesOver: (replaces: string, spoken: Media = { payloadType: 117 }) =>
    scenario(
      'takes over',
      inviteWith([`Replaces: ${replaces}`, 'Require: replaces'], body(spoken)),
      optional(100),
      expectMatching(200, 'm=audio'),
      request('ACK', 1),
      ...isHungUpOn,
    ),
  takesOverNothing: (replaces: string, status: number) =>
    scenario('takes over nothing', ...refused([`Replaces: ${replaces}`], status, 'SIP/2.0')),
  sendsText: (text: string, status: number, type = 'text/plain;charset=UTF-8') =>
    scenario('sends a text', outside('MESSAGE', typed(type, text)), expect(status)),
  asksForOptions: () =>
    scenario(
      'asks what we can do',
      outside('OPTIONS', nothing),
      expectMatching(200, 'Allow: [A-Z, ]*REFER.*Supported: [a-z0-9, ]*replaces'),
    ),
  /** Calls, waits to be held and to be hung up on. */
  isHeld: (spoken: { readonly payloadType: number; readonly codec?: string } = { payloadType: 117 }) =>
    scenario(
      'is held',
      ...established(spoken),
      takeMatching('INVITE', 'a=sendonly'),
      reply('200 OK', body({ ...spoken, direction: 'recvonly', version: 2 })),
      take('ACK'),
      ...isHungUpOn,
    ),
} as const;

/** A re-INVITE that says this, answered as such an offer is. */
const takeOffer = (direction: 'sendonly' | 'sendrecv', version: number): readonly Step[] => [
  takeMatching('INVITE', `a=${direction}`),
  reply('200 OK', body({ direction: direction === 'sendonly' ? 'recvonly' : 'sendrecv', version, payloadType: 117 })),
  take('ACK'),
];

/** One of two calls of a phone: what becomes of it, step by step, once it is answered. */
const parts = {
  isHeld: takeOffer('sendonly', 2),
  isTakenBack: takeOffer('sendrecv', 3),
  isHeldAgain: takeOffer('sendonly', 4),
  refusesHold: [takeMatching('INVITE', 'a=sendonly'), reply('488 Not Acceptable Here'), take('ACK')],
  isHungUpOn,
  /** When an INFO tells it to. */
  hangsUp: [take('INFO'), confirm, request('BYE', 2), expect(200)],
} as const satisfies Record<string, readonly Step[]>;

export type PartOfTwo = keyof typeof parts;

/** A caller that has one of two calls of a phone: what becomes of it, step by step. */
export const oneOfTwo = (...steps: readonly PartOfTwo[]): string =>
  scenario(steps.join(', '), ...established(), ...steps.flatMap((step) => parts[step]));

/** Takes a text, or refuses it. */
export const takesText = (pattern: string, status = '200 OK'): string =>
  scenario('takes a text', takeMatching('MESSAGE', pattern), respond(status));
