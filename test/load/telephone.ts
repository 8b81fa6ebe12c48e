import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface TelephoneOptions {
  /** As in `a=rtpmap`; it has to be in what is offered. */
  readonly codec: 'speex/16000' | 'PCMU/8000';
  /** For SIP. Default: a free one. */
  readonly port?: number;
  /** Is told of each packet before it is sent back. */
  readonly heard?: (packet: Buffer) => void;
}

/** A SIP telephone for hundreds of calls that knows one codec, answers at once and sends back what it hears. */
export class Telephone {
  readonly uri: string;
  readonly #codec: TelephoneOptions['codec'];
  readonly #sip: Socket;
  readonly #rtp: Socket;

  private constructor({ codec, heard }: TelephoneOptions, sip: Socket, rtp: Socket) {
    this.#codec = codec;
    this.#sip = sip;
    this.#rtp = rtp;
    this.uri = `sip:echo@127.0.0.1:${sip.address().port}`;
    rtp.on('message', (packet, { address, port }) => {
      heard?.(packet);
      rtp.send(packet, port, address);
    });
    sip.on('message', (message, { address, port }) => {
      const answer = this.#answerTo(message.toString('latin1'));
      if (answer !== undefined) sip.send(answer, port, address);
    });
  }

  static async start(options: TelephoneOptions): Promise<Telephone> {
    const [sip, rtp] = [createSocket('udp4'), createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })];
    sip.bind(options.port ?? 0, '127.0.0.1');
    rtp.bind(0, '127.0.0.1');
    await Promise.all([once(sip, 'listening'), once(rtp, 'listening')]);
    return new Telephone(options, sip, rtp);
  }

  close(): void {
    this.#sip.close();
    this.#rtp.close();
  }

  #answerTo(request: string): string | undefined {
    const [method] = request.split(' ', 1);
    if (method === 'ACK') return undefined;
    const copied = request.match(/^(?:via|from|to|call-id|cseq|record-route):.*$/gim) ?? [];
    const headers = copied.map((line) => (/^to:(?!.*;tag=)/i.test(line) ? `${line.trim()};tag=echo` : line.trim()));
    const sdp = method === 'INVITE' ? this.#description(request) : '';
    const type = sdp === '' ? '' : 'Content-Type: application/sdp\r\n';
    const length = `Content-Length: ${sdp.length}\r\n\r\n`;
    return `SIP/2.0 200 OK\r\n${headers.join('\r\n')}\r\nContact: <${this.uri}>\r\n${type}${length}${sdp}`;
  }

  #description(invite: string): string {
    const payloadType = new RegExp(`^a=rtpmap:(\\d+) ${this.#codec}`, 'im').exec(invite)?.[1] ?? '0';
    const media = `m=audio ${this.#rtp.address().port} RTP/AVP ${payloadType}`;
    const map = `a=rtpmap:${payloadType} ${this.#codec}`;
    return ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', media, map, ''].join('\r\n');
  }
}
