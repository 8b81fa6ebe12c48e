import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/**
 * What the gateway is measured against: a process that hands what comes over TCP to a UDP port and what comes back from
 * there to the TCP connection, and knows nothing of what it carries. Arguments: TCP port, UDP port to send to.
 */
const [tcpPort, udpPort] = process.argv.slice(2).map(Number);

const server = createServer({ noDelay: true }, (connection) => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  socket.on('listening', () => {
    socket.connect(udpPort ?? 0, '127.0.0.1', () => connection.on('data', (bytes) => socket.send(bytes)));
  });
  socket.on('message', (bytes) => connection.write(bytes));
  connection.on('error', () => {});
  connection.on('close', () => socket.close());
});
server.listen(tcpPort, '127.0.0.1', () => console.log('ready'));
process.on('SIGTERM', () => process.exit(0));
