import { randomBytes, randomUUID } from 'node:crypto';
import { MAGIC_COOKIE } from './message/via.js';

export function newTag(): string {
  return randomBytes(8).toString('hex');
}

export function newBranch(): string {
  return MAGIC_COOKIE + randomBytes(9).toString('hex');
}

export function newUuid(): string {
  return randomUUID();
}
