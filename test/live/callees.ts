/** SIPp scenarios of callees whose SIP is unlike the ordinary, which test/support has. */

const scenario = (name: string, ...steps: readonly string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="${name}">\n${steps.join('\n')}\n</scenario>\n`;
const send = (lines: readonly string[], attributes = ''): string =>
  `<send${attributes}><![CDATA[\n${lines.join('\n')}\n]]></send>`;
const take = (request: string): string => `<recv request="${request}" rrs="true"/>`;
const pause = (ms: number): string => `<pause milliseconds="${ms}"/>`;

const headers = ['[last_Via:]', '[last_From:]', '[last_To:];tag=sipp[pid]c[call_number]', '[last_Call-ID:]'];
const noBody = 'Content-Length: 0';
const contact = 'Contact: <sip:sipp@[local_ip]:[local_port]>';

const takeInvite = `<recv request="INVITE"><action>
  <ereg regexp="a=rtpmap:([0-9]+) speex/16000" search_in="msg" assign_to="line,pt"/>
</action></recv>
<Reference variables="line,pt"/>`;
const sdp = [
  'Content-Type: application/sdp',
  'Content-Length: [len]',
  '',
  'v=0',
  'o=sipp 1 1 IN IP4 [local_ip]',
  's=-',
  'c=IN IP4 [local_ip]',
  't=0 0',
  'm=audio [rtp_port] RTP/AVP [$pt]',
  'a=rtpmap:[$pt] speex/16000',
];

const ringing = send(['SIP/2.0 180 Ringing', ...headers, '[last_CSeq:]', contact, noBody]);
const ok = (...more: readonly string[]): string =>
  send(['SIP/2.0 200 OK', ...headers, '[last_CSeq:]', ...more, ...sdp], ' retrans="500"');
/** The To of a request within the dialog has its tag already. */
const confirm = send([
  'SIP/2.0 200 OK',
  '[last_Via:]',
  '[last_From:]',
  '[last_To:]',
  '[last_Call-ID:]',
  '[last_CSeq:]',
  noBody,
]);
/** The final response of the INVITE: SIPp repeats the headers of the last message, which is the CANCEL. */
const terminated = send(['SIP/2.0 487 Request Terminated', ...headers, 'CSeq: [cseq] INVITE', noBody]);

/** Says nothing at all for `ms`, then rings, and takes the CANCEL that has waited for that (RFC 3261 section 9.1). */
export const ringsLate = (ms: number): string =>
  scenario('rings late', takeInvite, pause(ms), ringing, take('CANCEL'), confirm, terminated, take('ACK'));

/** Says nothing at all for `ms`, then answers: the answer crosses the caller's hang-up. */
export const answersFromSilence = (ms: number): string =>
  scenario('answers from silence', takeInvite, pause(ms), ok(contact), take('ACK'), take('BYE'), confirm);

/** Takes the INVITE and never says anything. */
export const isSilent = (): string => scenario('is silent', takeInvite, pause(60_000));

/** Answers the CANCEL, but answers the INVITE with 200 all the same: the two crossed on the wire. */
export const answersDespiteCancel = (): string =>
  scenario(
    'answers despite CANCEL',
    takeInvite,
    ringing,
    take('CANCEL'),
    confirm,
    send(['SIP/2.0 200 OK', ...headers, 'CSeq: [cseq] INVITE', contact, ...sdp], ' retrans="500"'),
    take('ACK'),
    take('BYE'),
    confirm,
  );

/**
 * Two proxies have recorded themselves, the nearer one at this very address; the callee's own address leads to nobody.
 */
export const isBehindProxies = (): string =>
  scenario(
    'is behind proxies',
    takeInvite,
    ringing,
    ok('Record-Route: <sip:far.invalid;lr>, <sip:[local_ip]:[local_port];lr>', 'Contact: <sip:callee@[local_ip]:9>'),
    take('ACK'),
    take('BYE'),
    confirm,
  );

/** Takes the call and lets it be: for a server that is killed in between. */
export const answersAndStays = (): string =>
  scenario('answers and stays', takeInvite, ok(contact), take('ACK'), pause(60_000));
