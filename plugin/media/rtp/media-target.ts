/** Where a description says that its media go. */
export interface MediaTarget {
  /** An address or a name. */
  readonly host: string;
  readonly port: number;
  /** 0 if there is none. */
  readonly rtcpPort: number;
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65536;
}

/** An address of all zeros: hold as RFC 2543 had it (RFC 3264 section 8.4). */
export function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
