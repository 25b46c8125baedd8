import { createSchedule } from '@alcor/runtime';
import { expect, it } from 'vitest';
import { pingAllPairs } from './demo.ts';

const port = (id: string, network: string) => ({ id, network, ip: `ip of ${id}` });

it('asks again who is in the same VPC until it is answered or a while is over, and who is not once', async () => {
  const schedule = createSchedule();
  const asked: string[] = [];
  const guest = (from: string, answeredFrom: number) => ({
    ping: async (ip: string) => {
      asked.push(`${from} ${ip}`);
      const ok = ip !== 'ip of c' && asked.filter((each) => each === `${from} ${ip}`).length >= answeredFrom;
      return { ok, rttMs: ok ? 1 : null };
    },
  });
  const ports = [port('a', 'blue'), port('b', 'blue'), port('c', 'green')];
  const guests = [guest('a', 3), guest('b', Number.POSITIVE_INFINITY), guest('c', Number.POSITIVE_INFINITY)];
  const pinging = pingAllPairs(ports, guests, schedule.clock);
  await schedule.run(60_000);
  const pings = await pinging;
  expect(pings.filter(({ ok }) => ok)).toEqual([{ from: 'a', to: 'b', sameVpc: true, ok: true, rttMs: 1 }]);
  expect(asked.filter((each) => each === 'a ip of b')).toHaveLength(3);
  expect(asked.filter((each) => each === 'b ip of a').length).toBeGreaterThan(100);
  for (const across of ['a ip of c', 'b ip of c', 'c ip of a', 'c ip of b'])
    expect(asked.filter((each) => each === across)).toHaveLength(1);
});
