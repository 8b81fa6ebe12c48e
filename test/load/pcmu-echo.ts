import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A SIP telephone for hundreds of calls that knows PCMU alone and sends back what it hears. */
export class PcmuEcho {
  readonly #uri: string;
  readonly #rtp: Socket;

  private constructor(sip: Socket, rtp: Socket) {
    this.#rtp = rtp;
    this.#uri = `sip:pcmu@127.0.0.1:${sip.address().port}`;
    rtp.on('message', (packet, { address, port }) => rtp.send(packet, port, address));
    sip.on('message', (message, { address, port }) => {
      const answer = this.#answerTo(message.toString('latin1'));
      if (answer !== undefined) sip.send(answer, port, address);
    });
  }

  static async start(port: number): Promise<PcmuEcho> {
    const [sip, rtp] = [createSocket('udp4'), createSocket('udp4')];
    sip.bind(port, '127.0.0.1');
    rtp.bind(0, '127.0.0.1');
    await Promise.all([once(sip, 'listening'), once(rtp, 'listening')]);
    return new PcmuEcho(sip, rtp);
  }

  #answerTo(request: string): string | undefined {
    const [method] = request.split(' ', 1);
    if (method === 'ACK') return undefined;
    const copied = request.match(/^(?:via|from|to|call-id|cseq|record-route):.*$/gim) ?? [];
    const headers = copied.map((line) => (/^to:(?!.*;tag=)/i.test(line) ? `${line.trim()};tag=echo` : line.trim()));
    const sdp = method === 'INVITE' ? this.#description() : '';
    const type = sdp === '' ? '' : 'Content-Type: application/sdp\r\n';
    const length = `Content-Length: ${sdp.length}\r\n\r\n`;
    return `SIP/2.0 200 OK\r\n${headers.join('\r\n')}\r\nContact: <${this.#uri}>\r\n${type}${length}${sdp}`;
  }

  #description(): string {
    const media = `m=audio ${this.#rtp.address().port} RTP/AVP 0`;
    const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', media, ''];
    return lines.join('\r\n');
  }
}
