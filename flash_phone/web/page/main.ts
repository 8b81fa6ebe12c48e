import { SonoPhone } from '../src/index.js';
import { PhonePage } from './phone-page.js';
import { Settings } from './settings.js';

const phone = new SonoPhone();
const page = new PhonePage(phone);
new Settings(phone);
phone.connect();

/** The number at which callers hear themselves, where the gateway has one. */
const settings: unknown = await fetch('phone.json').then(
  (response) => response.json(),
  () => undefined,
);
if (settings instanceof Object && 'echo' in settings && typeof settings.echo === 'string')
  page.offerEcho(settings.echo);
