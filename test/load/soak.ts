import { progress } from './figures.js';
import { leaks } from './soak/leaks.js';
import { soak } from './soak/soak.js';

/**
 * `npm run soak [CALLS] [SEED]`: so many short calls (default 20,000) with everything that may happen to one, over a network
 * that loses SIP messages; then what is left of them. Ends with 1 when a call had not exactly one result, or something leaked.
 */
const [calls = 20_000, seed = Math.floor(Math.random() * 2 ** 32)] = process.argv.slice(2).map(Number);

progress(`${calls} calls with seed ${seed}`);
const outcome = await soak({ calls, seed, progress });
const { idle, warm, end, heap } = outcome;

console.table([...outcome.calls].map(([name, count]) => ({ call: name, count })));
console.table({ 'before the first call': idle, 'after a quarter of the calls': warm, 'at the end': end });
console.log(
  `${calls} calls in ${outcome.seconds.toFixed(0)} s; ${(heap.octets / 2 ** 20).toFixed(1)} MB alive at the end`,
);
const complaints = [...outcome.complaints, ...leaks(outcome)];
for (const complaint of complaints.slice(0, 50)) console.log(complaint);
console.log(
  complaints.length === 0 ? 'every call had one result, and nothing is left of any' : `${complaints.length} complaints`,
);
process.exit(complaints.length === 0 ? 0 : 1);
