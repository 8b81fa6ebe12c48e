import { expect, it } from 'vitest';
import { leaks } from '../../load/soak/leaks.js';
import { soak } from '../../load/soak/soak.js';

// The long one is `npm run soak`. Another seed each time: it stands in what is told of a failure.
it('some hundred calls of every kind, over a network that loses messages: one result each, and nothing is left', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const outcome = await soak({ calls: 400, seed, slow: false, drainMs: 4_000 });
  expect([...outcome.complaints, ...leaks(outcome, false)], `seed ${seed}`).toEqual([]);
}, 180_000);
