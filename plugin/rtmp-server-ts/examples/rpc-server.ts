/** Answers calls, calls back, and tells everybody who is there: `rpc-server.ts [PORT]` */
import { type AmfValue, RtmpServer, type RtmpSession } from 'rtmp-server-ts';

const names = new Map<RtmpSession, string>();

const methods: Readonly<Record<string, (session: RtmpSession, ...args: readonly AmfValue[]) => AmfValue>> = {
  add: (_session, left, right) => Number(left) + Number(right),
  enter: (session, name) => {
    names.set(session, String(name));
    for (const other of names.keys()) other.push('entered', String(name));
    return [...names.values()];
  },
};

const server = new RtmpServer();
server.on('connection', (session) => {
  session.on('connect', (request) => {
    if (request.app === 'rpc') request.accept({ information: { since: new Date() } });
    else request.reject(`There is no ${request.app} here, only rpc.`);
  });
  session.on('call', async (call) => {
    const method = Object.hasOwn(methods, call.name) ? methods[call.name] : undefined;
    if (call.name === 'askMe') {
      // The server calls a method of the client, and waits for its answer.
      const [answer] = await session.call('question', 'What is your name?');
      call.result(answer);
    } else if (method) call.result(method(session, ...call.args));
    else call.error({ level: 'error', code: 'Rpc.NoSuchMethod', description: call.name });
  });
  session.on('close', () => names.delete(session));
});

const { host, port } = await server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 1935) });
console.log(`rtmp://${host}:${port}/rpc`);
