import { ask, expectMatching, nothing, reply, request, takeMatching, typed } from './sipp-dialog.js';
import {
  confirm,
  established,
  expect,
  invite,
  optional,
  pause,
  respond,
  ringing,
  scenario,
  take,
  takeInvite,
  withInvite,
} from './sipp-scenarios.js';

/** SIPp scenarios of two phones with nothing but signalling between them; one is called, the other calls it. */

const sdp = (...lines: readonly string[]): string =>
  typed(
    'application/sdp',
    ...['v=0', 'o=sipp 1 1 IN IP4 [local_ip]', 's=-', 'c=IN IP4 [local_ip]', 't=0 0', 'm=audio [rtp_port] RTP/AVP 117'],
    ...['a=rtpmap:117 speex/16000', ...lines],
  );

export const bridged = {
  /** Presses a key, offers other media, is refused others, asks for the other's offer, is asked for a transfer, hangs up. */
  caller: () =>
    scenario(
      'says things within a call',
      ...established({ payloadType: 117 }),
      request('INFO', 2, typed('application/dtmf-relay', 'Signal=5', 'Duration=160')),
      expect(200),
      request('INVITE', 3, sdp('a=sendonly', 'a=x-mine:1')),
      optional(100),
      expectMatching(200, 'a=recvonly'),
      request('ACK', 3),
      request('INVITE', 4, sdp('a=x-mine:2')),
      optional(100),
      expect(488),
      request('ACK', 4),
      request('INVITE', 5),
      optional(100),
      expectMatching(200, 'a=x-theirs:1'),
      request('ACK', 5, sdp('a=x-mine:3')),
      takeMatching('REFER', 'Refer-To: *&lt;sip:somebody@127.0.0.1:9&gt;'),
      reply('202 Accepted'),
      // Over UDP the BYE could overtake the answer.
      pause(300),
      request('BYE', 6),
      expect(200),
    ),
  callee: () =>
    scenario(
      'is told things within a call',
      takeInvite,
      ringing,
      respond('200 OK', sdp(), ' retrans="500"'),
      take('ACK'),
      takeMatching('INFO', 'Signal=5'),
      confirm,
      takeMatching('INVITE', 'a=x-mine:1'),
      reply('200 OK', sdp('a=recvonly')),
      take('ACK'),
      takeMatching('INVITE', 'a=x-mine:2'),
      reply('488 Not Acceptable Here'),
      take('ACK'),
      take('INVITE'),
      reply('200 OK', sdp('a=x-theirs:1')),
      takeMatching('ACK', 'a=x-mine:3'),
      ask('REFER', 1, ['Refer-To: <sip:somebody@127.0.0.1:9>', nothing].join('\n')),
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
      expectMatching(200, 'a=x-theirs:1'),
      request('ACK', 1, sdp('a=x-mine:1')),
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
      takeMatching('ACK', 'a=x-mine:1'),
      ask('BYE', 1),
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
