/** A listener could not be opened; the message is one line for the person who starts the program. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Opens a listener; none for port 0, which turns it off.
 * @throws StartError
 */
export async function listen(
  what: string,
  env: string,
  host: string,
  port: number | undefined,
  open: (address: Address) => Promise<{ port: number }>,
): Promise<Address | undefined> {
  if (!port) return undefined;
  try {
    return { host, port: (await open({ host, port })).port };
  } catch (error) {
    throw startError(what, env, { host, port }, error);
  }
}

export function startError(what: string, env: string, { host, port }: Address, cause: unknown): StartError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is in use',
    EACCES: 'this user may not listen on that port',
    EADDRNOTAVAIL: 'this machine does not have that address',
  };
  const known = reasons[String(code)];
  const setting = code === 'EADDRNOTAVAIL' ? 'SONO_HOST' : env;
  const reason = known ?? (cause instanceof Error ? cause.message : String(cause));
  const advice = known === undefined ? '' : `; choose another with ${setting}`;
  return new StartError(`cannot listen for ${what} on ${host}:${port}: ${reason}${advice}`, { cause });
}
