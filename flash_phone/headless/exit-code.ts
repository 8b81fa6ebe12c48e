/** What the phone's exit code says. A fault of the program itself is 1, as everywhere. */
export const exitCode = {
  /** The call was answered, and something was heard. */
  heard: 0,
  /** An argument or a file cannot be used. */
  usage: 2,
  /** No gateway answers at the address, or the connection to it was lost. */
  unreachable: 3,
  /** The gateway or the far end refused: the connection, the registration, the call, the digits. */
  refused: 4,
  /** The call was answered, but nothing was heard: no audio, or nothing but silence. */
  silent: 5,
  /** Stopped by a signal before the call was answered. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
