import { createRequire } from 'node:module';

/** node-media-server with nothing but its RTMP port. Arguments: the package's folder, port, a folder for its store. */
const [path = '', port, store] = process.argv.slice(2);

interface Server {
  run(): Promise<void>;
}

const NodeMediaServer: new (config: object) => Server = createRequire(import.meta.url)(path);
const server = new NodeMediaServer({
  bind: '127.0.0.1',
  rtmp: { port: Number(port) },
  record: { auto: false },
  store: { path: store },
});
await server.run();
console.log('ready');
process.on('SIGTERM', () => process.exit(0));
