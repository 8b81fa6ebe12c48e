import { message, pause, type Step, scenario } from './sipp-scenarios.js';

/** SIPp scenarios of registrars: what becomes of the REGISTERs that come, one after the other. */

/** Keeps the Contact without its parameters, for the answer. */
const takeRegister: Step = `<recv request="REGISTER"><action>
  <ereg regexp="&lt;[^&gt;]*&gt;" search_in="hdr" header="Contact:" assign_to="contact"/>
</action></recv>
<Reference variables="contact"/>`;

const answer = (status: string, ...headers: readonly string[]): Step =>
  message(
    [
      ...[`SIP/2.0 ${status}`, '[last_Via:]', '[last_From:]', '[last_To:];tag=[call_number]', '[last_Call-ID:]'],
      ...['[last_CSeq:]', ...headers, 'Content-Length: 0'],
    ].join('\n'),
  );

const grant = (seconds: number): Step => answer('200 OK', `Contact: [$contact];expires=${seconds}`);
/** The last REGISTER takes the registration back. */
const takeBack: Step = `<recv request="REGISTER"><action>
  <ereg regexp="expires=0" search_in="hdr" header="Contact:" check_it="true" assign_to="none"/>
</action></recv>
<Reference variables="none"/>`;

export const registrar = {
  grants: () => scenario('grants', takeRegister, grant(3600), takeBack, answer('200 OK')),
  /** Grants it for some seconds, and does not want to any more. */
  grantsOnce: (seconds: number) =>
    scenario('grants once', takeRegister, grant(seconds), takeRegister, answer('403 Forbidden')),
  wantsLonger: (seconds: number) =>
    scenario(
      'wants a longer time',
      takeRegister,
      answer('423 Interval Too Brief', `Min-Expires: ${seconds}`),
      `<recv request="REGISTER"><action>
  <ereg regexp="expires=${seconds}" search_in="hdr" header="Contact:" check_it="true" assign_to="none"/>
  <ereg regexp="&lt;[^&gt;]*&gt;" search_in="hdr" header="Contact:" assign_to="contact"/>
</action></recv>`,
      grant(seconds),
      takeBack,
      answer('200 OK'),
    ),
  saysNothing: () => scenario('says nothing', takeRegister, pause(60_000)),
  grantsThenSilent: () => scenario('grants, then is silent', takeRegister, grant(3600), takeRegister, pause(60_000)),
} as const;
