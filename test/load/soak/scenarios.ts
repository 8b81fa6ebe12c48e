import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerCall } from '../../support/sip-peer/peer-call.js';
import type { SoakPhone } from './soak-phone.js';

/** One call between a phone and a far end. */
export interface Setting {
  readonly phone: SoakPhone;
  /** The phone dials; resolves when the far end is called. */
  readonly dialled: () => Promise<PeerCall>;
  /** The phone dials, and nobody waits for what becomes of it. */
  readonly dial: () => void;
  /** The far end calls; resolves when the phone rings. */
  readonly called: () => Promise<PeerCall>;
  /** A number from 0 to 1, another each time. */
  readonly random: () => number;
}

export interface Scenario {
  readonly name: string;
  /** How often it comes, beside the others. */
  readonly weight: number;
  /** How such a call may end, as the gateway's log says. */
  readonly results: readonly string[];
  /** The phone is not there to hear of the end. */
  readonly vanishes?: boolean;
  /** It takes half a minute until somebody gives up. */
  readonly slow?: boolean;
  readonly run: (setting: Setting) => Promise<void>;
}

/** Moments that differ: what crosses does so here and there. */
const moment = (random: () => number): Promise<void> => sleep(Math.floor(random() * 30));

const answered = async ({ phone, dialled }: Setting, lostAcks = 0): Promise<PeerCall> => {
  const call = await dialled();
  call.manners.lostAcks = lostAcks;
  call.ring();
  call.answer();
  await phone.until(2);
  return call;
};

const accepted = async ({ phone, called }: Setting): Promise<PeerCall> => {
  const call = await called();
  phone.accept();
  await phone.until(2);
  return call;
};

export const scenarios: readonly Scenario[] = [
  {
    name: 'answered, the phone hangs up',
    weight: 20,
    results: ['completed'],
    run: async (setting) => {
      await answered(setting);
      setting.phone.hangup();
    },
  },
  {
    name: 'answered, the far end hangs up',
    weight: 12,
    results: ['completed'],
    run: async (setting) => {
      (await answered(setting)).bye();
    },
  },
  {
    name: 'answered, both hang up',
    weight: 8,
    results: ['completed'],
    run: async (setting) => {
      const call = await answered(setting);
      call.manners.bye = 'cross';
      setting.phone.hangup();
    },
  },
  {
    name: 'answered, ACKs are lost',
    weight: 4,
    results: ['completed'],
    run: async (setting) => {
      const call = await answered(setting, 1 + Math.floor(setting.random() * 2));
      await call.until('ACK');
      setting.phone.hangup();
    },
  },
  {
    name: 'answered, the BYE is never confirmed',
    weight: 1,
    results: ['completed'],
    slow: true,
    run: async (setting) => {
      const call = await answered(setting);
      call.manners.bye = 'ignore';
      setting.phone.hangup();
    },
  },
  {
    name: 'answered, the phone vanishes',
    weight: 3,
    results: ['client-gone'],
    vanishes: true,
    run: async (setting) => {
      const call = await answered(setting);
      await setting.phone.vanish();
      await call.until('BYE');
    },
  },
  ...(
    [
      [486, 'busy'],
      [603, 'declined'],
      [404, 'not-found'],
      [480, 'no-answer'],
      [500, 'refused'],
      [503, 'unreachable'],
    ] as const
  ).map(
    ([status, result]): Scenario => ({
      name: `refused with ${status}`,
      weight: 2,
      results: [result],
      run: async ({ dialled, random }) => {
        const call = await dialled();
        if (random() < 0.5) call.ring();
        call.refuse(status);
      },
    }),
  ),
  {
    name: 'cancelled while it rings',
    weight: 10,
    results: ['cancelled'],
    run: async ({ phone, dialled, random }) => {
      const call = await dialled();
      call.ring();
      await moment(random);
      phone.hangup();
    },
  },
  {
    name: 'cancelled, and the answer crosses that',
    weight: 4,
    results: ['cancelled'],
    run: async ({ phone, dialled, random }) => {
      const call = await dialled();
      call.manners.cancel = 'answer';
      call.ring();
      await moment(random);
      phone.hangup();
      await call.until('BYE');
    },
  },
  {
    name: 'answered and cancelled at the same time',
    weight: 4,
    results: ['cancelled', 'completed'],
    run: async ({ phone, dialled, random }) => {
      const call = await dialled();
      call.manners.cancel = 'answer';
      call.ring();
      await moment(random);
      call.answer();
      phone.hangup();
      await call.until('BYE');
    },
  },
  {
    name: 'cancelled at once',
    weight: 3,
    results: ['cancelled'],
    run: async ({ phone, dial }) => {
      dial();
      phone.hangup();
    },
  },
  {
    name: 'the phone vanishes while it rings',
    weight: 2,
    results: ['client-gone'],
    vanishes: true,
    run: async ({ phone, dialled }) => {
      const call = await dialled();
      call.ring();
      await phone.until(1);
      await phone.vanish();
      await call.until('CANCEL');
    },
  },
  {
    name: 'nobody says anything',
    weight: 0.5,
    results: ['no-answer'],
    slow: true,
    run: async ({ dial, phone }) => {
      dial();
      await phone.until(0);
    },
  },
  {
    name: 'called, the far end hangs up',
    weight: 8,
    results: ['completed'],
    run: async (setting) => {
      const call = await accepted(setting);
      await call.until('200 INVITE');
      call.bye();
    },
  },
  {
    name: 'called, the phone hangs up',
    weight: 6,
    results: ['completed'],
    run: async (setting) => {
      await accepted(setting);
      setting.phone.hangup();
    },
  },
  {
    name: 'called, both hang up',
    weight: 3,
    results: ['completed'],
    run: async (setting) => {
      const call = await accepted(setting);
      await call.until('200 INVITE');
      call.manners.bye = 'cross';
      setting.phone.hangup();
    },
  },
  {
    name: 'called, the phone refuses',
    weight: 4,
    results: ['declined'],
    run: async ({ phone, called, random }) => {
      const call = await called();
      if (random() < 0.5) phone.hangup();
      else phone.reject(603);
      await phone.until(0);
      await call.until('486 INVITE', '603 INVITE');
    },
  },
  {
    name: 'called, the caller gives up',
    weight: 5,
    results: ['cancelled'],
    run: async ({ called, random }) => {
      const call = await called();
      await call.until('100 INVITE', '180 INVITE');
      await moment(random);
      call.cancel();
      await call.until('487 INVITE');
    },
  },
  {
    name: 'called, the caller gives up as the phone accepts',
    weight: 4,
    results: ['cancelled', 'completed'],
    run: async ({ phone, called, random }) => {
      const call = await called();
      await call.until('100 INVITE', '180 INVITE');
      if (random() < 0.5) {
        phone.accept();
        await moment(random);
        call.cancel();
      } else {
        call.cancel();
        phone.accept();
      }
      if ((await call.until('200 INVITE', '487 INVITE')) === '200 INVITE') call.bye();
      // What comes too late for this call is not to accept the next.
      await phone.heard();
    },
  },
  {
    name: 'called, the phone vanishes while it rings',
    weight: 2,
    results: ['client-gone'],
    vanishes: true,
    run: async ({ phone, called }) => {
      const call = await called();
      await phone.vanish();
      await call.until('480 INVITE');
    },
  },
  {
    name: 'called, some ACKs are lost',
    weight: 3,
    results: ['completed'],
    run: async ({ phone, called }) => {
      const call = await called();
      call.manners.lostAcks = 1;
      phone.accept();
      await phone.until(2);
      await call.until('200 INVITE');
      phone.hangup();
    },
  },
  {
    name: 'called, no ACK ever comes',
    weight: 0.5,
    results: ['completed'],
    slow: true,
    run: async ({ phone, called }) => {
      const call = await called();
      call.manners.lostAcks = Number.POSITIVE_INFINITY;
      phone.accept();
      await phone.until(0);
    },
  },
];

/** Draws one, by weight. */
export function draw(number: number, from: readonly Scenario[]): Scenario {
  let left = number * from.reduce((sum, { weight }) => sum + weight, 0);
  for (const scenario of from) {
    left -= scenario.weight;
    if (left < 0) return scenario;
  }
  throw new Error('there are no scenarios');
}
