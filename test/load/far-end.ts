import { createSocket } from 'node:dgram';
import { Telephone } from './telephone.js';

/**
 * The far end as a process of its own: a telephone of Speex, one of PCMU, and a UDP port, which all send back what they
 * hear. Arguments: SIP ports of the telephones, UDP port.
 */
const [speexPort = 0, pcmuPort = 0, udpPort = 0] = process.argv.slice(2).map(Number);

await Telephone.start({ codec: 'speex/16000', port: speexPort });
await Telephone.start({ codec: 'PCMU/8000', port: pcmuPort });
const echo = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
echo.on('message', (bytes, { port, address }) => echo.send(bytes, port, address));
echo.bind(udpPort, '127.0.0.1', () => console.log('ready'));
process.on('SIGTERM', () => process.exit(0));
