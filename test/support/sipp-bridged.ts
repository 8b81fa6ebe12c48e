import {
  called,
  callId,
  confirm,
  established,
  expect,
  from,
  invite,
  message,
  optional,
  pause,
  respond,
  ringing,
  scenario,
  take,
  takeInvite,
  via,
  withInvite,
} from './sipp-scenarios.js';

/** SIPp scenarios of two phones with nothing but signalling between them; one is called, the other calls it. */

type Step = string;

const nothing = 'Content-Length: 0';
const typed = (type: string, ...lines: readonly string[]): string =>
  [`Content-Type: ${type}`, 'Content-Length: [len]', '', ...lines].join('\n');
const sdp = (...lines: readonly string[]): string =>
  typed(
    'application/sdp',
    ...['v=0', 'o=sipp 1 1 IN IP4 [local_ip]', 's=-', 'c=IN IP4 [local_ip]', 't=0 0', 'm=audio [rtp_port] RTP/AVP 117'],
    ...['a=rtpmap:117 speex/16000', ...lines],
  );

const matching = (what: string, pattern: string): Step =>
  `<recv ${what}><action>
  <ereg regexp="${pattern}" search_in="msg" check_it="true" assign_to="line"/>
</action></recv>
<Reference variables="line"/>`;

/** An answer within the dialog: To has its tag already. */
const reply = (status: string, content = nothing): Step =>
  message(
    [
      ...[`SIP/2.0 ${status}`, '[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', '[last_CSeq:]'],
      ...['Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>', content],
    ].join('\n'),
  );

/** A request of the caller. */
const ask = (method: string, cseq: number, content = nothing): Step =>
  message(
    [
      ...[`${method} [next_url] SIP/2.0`, via, '[routes]', from(), `To: <${called}>[peer_tag_param]`, callId],
      `CSeq: ${cseq} ${method}`,
      'Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>',
      ...['Max-Forwards: 70', content],
    ].join('\n'),
    method === 'ACK' ? '' : ' retrans="500"',
  );

/** A request of the callee: From and To change places. */
const askBack = (method: string, cseq: number, content = nothing): Step =>
  message(
    [
      ...[`${method} [$contact] SIP/2.0`, via, '[routes]'],
      ...['From: <sip:sipp@[local_ip]:[local_port]>;tag=sipp[pid]c[call_number]', 'To:[$from]', callId],
      ...[`CSeq: ${cseq} ${method}`, 'Max-Forwards: 70', content],
    ].join('\n'),
    ' retrans="500"',
  );

export const bridged = {
  /** Presses a key, offers other media, is refused others, asks for the other's offer, is asked for a transfer, hangs up. */
  caller: () =>
    scenario(
      'says things within a call',
      ...established({ payloadType: 117 }),
      ask('INFO', 2, typed('application/dtmf-relay', 'Signal=5', 'Duration=160')),
      expect(200),
      ask('INVITE', 3, sdp('a=sendonly', 'a=x-mine:1')),
      optional(100),
      matching('response="200" rrs="true"', 'a=recvonly'),
      ask('ACK', 3),
      ask('INVITE', 4, sdp('a=x-mine:2')),
      optional(100),
      expect(488),
      ask('ACK', 4),
      ask('INVITE', 5),
      optional(100),
      matching('response="200" rrs="true"', 'a=x-theirs:1'),
      ask('ACK', 5, sdp('a=x-mine:3')),
      matching('request="REFER"', 'Refer-To: *&lt;sip:somebody@127.0.0.1:9&gt;'),
      reply('202 Accepted'),
      // Over UDP the BYE could overtake the answer.
      pause(300),
      ask('BYE', 6),
      expect(200),
    ),
  callee: () =>
    scenario(
      'is told things within a call',
      takeInvite,
      ringing,
      respond('200 OK', sdp(), ' retrans="500"'),
      take('ACK'),
      matching('request="INFO"', 'Signal=5'),
      confirm,
      matching('request="INVITE"', 'a=x-mine:1'),
      reply('200 OK', sdp('a=recvonly')),
      take('ACK'),
      matching('request="INVITE"', 'a=x-mine:2'),
      reply('488 Not Acceptable Here'),
      take('ACK'),
      take('INVITE'),
      reply('200 OK', sdp('a=x-theirs:1')),
      matching('request="ACK"', 'a=x-mine:3'),
      askBack('REFER', 1, ['Refer-To: <sip:somebody@127.0.0.1:9>', nothing].join('\n')),
      expect(202),
      take('BYE'),
      confirm,
    ),
  /** Calls without an offer, and answers the one that comes. */
  asksForOffer: () =>
    scenario(
      'asks for an offer',
      invite({ offer: false }),
      optional(100),
      optional(180),
      matching('response="200" rrs="true"', 'a=x-theirs:1'),
      ask('ACK', 1, sdp('a=x-mine:1')),
      take('BYE'),
      confirm,
    ),
  /** Makes the offer, and hangs up when it has the answer. */
  offers: () =>
    scenario(
      'makes the offer',
      `<recv request="INVITE" rrs="true"><action>
  <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
  <ereg regexp="sip:[^>;]*" search_in="hdr" header="Contact:" assign_to="contact"/>
</action></recv>
<Reference variables="from,contact"/>`,
      ringing,
      respond('200 OK', sdp('a=x-theirs:1'), ' retrans="500"'),
      matching('request="ACK"', 'a=x-mine:1'),
      askBack('BYE', 1),
      expect(200),
    ),
  /** Gives up when it has rung for `ms`. */
  cancelsAfter: (ms: number) =>
    scenario(
      'cancels after a while',
      ...[invite(), optional(100), expect(180), pause(ms), withInvite('CANCEL')],
      ...[expect(200), expect(487), withInvite('ACK')],
    ),
  /** Rings for `ms`, answers, waits for the BYE. */
  answersAfter: (ms: number) =>
    scenario(
      'answers after a while',
      takeInvite,
      ringing,
      pause(ms),
      respond('200 OK', sdp(), ' retrans="500"'),
      take('ACK'),
      take('BYE'),
      confirm,
    ),
} as const;
