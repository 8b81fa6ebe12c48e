import type { CallLeg } from '../../plugin/call/ports.js';
import type { SessionDescription } from '../../plugin/call/session-description.js';

/** A SIP side that does nothing but say what was asked of it, as `<name> <argument>`. */
export function fakeLeg(record: (asked: string) => void): CallLeg {
  const direction = ({ media }: SessionDescription) => media[0]?.direction ?? 'nothing';
  return {
    bye: (reason) => record(`BYE ${reason}`),
    change: (offer) => record(`re-INVITE ${direction(offer)}`),
    acceptChange: (description) => record(`200 ${direction(description)}`),
    refuseChange: (sipStatus) => record(`refuse ${sipStatus}`),
    sendDtmf: (digits, ms) => record(`INFO ${digits} ${ms}`),
    requestKeyFrame: () => record('INFO picture'),
    transfer: (uri) => record(`REFER ${uri}`),
    acceptReferral: () => record('202'),
    refuseReferral: (sipStatus) => record(`refuse REFER ${sipStatus}`),
    reportReferral: (sipStatus, reason) => record(`NOTIFY ${sipStatus} ${reason}`),
  };
}
