/**
 * SIPp scenarios, put together from the messages of one call. Keys in brackets are SIPp's own, or given with `-key`:
 * `rtp_port` is where the media of the scenario's phone is.
 */

/** One step of a scenario, as SIPp's XML. */
export type Step = string;

export const scenario = (name: string, ...steps: readonly Step[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="${name}">\n${steps.join('\n')}\n</scenario>\n`;

export const message = (text: string, attributes = ''): Step => `<send${attributes}><![CDATA[\n${text}\n]]></send>`;
export const pause = (ms: number): Step => `<pause milliseconds="${ms}"/>`;

/**
 * Takes the INVITE; keeps the payload type offered for speex/16000 as $pt, the first key as $crypto, and the caller's From
 * and Contact for requests of our own. `Record-Route` comes back in the answers.
 */
export const takeInvite: Step = `<recv request="INVITE" rrs="true"><action>
  <ereg regexp="a=rtpmap:([0-9]+) speex/16000" search_in="msg" assign_to="line,pt"/>
  <ereg regexp="a=crypto:1 [A-Za-z0-9_:/+=| ]+" search_in="msg" assign_to="crypto"/>
  <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
  <ereg regexp="sip:[^>;]*" search_in="hdr" header="Contact:" assign_to="contact"/>
</action></recv>
<Reference variables="line,pt,crypto,from,contact"/>`;

export const take = (request: string): Step => `<recv request="${request}"/>`;
export const expect = (status: number): Step => `<recv response="${status}"/>`;

interface Answer {
  /** Payload type in the answer; the one offered unless given. */
  readonly payloadType?: number;
  readonly codec?: string;
  /** Takes the first key offered for its own too: what comes can be sent back as it is. */
  readonly sameKey?: boolean;
  readonly video?: VideoSection;
}

/** A section for H.264. */
export interface VideoSection {
  /** 0 refuses it. */
  readonly port: number;
  readonly payloadType?: number;
  readonly mode?: 0 | 1;
  readonly protocol?: 'RTP/AVP' | 'RTP/AVPF';
  /** What stands in `a=rtcp-fb`. */
  readonly feedback?: readonly string[];
}

const videoLines = ({
  port,
  payloadType = 99,
  mode = 1,
  protocol = 'RTP/AVP',
  feedback = [],
}: VideoSection): string[] => [
  `m=video ${port} ${protocol} ${payloadType}`,
  `a=rtpmap:${payloadType} H264/90000`,
  `a=fmtp:${payloadType} profile-level-id=42c01f;packetization-mode=${mode}`,
  ...feedback.map((kind) => `a=rtcp-fb:${payloadType} ${kind}`),
];

const sdp = ({ payloadType, codec = 'speex/16000', sameKey = false, video }: Answer = {}): string => {
  const type = payloadType ?? '[$pt]';
  return [
    'Content-Type: application/sdp',
    'Content-Length: [len]',
    '',
    'v=0',
    'o=sipp 53655765 2353687637 IN IP[local_ip_type] [local_ip]',
    's=-',
    'c=IN IP[local_ip_type] [local_ip]',
    't=0 0',
    `m=audio [rtp_port] RTP/AVP ${type}`,
    `a=rtpmap:${type} ${codec}`,
    'a=ptime:20',
    ...(sameKey ? ['[$crypto]'] : []),
    ...(video ? videoLines(video) : []),
  ].join('\n');
};

/** A response to the last request received; `body` starts with its own headers. */
export const respond = (status: string, body = 'Content-Length: 0', attributes = ''): Step =>
  message(
    [
      `SIP/2.0 ${status}`,
      '[last_Via:]',
      '[last_Record-Route:]',
      '[last_From:]',
      '[last_To:];tag=sipp[pid]c[call_number]',
      '[last_Call-ID:]',
      '[last_CSeq:]',
      'Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>',
      body,
    ].join('\n'),
    attributes,
  );

/** Responses within the dialog already have the To tag. */
export const confirm: Step = message(
  [
    'SIP/2.0 200 OK',
    '[last_Via:]',
    '[last_From:]',
    '[last_To:]',
    '[last_Call-ID:]',
    '[last_CSeq:]',
    'Content-Length: 0',
  ].join('\n'),
);

export const ringing = respond('180 Ringing');
/** Sent again until the ACK comes. */
export const answer = (options?: Answer): Step => respond('200 OK', sdp(options), ' retrans="500"');

/** The callee's own BYE: From and To change places. */
const hangUp: Step = message(
  [
    'BYE [$contact] SIP/2.0',
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    '[routes]',
    'From: <sip:sipp@[local_ip]:[local_port]>;tag=sipp[pid]c[call_number]',
    'To:[$from]',
    'Call-ID: [call_id]',
    'CSeq: 1 BYE',
    'Max-Forwards: 70',
    'Content-Length: 0',
  ].join('\n'),
  ' retrans="500"',
);

/** Callees: what the phone that the gateway calls does. */
export const callee = {
  /** Rings, answers, waits for the BYE. */
  answers: (options?: Answer) =>
    scenario('answers', takeInvite, ringing, answer(options), take('ACK'), take('BYE'), confirm),
  /** Rings for `ms` between the provisional responses, with early media announced, then answers. */
  answersLate: (ms: number) =>
    scenario(
      'answers late',
      takeInvite,
      respond('183 Session Progress', sdp()),
      pause(ms),
      ringing,
      pause(ms),
      answer(),
      take('ACK'),
      take('BYE'),
      confirm,
    ),
  /** Answers and hangs up by itself after `ms`. */
  hangsUp: (ms: number) =>
    scenario('hangs up', takeInvite, ringing, answer(), take('ACK'), pause(ms), hangUp, expect(200)),
  /** Answers, and says nothing more: it reads the BYE, but does not confirm it. */
  answersThenSilent: () =>
    scenario('answers, then silent', takeInvite, answer(), take('ACK'), take('BYE'), pause(20_000)),
  /** Answers with a codec that was not offered. */
  answersWithoutCommonCodec: () =>
    scenario(
      'answers with G.729 only',
      takeInvite,
      answer({ payloadType: 18, codec: 'G729/8000' }),
      take('ACK'),
      take('BYE'),
      confirm,
    ),
  /** Refuses, after so many milliseconds of ringing. */
  refuses: (status: string, ms = 0) =>
    scenario(
      `refuses with ${status}`,
      takeInvite,
      ...(ms > 0 ? [ringing, pause(ms)] : []),
      respond(status),
      take('ACK'),
    ),
  /** Rings until it is cancelled. */
  rings: () => {
    // The 487 belongs to the INVITE: SIPp repeats the headers of the last message, which is the CANCEL.
    const terminated = message(
      [
        'SIP/2.0 487 Request Terminated',
        '[last_Via:]',
        '[last_From:]',
        '[last_To:];tag=sipp[pid]c[call_number]',
        '[last_Call-ID:]',
        'CSeq: [cseq] INVITE',
        'Content-Length: 0',
      ].join('\n'),
    );
    return scenario('rings', takeInvite, ringing, take('CANCEL'), confirm, terminated, take('ACK'));
  },
} as const;

interface Call {
  /** The payload type of the caller's offer. */
  readonly payloadType?: number;
  readonly codec?: string;
  readonly video?: VideoSection;
  /** Display name in From, as it goes over the wire: with its quotes. */
  readonly displayName?: string;
  /** Without an offer it is the callee who has to make one (RFC 3261 section 13.2.1). */
  readonly offer?: boolean;
}

export const via = 'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]';
export const callId = 'Call-ID: [call_id]';
export const contact = 'Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>';
export const called = 'sip:[service]@[remote_ip]:[remote_port]';
export const from = (displayName = ''): string =>
  `From: ${displayName === '' ? '' : `${displayName} `}<sip:sipp@[local_ip]:[local_port]>;tag=sipp[pid]c[call_number]`;

export const invite = ({
  payloadType = 117,
  codec = 'speex/16000',
  displayName,
  offer = true,
  video,
}: Call = {}): Step =>
  message(
    [
      `INVITE ${called} SIP/2.0`,
      via,
      from(displayName),
      `To: <${called}>`,
      callId,
      'CSeq: 1 INVITE',
      contact,
      'Max-Forwards: 70',
      offer ? sdp({ payloadType, codec, ...(video && { video }) }) : 'Content-Length: 0',
    ].join('\n'),
    ' retrans="500"',
  );

/** A request that belongs to the INVITE's transaction: the responses to the INVITE carry its Via. */
export const withInvite = (method: string, displayName?: string): Step =>
  message(
    [
      `${method} ${called} SIP/2.0`,
      '[last_Via:]',
      from(displayName),
      `To: <${called}>${method === 'ACK' ? '[peer_tag_param]' : ''}`,
      callId,
      `CSeq: 1 ${method}`,
      'Max-Forwards: 70',
      'Content-Length: 0',
    ].join('\n'),
  );

/** To where the 200 said that requests of the dialog go. */
const inDialog = (method: string, cseq: number, displayName?: string): Step =>
  message(
    [
      `${method} [next_url] SIP/2.0`,
      via,
      '[routes]',
      from(displayName),
      `To: <${called}>[peer_tag_param]`,
      callId,
      `CSeq: ${cseq} ${method}`,
      'Max-Forwards: 70',
      'Content-Length: 0',
    ].join('\n'),
    method === 'ACK' ? '' : ' retrans="500"',
  );

export const optional = (status: number): Step => `<recv response="${status}" optional="true"/>`;
/** Keeps the Contact and Record-Route for {@link inDialog}. */
const answered: Step = '<recv response="200" rrs="true"/>';

/** A call that rings, is answered and confirmed. */
export const established = (call?: Call): readonly Step[] => [
  invite(call),
  optional(100),
  optional(180),
  answered,
  inDialog('ACK', 1, call?.displayName),
];

/** Callers: a phone that calls the gateway's SIP server. */
export const caller = {
  /** Calls, talks for `ms`, hangs up. */
  talks: ({ ms, ...call }: Call & { readonly ms: number }) =>
    scenario('talks', ...established(call), pause(ms), inDialog('BYE', 2), expect(200)),
  /** Calls, and hangs up when an INFO tells it to. */
  hangsUpWhenTold: (call?: Call) =>
    scenario('hangs up when told', ...established(call), take('INFO'), inDialog('BYE', 2), expect(200)),
  /** Calls, and talks until the callee hangs up. */
  isHungUpOn: (call?: Call) => scenario('is hung up on', ...established(call), take('BYE'), confirm),
  isRefused: (status: number, { payloadType = 0, codec = 'PCMU/8000', ...call }: Call = {}) =>
    scenario(
      `is refused with ${status}`,
      invite({ payloadType, codec, ...call }),
      optional(100),
      optional(180),
      expect(status),
      withInvite('ACK', call.displayName),
    ),
  /** Gives up as soon as it rings, at as many phones. */
  cancels: (phones = 1) =>
    scenario(
      'cancels',
      invite(),
      optional(100),
      ...Array.from({ length: phones }, () => expect(180)),
      withInvite('CANCEL'),
      expect(200),
      expect(487),
      withInvite('ACK'),
    ),
  /** Never confirms the answer. */
  neverConfirms: () =>
    scenario('never confirms', invite(), optional(100), optional(180), answered, take('BYE'), confirm),
} as const;
