import { getPortCounters, type PortCountersReply } from '@alcor/contract';
import { createSchedule, createWorld, seededRandom } from '@alcor/runtime';
import { expect, it } from 'vitest';
import { type PortCounters, SwitchLost } from './dataplane/index.ts';
import { answersPortCounters } from './port-counters.ts';

const never = (): AbortSignal => new AbortController().signal;
const none = { packets: 0n, bytes: 0n };
const counters: PortCounters = {
  sent: { packets: 2n ** 53n + 1n, bytes: 2n ** 60n + 7n },
  received: none,
  dropped: {
    spoofed: none,
    sentNotAllowed: none,
    receivedNotAllowed: none,
    sentOverLimit: none,
    receivedOverLimit: none,
  },
  rules: [
    { policy: 'network-acl', policyId: 'acl', ruleId: '', direction: 'egress', text: 'deny', packets: 3n, bytes: 4n },
  ],
  rulesLeftOut: 1,
};

/** A process that asks, of one that answers with `answer`, in order. */
async function asking(answer: (portId: string) => Promise<PortCounters | string>) {
  const schedule = createSchedule();
  const world = createWorld(schedule, seededRandom(1), () => {});
  const handlers = [answersPortCounters({ counters: answer })];
  const served = world.start('agent').runtime.transport.serve('agent:1', handlers, never());
  await schedule.run(100);
  await served;
  const { transport } = world.start('asker').runtime;
  return {
    schedule,
    ask: (portId: string): Promise<PortCountersReply> =>
      transport.call(getPortCounters, 'agent:1', { portId }, never()),
  };
}

it('counters are told as numbers that every language has, which begin anew after 53 bits', async () => {
  const { schedule, ask } = await asking(async () => counters);
  const reply = ask('p');
  await schedule.run(1_000);
  expect(await reply).toMatchObject({
    sent: { packets: 1, bytes: 7 },
    rules: [
      { securityGroupId: '', networkAclId: 'acl', ruleId: '', ingress: false, matched: { packets: 3, bytes: 4 } },
    ],
    rulesLeftOut: 1,
    reason: '',
  });
});

it('why there are none is said: what the data plane says, or that the switch went away', async () => {
  const { schedule, ask } = await asking(async (portId) => {
    if (portId === 'lost') throw new SwitchLost('br-int is away');
    return `port ${portId} is not on this host`;
  });
  const replies = [ask('p'), ask('lost')];
  await schedule.run(1_000);
  expect((await Promise.all(replies)).map(({ reason }) => reason)).toEqual([
    'port p is not on this host',
    'br-int is away',
  ]);
});

it('questions are answered one after the other, and too many of them refused', async () => {
  let [running, most] = [0, 0];
  const release = new AbortController();
  const held = new Promise((resolve) => release.signal.addEventListener('abort', resolve, { once: true }));
  const { schedule, ask } = await asking(async () => {
    most = Math.max(most, ++running);
    await held;
    running--;
    return counters;
  });
  const replies = Array.from({ length: 40 }, () => ask('p').then(() => 'told', String));
  await schedule.run(1_000);
  release.abort();
  await schedule.run(1_000);
  const ends = await Promise.all(replies);
  expect(most).toBe(1);
  expect(ends.filter((end) => end === 'told')).toHaveLength(32);
  expect(ends.filter((end) => /too many ask/.test(end))).toHaveLength(8);
});
