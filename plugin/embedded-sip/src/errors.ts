/** A listener could not be opened. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** The system's code: EADDRINUSE when the port is taken, EADDRNOTAVAIL, EACCES, ... */
  readonly code: string;
  readonly address: string;
  readonly port: number;

  constructor(what: string, address: string, port: number, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'EUNKNOWN';
    super(`${what}: cannot listen on ${address} port ${port} (${code})`, { cause });
    this.code = code;
    this.address = address;
    this.port = port;
  }
}
