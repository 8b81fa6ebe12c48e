/** What goes through from one side of a call between two phones to the other; the rest belongs to one side alone. */
const always = ['Content-Type', 'Content-Disposition', 'Allow', 'Session-Expires', 'Min-SE', 'Accept'] as const;
const ofRequests = [
  ...['Subject', 'Priority', 'Alert-Info', 'User-to-User', 'Reason', 'Event', 'Subscription-State', 'Refer-To'],
  ...['Referred-By', 'Refer-Sub', 'Info-Package', 'Recv-Info', 'Authorization', 'Proxy-Authorization'],
] as const;
const ofResponses = [
  ...['Retry-After', 'Unsupported', 'Warning', 'Contact', 'Expires', 'WWW-Authenticate', 'Proxy-Authenticate'],
] as const;

type Message = { header(name: string): string };

function pass(message: Message, names: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of names) {
    const value = message.header(name);
    if (value !== '') headers[name] = value;
  }
  return { ...headers, ...extensions('Supported', message), ...extensions('Require', message) };
}

/** Provisional responses are not made reliable from one end to the other: each server has its own sequence of them. */
function extensions(name: 'Supported' | 'Require', message: Message): Record<string, string> {
  const tags = message.header(name).split(/\s*,\s*/);
  const kept = tags.filter((tag) => tag !== '' && tag.toLowerCase() !== '100rel');
  return kept.length === 0 ? {} : { [name]: kept.join(', ') };
}

export const requestHeaders = (request: Message): Record<string, string> => pass(request, [...always, ...ofRequests]);

/** A Contact is passed in redirections only: in other answers it is each server's own. */
export function responseHeaders(answer: Message & { readonly status: number }): Record<string, string> {
  const redirects = answer.status >= 300 && answer.status < 400;
  return pass(answer, [...always, ...ofResponses.filter((name) => name !== 'Contact' || redirects)]);
}
