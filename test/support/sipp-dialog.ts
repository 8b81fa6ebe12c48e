import { called, callId, contact, from, message, type Step, via } from './sipp-scenarios.js';

/** The messages within a dialog of which SIPp scenarios are made. */

export const nothing = 'Content-Length: 0';

/** An answer within the dialog: To has its tag already. */
export const reply = (status: string, content: string = nothing): Step =>
  message(
    [
      `SIP/2.0 ${status}`,
      '[last_Via:]',
      '[last_From:]',
      '[last_To:]',
      '[last_Call-ID:]',
      '[last_CSeq:]',
      contact,
      content,
    ].join('\n'),
  );

/** A request of the callee: From and To change places. */
export const ask = (method: string, cseq: number, content: string = nothing, attributes = ' retrans="500"'): Step =>
  message(
    [
      `${method} [$contact] SIP/2.0`,
      via,
      '[routes]',
      'From: <sip:sipp@[local_ip]:[local_port]>;tag=sipp[pid]c[call_number]',
      'To:[$from]',
      callId,
      `CSeq: ${cseq} ${method}`,
      contact,
      'Max-Forwards: 70',
      content,
    ].join('\n'),
    attributes,
  );

export const acknowledge = (cseq: number, content?: string): Step => ask('ACK', cseq, content, '');

/** A request of the caller, to where the 200 said that requests go. */
export const request = (method: string, cseq: number, content: string = nothing): Step =>
  message(
    [
      `${method} [next_url] SIP/2.0`,
      via,
      '[routes]',
      from(),
      `To: <${called}>[peer_tag_param]`,
      callId,
      `CSeq: ${cseq} ${method}`,
      contact,
      'Max-Forwards: 70',
      content,
    ].join('\n'),
    method === 'ACK' ? '' : ' retrans="500"',
  );

/** Takes a request that has to match. */
export const takeMatching = (method: string, pattern: string): Step =>
  `<recv request="${method}"><action>
  <ereg regexp="${pattern}" search_in="msg" check_it="true" assign_to="line"/>
</action></recv>
<Reference variables="line"/>`;
export const expectMatching = (status: number, pattern: string): Step =>
  `<recv response="${status}" rrs="true"><action>
  <ereg regexp="${pattern}" search_in="msg" check_it="true" assign_to="line"/>
</action></recv>
<Reference variables="line"/>`;

export const typed = (type: string, ...lines: readonly string[]): string =>
  [`Content-Type: ${type}`, 'Content-Length: [len]', '', ...lines].join('\n');
