import { expect, it } from 'vitest';
import { bestRefusal } from '../../../../plugin/signalling/registrar/best-response.js';

// RFC 3261 section 16.7 step 6.
it.each<[string, number[], number]>([
  ['a 6xx counts for all', [404, 302, 603, 486], 603],
  ['the lowest class', [503, 486, 500], 486],
  ['a redirection before a refusal', [486, 302], 302],
  ['what says how to ask again', [404, 486, 401], 401],
  ['busy says more than not there', [404, 480, 486, 408], 486],
  ['a refusal says more than silence', [408, 403], 403],
  ['503 of one server is no 503 of this one', [503, 503], 500],
  ['nobody at all', [], 480],
])('%s: %j gives %i', (_, statuses, best) => {
  expect(bestRefusal(statuses.map((status) => ({ status }))).status).toBe(best);
});
