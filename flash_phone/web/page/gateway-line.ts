import type { SonoPhone } from '../src/sono-phone.js';
import { element, setText } from './dom.js';
import { showNotice } from './notice.js';
import { shortAddress, tame } from './words.js';

/** The head of the page: how things are with the gateway, and as whom this phone is known there. */
export function showGatewayLine(phone: SonoPhone): void {
  phone.on('connected', () => show('connecting', 'Connected, registering…'));
  phone.on('disconnected', ({ reason, retryMs }) => {
    const again = retryMs === undefined ? '' : `; trying again in ${Math.round(retryMs / 1000)} s`;
    show('down', `Gateway unreachable${again}`);
    element('line', HTMLElement).title = reason;
  });
  phone.on('registered', ({ uri }) => {
    show('up', isMadeUp(uri) ? 'Ready' : `Ready as ${shortAddress(uri)}`);
    setText('own-address', uri);
  });
  phone.on('registrationLost', ({ reason }) => {
    show('down', 'Registration lost; trying again');
    showNotice(`Nobody can call you at the moment: ${tame(reason)}.`);
  });
}

export const gatewayIsDown = (): boolean => element('line', HTMLElement).dataset.line === 'down';

function show(line: 'connecting' | 'up' | 'down', text: string): void {
  const shown = element('line', HTMLElement);
  shown.dataset.line = line;
  shown.title = text;
  setText('line', text);
}

/** What a gateway gives who has not registered, for no one to guess or to remember. */
const isMadeUp = (uri: string): boolean => /^sips?:[0-9a-f]{8}-[0-9a-f-]{27}@/i.test(uri);
