/** Sends what one client publishes to all that play it: `relay-server.ts [PORT]` */
import { RtmpServer, type RtmpStream } from 'rtmp-server-ts';

const players = new Set<RtmpStream>();

const server = new RtmpServer();
server.on('connection', (session) => {
  session.on('connect', (request) => request.accept());
  session.on('stream', (stream) => {
    let published = '';
    const audience = () => [...players].filter(({ playing }) => playing === published);
    stream.on('publish', (request) => {
      published = request.name;
      request.accept();
    });
    stream.on('audio', ({ timestamp, payload }) => {
      for (const player of audience()) player.sendAudio(timestamp, payload);
    });
    stream.on('video', ({ timestamp, payload }) => {
      for (const player of audience()) player.sendVideo(timestamp, payload);
    });
    stream.on('unpublish', () => {
      for (const player of audience()) player.stopPlay();
    });
    stream.on('play', (request) => {
      players.add(stream);
      request.accept();
    });
    stream.on('stop', () => players.delete(stream));
  });
});

const { host, port } = await server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 1935) });
console.log(`rtmp://${host}:${port}/live`);
