/** From Adobe's "Cross-domain policy file specification". For a socket the ports must be named; for HTTP they must not. */
export function socketPolicyFile(domains: readonly string[], ports: readonly number[]): string {
  return `${policyFile(domains, ` to-ports="${ports.join(',')}"`)}\0`;
}

/** /crossdomain.xml, which Flash Player reads before an HTTP tunnel to another host than the film's. */
export function httpPolicyFile(domains: readonly string[]): string {
  return policyFile(domains, '');
}

/** The domains are host names out of URLs, and so hold nothing that XML would read. */
function policyFile(domains: readonly string[], attributes: string): string {
  const rules = domains.map((domain) => `<allow-access-from domain="${domain}"${attributes}/>`);
  return `<?xml version="1.0"?>\n<cross-domain-policy>${rules.join('')}</cross-domain-policy>\n`;
}
