import { formatsOf } from '../../../plugin/media/negotiation/own-formats.js';

/** What the gateway speaks with a Speex codec to a client of Speex: what passes through comes first. */
export const transcodingFormats = formatsOf(['speex', 'pcmu', 'pcma']);
