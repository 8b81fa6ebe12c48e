import type { AmfObject } from '../amf/values.js';

/** An information object (section 7.2.1.1): what a client's NetStatusEvent carries. */
export function statusInfo(code: string, description: string, more: AmfObject = {}): AmfObject {
  return { level: 'status', code, description, ...more };
}

export function errorInfo(code: string, description: string, more: AmfObject = {}): AmfObject {
  return { level: 'error', code, description, ...more };
}
