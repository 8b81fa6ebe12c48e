import { setBase } from './assets.js';
import { SonoPhone } from './sono-phone.js';

const { currentScript } = document;
if (currentScript instanceof HTMLScriptElement) setBase(currentScript.src);
Object.assign(globalThis, { SonoPhone });
