/**
 * SIPp scenarios of one phone, put together step by step. Keys in brackets are SIPp's own; `[$name]` is what `keep` has kept.
 */

/** One step, as SIPp's XML. */
export type Step = string;

export interface Scenario {
  /** What the phone expects, as a sentence about it. */
  readonly name: string;
  readonly xml: string;
}

export function scenario(name: string, ...steps: readonly Step[]): Scenario {
  const kept = [
    ...new Set(steps.flatMap((step) => [...step.matchAll(/assign_to="([^"]+)"/g)].map(([, names]) => names))),
  ];
  const reference = kept.length === 0 ? [] : [`<Reference variables="${kept.join(',')}"/>`];
  const all = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<scenario name="phone">',
    ...steps,
    ...reference,
    '</scenario>',
  ];
  return { name, xml: all.join('\n') };
}

export const pause = (ms: number): Step => `<pause milliseconds="${ms}"/>`;

export interface Check {
  /** Has to be in the message. */
  readonly contains?: string;
  /** Must not be in it. */
  readonly lacks?: string;
  /** What to keep of a header, by name of the variable. */
  readonly keep?: Readonly<Record<string, string>>;
  readonly optional?: boolean;
}

const receive = (what: string, { contains, lacks, keep = {}, optional }: Check = {}): Step => {
  const actions = [
    ...(contains === undefined ? [] : [find(contains, 'check_it="true"', 'found')]),
    ...(lacks === undefined ? [] : [find(lacks, 'check_it_inverse="true"', 'lacking')]),
    ...Object.entries(keep).map(
      ([name, header]) => `<ereg regexp=".*" search_in="hdr" header="${header}:" assign_to="${name}"/>`,
    ),
  ];
  const attributes = `${what}${optional ? ' optional="true"' : ''}${what.startsWith('response="2') ? ' rrs="true"' : ''}`;
  return actions.length === 0
    ? `<recv ${attributes}/>`
    : `<recv ${attributes}><action>${actions.join('')}</action></recv>`;
};

let variables = 0;
const find = (pattern: string, check: string, name: string): string =>
  `<ereg regexp="${pattern.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;')}" search_in="msg" ${check} assign_to="${name}${++variables}"/>`;

/** A response, or a request, that has to come now. */
export const expects = (status: number, check?: Check): Step => receive(`response="${status}"`, check);
export const takes = (method: string, check?: Check): Step => receive(`request="${method}"`, check);
/** What may come before the next step. */
export const provisional: Step = [100, 180].map((status) => expects(status, { optional: true })).join('\n');

const send = (lines: readonly string[], retransmitted: boolean): Step =>
  `<send${retransmitted ? ' retrans="500"' : ''}><![CDATA[\n${lines.join('\n')}\n]]></send>`;

export const SDP = (direction = 'sendrecv', protocol = 'RTP/AVP'): readonly string[] => [
  'v=0',
  'o=sipp 1 1 IN IP[local_ip_type] [local_ip]',
  's=-',
  'c=IN IP[local_ip_type] [local_ip]',
  't=0 0',
  `m=audio [media_port] ${protocol} 0`,
  'a=rtpmap:0 PCMU/8000',
  `a=${direction}`,
];

export interface Content {
  readonly headers?: readonly string[];
  readonly body?: readonly string[];
  readonly type?: string;
}

const content = ({ headers = [], body, type = 'application/sdp' }: Content): readonly string[] => [
  ...headers,
  ...(body === undefined ? ['Content-Length: 0', ''] : [`Content-Type: ${type}`, 'Content-Length: [len]', '', ...body]),
];

const VIA = 'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]';
const CONTACT = 'Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>';
const OURS = '<sip:sipp@[local_ip]:[local_port]>;tag=[pid]c[call_number]';
const CALLED = 'sip:[service]@[remote_ip]:[remote_port]';

export interface Asked extends Content {
  readonly cseq?: number;
  /** Messages since the INVITE, for a CANCEL or the ACK of a refusal, which share its branch. */
  readonly branchOf?: number;
  /** The To header, where it is not the one of the last response. */
  readonly to?: string;
}

/** A request of a caller; `inside` its dialog once it has one. */
const ask = (method: string, { cseq = 1, branchOf, to, ...rest }: Asked, inside: boolean): Step =>
  send(
    [
      `${method} ${CALLED} SIP/2.0`,
      branchOf === undefined ? VIA : VIA.replace('[branch]', `[branch-${branchOf}]`),
      `From: "SIPp" ${OURS}`,
      `To: ${to ?? `<${CALLED}>${inside ? '[peer_tag_param]' : ''}`}`,
      'Call-ID: [call_id]',
      `CSeq: ${cseq} ${method}`,
      'Max-Forwards: 70',
      CONTACT,
      ...content(rest),
    ],
    method !== 'ACK',
  );

export const asks = (method: string, asked: Asked = {}): Step => ask(method, asked, false);
export const asksInside = (method: string, asked: Asked = {}): Step => ask(method, asked, true);
export const invites = (asked: Asked = {}): Step => asks('INVITE', { body: SDP(), ...asked });
export const acknowledges = (asked: Asked = {}): Step => asksInside('ACK', asked);
/** The last step of most calls. */
export const hangsUp = (cseq: number): Step => `${asksInside('BYE', { cseq })}\n${expects(200)}`;

/**
 * Calls, is answered and confirms. An application of drachtio-srf has its call a turn after the ACK was read: what comes in
 * the same read finds nobody who listens, and is answered by drachtio-srf itself.
 */
export const established = (asked?: Asked): Step =>
  [invites(asked), provisional, expects(200), acknowledges(), pause(50)].join('\n');

/** A response to the request that came last; to an initial one with our tag. */
export const answers = (
  status: string,
  { inside = false, ...rest }: Content & { readonly inside?: boolean } = {},
): Step =>
  send(
    [
      `SIP/2.0 ${status}`,
      '[last_Via:]',
      '[last_Record-Route:]',
      '[last_From:]',
      `[last_To:]${inside ? '' : ';tag=[pid]c[call_number]'}`,
      '[last_Call-ID:]',
      '[last_CSeq:]',
      CONTACT,
      ...content(rest),
    ],
    false,
  );
export const confirms: Step = answers('200 OK', { inside: true });

/** The INVITE of a call to us; what is needed for requests of our own in its dialog is kept. */
export const takesInvite = (check: Check = {}): Step =>
  takes('INVITE', { ...check, keep: { from: 'From', contact: 'Contact', ...check.keep } });
export const picksUp: Step = [takesInvite(), answers('200 OK', { body: SDP() }), takes('ACK')].join('\n');

/** A callee's own request: From and To change places. */
export const asksCaller = (method: string, { cseq = 1, ...rest }: Omit<Asked, 'branchOf' | 'to'> = {}): Step =>
  send(
    [
      `${method} sip:[remote_ip]:[remote_port] SIP/2.0`,
      VIA,
      `From: ${OURS}`,
      'To:[$from]',
      'Call-ID: [call_id]',
      `CSeq: ${cseq} ${method}`,
      'Max-Forwards: 70',
      CONTACT,
      ...content(rest),
    ],
    method !== 'ACK',
  );
