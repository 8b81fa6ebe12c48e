import { RtmpServer, type RtmpStream } from 'rtmp-server-ts';

/**
 * What the package's relay costs: sends what one client publishes to all that play. Arguments: port, TLS port, certificate, key; with the
 * default limits but for those of connections.
 */
const [port = '0', tlsPort, cert, key] = process.argv.slice(2);

const players = new Set<RtmpStream>();
const server = new RtmpServer();
server.on('connection', (session) => {
  session.on('connect', (request) => request.accept());
  session.on('stream', (stream) => {
    stream.on('publish', (request) => request.accept());
    stream.on('play', (request) => {
      players.add(stream);
      request.accept();
    });
    stream.on('stop', () => players.delete(stream));
    stream.on('audio', ({ timestamp, payload }) => {
      for (const player of players) player.sendAudio(timestamp, payload);
    });
    stream.on('video', ({ timestamp, payload }) => {
      for (const player of players) player.sendVideo(timestamp, payload);
    });
  });
});
await server.listen({ host: '127.0.0.1', port: Number(port) });
if (cert !== undefined && key !== undefined) {
  await server.listen({ host: '127.0.0.1', port: Number(tlsPort), tls: { cert, key } });
}
console.log('ready');
process.on('SIGTERM', () => process.exit(0));
