/**
 * A drachtio server takes messages of 12,228 bytes; one above that wedges the connection, for all calls, in silence. The
 * difference is for what it and its client add.
 */
const maxBytes = 11_500;

/** A message that would be too long for a drachtio server was not sent. */
class MessageTooLong extends Error {
  override readonly name = 'MessageTooLong';
  readonly code = 'MessageTooLong';

  constructor(bytes: number) {
    super(`the message has ${bytes} bytes, more than the ${maxBytes} that a drachtio server takes`);
  }
}

/**
 * @param parts Everything that goes into the message.
 * @throws MessageTooLong
 */
export function checkSize(...parts: readonly (string | Readonly<Record<string, string>> | undefined)[]): void {
  let bytes = 0;
  for (const part of parts) {
    if (typeof part === 'string') bytes += Buffer.byteLength(part);
    else for (const [name, value] of Object.entries(part ?? {})) bytes += Buffer.byteLength(name + value) + 4;
  }
  if (bytes > maxBytes) throw new MessageTooLong(bytes);
}
