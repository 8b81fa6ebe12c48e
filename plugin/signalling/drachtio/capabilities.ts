/** What we can do, as our messages and the answers to OPTIONS say (RFC 3261 section 11.2). */
export const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, REFER, NOTIFY, MESSAGE, PRACK';
const supported = '100rel, timer, replaces';

/** In INVITEs and answers to them. */
export const capabilities: Readonly<Record<string, string>> = { Allow: allow, Supported: supported };

/** In answers to OPTIONS. */
export const optionsHeaders: Readonly<Record<string, string>> = {
  ...capabilities,
  Accept: 'application/sdp, application/dtmf-relay, application/dtmf, message/sipfrag, text/plain',
  'Accept-Language': 'en',
};
