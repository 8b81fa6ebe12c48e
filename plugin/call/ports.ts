/** What a call needs of everything around it: the interfaces through which client, signalling and media reach it. */
export * from './ports/call-leg.js';
export * from './ports/client.js';
export * from './ports/media.js';
export * from './ports/registration.js';
export * from './ports/signalling.js';
export * from './ports/signalling-event.js';
export * from './ports/tone.js';
