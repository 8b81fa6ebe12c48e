import { createServer, type Server, type Socket } from 'node:net';
import { loopback } from '../ports.js';
import type { Scope } from '../scope.js';

/** A command with its headers, as on FreeSWITCH's event socket: lines up to an empty one. */
export interface Command {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a command is answered: by `api/response` with a body, or by `command/reply`. */
export type Answer = { readonly api: string } | { readonly reply: string; readonly last?: string };

/** Reads commands from a socket, however they are cut. */
export function onCommand(socket: Socket, take: (command: Command) => void): void {
  let buffer = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    buffer += text;
    for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n')) {
      const lines = buffer.slice(0, end).replace(/^\n+/, '').split('\n');
      buffer = buffer.slice(end + 2);
      const [first = '', ...rest] = lines;
      if (first !== '') take({ text: first, headers: readHeaders(rest) });
    }
  });
}

export function send(socket: Socket, answer: Answer): void {
  if ('api' in answer) {
    socket.write(`Content-Type: api/response\nContent-Length: ${Buffer.byteLength(answer.api)}\n\n`);
    socket.write(answer.api);
  } else {
    socket.write(`Content-Type: command/reply\nReply-Text: ${answer.reply}\n\n`);
    if (answer.last !== undefined) socket.end(answer.last);
  }
}

/** An event in the JSON format. */
export function sendEvent(socket: Socket, fields: Readonly<Record<string, string>>): void {
  const body = JSON.stringify(fields);
  socket.write(`Content-Length: ${Buffer.byteLength(body)}\nContent-Type: text/event-json\n\n`);
  socket.write(body);
}

/** Name and value lines, the values escaped as in URLs. */
export function block(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${encodeURIComponent(value)}\n`)
    .join('');
}

export interface EventSocketOptions {
  readonly secret: string;
  /** Says no at the door, as `apply-inbound-acl` does. */
  readonly rude: () => boolean;
  readonly answer: (command: Command) => Answer | undefined;
}

/** The event socket that applications connect to. */
export class EventSocketServer {
  readonly sockets = new Set<Socket>();
  readonly #server: Server;

  static async open(scope: Scope, port: number, options: EventSocketOptions): Promise<EventSocketServer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, loopback, resolve);
    });
    const opened = new EventSocketServer(server, options);
    scope.defer(() => opened.close());
    return opened;
  }

  private constructor(server: Server, options: EventSocketOptions) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket, options));
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket, { secret, rude, answer }: EventSocketOptions): void {
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    if (rude()) {
      const text = 'Access Denied, go away.\n';
      socket.end(`Content-Type: text/rude-rejection\nContent-Length: ${text.length}\n\n${text}`);
      return;
    }
    socket.write('Content-Type: auth/request\n\n');
    let known = false;
    onCommand(socket, (command) => {
      if (!known) {
        known = command.text === `auth ${secret}`;
        send(socket, { reply: known ? '+OK accepted' : '-ERR invalid' });
        if (!known) socket.end();
        return;
      }
      const answered = answer(command);
      if (answered) send(socket, answered);
    });
  }
}

function readHeaders(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at), line.slice(at + 1).trim()];
    }),
  );
}
