export { RtmpClient } from './client/browser-client.js';
export * from './portable.js';
