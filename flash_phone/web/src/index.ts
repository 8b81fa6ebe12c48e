import { setBase } from './assets.js';

setBase(import.meta.url);

export type { Device, DeviceList, Devices } from './devices.js';
export { type CallQuality, CallStatus, type Party, type SonoPhoneEvents } from './events.js';
export type { FlashPhoneOptions } from './flash-phone.js';
export type { Credentials, Phone } from './phone.js';
export { type CreateOptions, SonoPhone, type SonoPhoneOptions } from './sono-phone.js';
