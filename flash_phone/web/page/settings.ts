import type { Device } from '../src/devices.js';
import type { SonoPhone } from '../src/sono-phone.js';
import { button, element, input } from './dom.js';
import { load, save } from './store.js';

const accountKey = 'sono.account';
const devicesKey = 'sono.devices';
const callWaitingKey = 'sono.call-waiting';

interface Chosen {
  readonly microphone?: string;
  readonly speaker?: string;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isChosen = (value: unknown): value is Chosen =>
  isObject(value) && [value.microphone, value.speaker].every((id) => id === undefined || typeof id === 'string');
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isAccount = (value: unknown): value is { username: string; registrar: string } =>
  isObject(value) && typeof value.username === 'string' && typeof value.registrar === 'string';

/** The dialog with devices, call waiting and registration. */
export class Settings {
  readonly #phone: SonoPhone;
  readonly #dialog = element('settings', HTMLDialogElement);

  constructor(phone: SonoPhone) {
    this.#phone = phone;
    const chosen = load(devicesKey, isChosen) ?? {};
    if (chosen.microphone !== undefined) void phone.devices.useMicrophone(chosen.microphone);
    if (chosen.speaker !== undefined) void phone.devices.useSpeaker(chosen.speaker);
    const account = load(accountKey, isAccount);
    input('username').value = account?.username ?? '';
    input('registrar').value = account?.registrar ?? '';

    button('open-settings').onclick = () => {
      this.#dialog.showModal();
      void this.#listDevices();
    };
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#listDevices());
    this.#wireDevices();
    this.#wireCallWaiting();
    this.#wireRegistration();
  }

  #wireDevices(): void {
    const { devices } = this.#phone;
    const keep = () => save(devicesKey, { microphone: devices.microphone, speaker: devices.speaker });
    const [microphone, speaker] = [element('microphone', HTMLSelectElement), element('speaker', HTMLSelectElement)];
    microphone.onchange = () => void devices.useMicrophone(microphone.value || undefined).then(keep);
    speaker.onchange = () => void devices.useSpeaker(speaker.value || undefined).then(keep);
  }

  #wireCallWaiting(): void {
    const wanted = input('call-waiting');
    wanted.checked = load(callWaitingKey, isBoolean) ?? true;
    wanted.onchange = () => {
      save(callWaitingKey, wanted.checked);
      this.#phone.callWaiting(wanted.checked);
    };
    this.#phone.callWaiting(wanted.checked);
  }

  #wireRegistration(): void {
    element('registration', HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      const [username, registrar, password] = ['username', 'registrar', 'password'].map((id) =>
        input(id).value.trim(),
      ) as [string, string, string];
      save(accountKey, { username, registrar });
      this.#phone.register(username, registrar || undefined, password || undefined);
      input('password').value = '';
      this.#dialog.close();
    };
    button('unregister').onclick = () => {
      // An address that the gateway makes up takes the place of the registered one.
      this.#phone.register();
      this.#dialog.close();
    };
  }

  async #listDevices(): Promise<void> {
    const { microphones, speakers } = await this.#phone.devices.list();
    fill('microphone', microphones, this.#phone.devices.microphone);
    fill('speaker', speakers, this.#phone.devices.speaker);
  }
}

function fill(id: string, devices: readonly Device[], chosen: string | undefined): void {
  const select = element(id, HTMLSelectElement);
  const known = devices.filter((device) => device.id !== 'default' && device.id !== 'communications');
  const options = known.map(({ id: value, name }, index) => new Option(name || `${id} ${index + 1}`, value));
  select.replaceChildren(new Option("The system's choice", ''), ...options);
  select.value = known.some((device) => device.id === chosen) ? (chosen ?? '') : '';
}
