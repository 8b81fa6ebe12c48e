import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A SIP socket that refuses every INVITE with 486 and knows when it came. */
export class SipSink {
  readonly port: number;
  readonly #socket: Socket;
  readonly #seen = new Set<string>();
  #waiting: ((time: number) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (message, { address, port }) => {
      const text = message.toString('latin1');
      const callId = /^call-id: *(.*)$/im.exec(text)?.[1] ?? '';
      if (!text.startsWith('INVITE ') || this.#seen.has(callId)) return;
      this.#seen.add(callId);
      this.#waiting?.(performance.now());
      socket.send(refusal(text), port, address);
    });
  }

  static async start(): Promise<SipSink> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new SipSink(socket);
  }

  /** Resolves with the time at which the next INVITE arrives. */
  nextInvite(): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  close(): void {
    this.#socket.close();
  }
}

function refusal(invite: string): string {
  const copied = invite.match(/^(?:via|from|to|call-id|cseq):.*$/gim) ?? [];
  const headers = copied.map((line) => (/^to:/i.test(line) ? `${line.trim()};tag=sink` : line.trim()));
  return `SIP/2.0 486 Busy Here\r\n${headers.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
}
