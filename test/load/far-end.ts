import { createSocket } from 'node:dgram';
import { EmbeddedSip } from 'embedded-sip';
import { PcmuEcho } from './pcmu-echo.js';

/**
 * The far end as a process of its own: a SIP server with the echo number, a telephone of PCMU, and a UDP port that sends
 * everything back. Arguments: SIP port of the server and of the telephone, UDP port.
 */
const [sipPort = 0, pcmuPort = 0, udpPort = 0] = process.argv.slice(2).map(Number);

await EmbeddedSip.start({ host: '127.0.0.1', port: sipPort });
await PcmuEcho.start(pcmuPort);
const echo = createSocket('udp4');
echo.on('message', (bytes, { port, address }) => echo.send(bytes, port, address));
echo.bind(udpPort, '127.0.0.1', () => console.log('ready'));
process.on('SIGTERM', () => process.exit(0));
