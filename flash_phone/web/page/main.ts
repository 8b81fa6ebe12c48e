import { SonoPhone } from '../src/sono-phone.js';
import { showNotice } from './notice.js';
import { PhonePage } from './phone-page.js';
import { Settings } from './settings.js';

const phone = new SonoPhone();
const page = new PhonePage(phone);
new Settings(phone);
phone.connect();

if (location.protocol === 'file:') {
  showNotice('This page was opened from a file. Open it from the gateway, for example at http://localhost:8080/.');
} else {
  void offerEcho();
}

/** The number at which callers hear themselves, where the gateway has one. */
async function offerEcho(): Promise<void> {
  const settings: unknown = await fetch('phone.json').then(
    (response) => response.json(),
    () => undefined,
  );
  if (settings instanceof Object && 'echo' in settings && typeof settings.echo === 'string')
    page.offerEcho(settings.echo);
}
