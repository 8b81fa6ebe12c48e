import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AmfObject, type AmfValue, decodeAmf0, encodeAmf0 } from 'rtmp-server-ts';

export interface Asked {
  readonly name: string;
  readonly args: readonly AmfValue[];
}

/** What the gateway answers a command with; undefined: not at all. */
export type Answer = (asked: Asked) => { readonly result: AmfObject } | { readonly refusal: AmfObject } | undefined;

/**
 * A gateway for players whose NetConnection has no RTMP: commands come as Flash Remoting, AMF packets over HTTP ("AMF 0", section 4).
 */
export class RemotingGateway {
  readonly asked: Asked[] = [];
  readonly #answer: Answer;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  /** @returns false when the request is none of a NetConnection */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method !== 'POST') return false;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answers = messagesOf(Buffer.concat(chunks)).flatMap(({ to, ...asked }) => {
        this.asked.push(asked);
        const answer = this.#answer(asked);
        if (answer === undefined) return [];
        return 'result' in answer
          ? [messageTo(`${to}/onResult`, answer.result)]
          : [messageTo(`${to}/onStatus`, answer.refusal)];
      });
      // Version 0, no headers, so many messages.
      const header = Buffer.from([0, 0, 0, 0, 0, answers.length]);
      response.writeHead(200, { 'Content-Type': 'application/x-amf' }).end(Buffer.concat([header, ...answers]));
    });
    return true;
  }
}

/** Version, headers (none is sent), messages: target, where the answer goes, length, an array of the arguments. */
function messagesOf(packet: Buffer): (Asked & { readonly to: string })[] {
  const messages: (Asked & { readonly to: string })[] = [];
  let at = 6;
  const text = () => {
    const length = packet.readUInt16BE(at);
    at += 2 + length;
    return packet.toString('utf8', at - length, at);
  };
  for (let left = packet.readUInt16BE(4); left > 0; left--) {
    const [name, to] = [text(), text()];
    const length = packet.readUInt32BE(at);
    const [args = []] = decodeAmf0(packet.subarray(at + 4, at + 4 + length)) as AmfValue[][];
    at += 4 + length;
    messages.push({ name, to, args });
  }
  return messages;
}

function messageTo(target: string, value: AmfValue): Buffer {
  const text = (words: string) => Buffer.concat([Buffer.from([0, words.length]), Buffer.from(words)]);
  const body = encodeAmf0([value]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([text(target), text('null'), length, body]);
}
