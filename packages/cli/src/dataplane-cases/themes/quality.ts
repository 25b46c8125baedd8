/** QoS policies: what arrives carries the mark, and of what is sent at once no more arrives than the limit lets pass. */
import { all, both, burst, type Burst } from '../case.ts';
import { bandwidth, everything, mark, packetRate } from '../rules.ts';
import type { Theme } from '../run.ts';

const kinds = ['udp/4600', 'tcp/4600', 'icmp'] as const;
const open = { groups: ['open'] };

function bursts(from: string, to: string, isLimited: boolean, why: string): Burst[] {
  return ([4, 6] as const).map((family) => burst(`${from}${family}`, `${to}${family}`, family, isLimited, why));
}

/** 4,000 small ones, as fast as may be; at 1,000 a second 1,000 pass at once. */
function manySmall(from: string, to: string, why: string): Burst[] {
  return bursts(from, to, true, why).map((each) => ({
    ...each,
    times: 4_000,
    bytes: 50,
    gap: 0,
    arrive: [700, 3_400],
    perSecond: 1_000,
  }));
}

const rules = new Map<string, string>();

export const quality: Theme = {
  name: 'QoS policies',
  short: 'qs',
  async build(site) {
    await site.network('marked', 60);
    await site.network('plain', 61);
    await site.router('between', ['marked', 'plain']);
    await site.group('open', everything);
    const [marking] = await site.policy('gold', [mark(46)]);
    await site.policy('silver', [mark(10)]);
    await site.policy('least', [
      { kind: 'minimum_bandwidth_rule', direction: 'egress', min_kbps: 1_000 },
      { kind: 'minimum_packet_rate_rule', direction: 'any', min_kpps: 1 },
    ]);
    const [out] = await site.policy('slow out', [bandwidth('egress', 1_000)]);
    await site.policy('slow in', [bandwidth('ingress', 1_000), mark(8)]);
    await site.policy('few', [packetRate('egress', 1)]);
    rules.set('gold', marking!).set('slow out', out!);
    await site.updateNetwork('marked', { qos_policy_id: site.policyId('gold') });
    const having = (policy: string) => ({ ...open, port: { qos_policy_id: site.policyId(policy) } });
    // A port has one bucket for both families, so each has a VM of its own.
    const pair = (name: string, host: number, more: object = open) =>
      Object.fromEntries([4, 6].map((family) => [`${name}${family}`, { host, network: 'plain', ...more }]));
    await site.plug({
      a: { host: 1, network: 'marked', ...open },
      near: { host: 1, network: 'marked', ...open },
      far: { host: 2, network: 'marked', ...open },
      own: { host: 1, network: 'marked', ...having('silver') },
      plain: { host: 1, network: 'plain', ...open },
      least: { host: 1, network: 'plain', ...having('least') },
      other: { host: 2, network: 'plain', ...open },
      ...pair('out', 1, having('slow out')),
      ...pair('in', 2, having('slow in')),
      ...pair('few', 1, having('few')),
      ...pair('here', 1),
      ...pair('there', 2),
    });
  },
  stages: [
    {
      when: 'as made',
      cases: [
        ...all('a', 'near', kinds, 'answered', "the network's mark, on one host", { dscp: 46 }),
        ...all('a', 'far', kinds, 'answered', "the network's mark, on two hosts", { dscp: 46 }),
        ...all('far', 'a', kinds, 'answered', "the network's mark, from the other host", { dscp: 46 }),
        ...all('own', 'far', kinds, 'answered', "the port's own mark before the network's", { dscp: 10 }),
        ...all('a', 'other', kinds, 'answered', 'the mark stays behind a router', { dscp: 46, hops: 1 }),
        ...all('plain', 'far', kinds, 'answered', 'what is sent to a marked network has no mark', { hops: 1 }),
        ...all('plain', 'other', kinds, 'answered', 'no policy'),
        ...all('least', 'other', kinds, 'answered', 'guaranteed minimums neither limit nor mark'),
        ...both('in4', 'plain', 'udp/4600', 'answered', 'a mark beside a limit', { dscp: 8 }),
      ],
    },
    {
      when: 'in bursts',
      cases: [
        ...bursts('out', 'there', true, 'beyond what may be sent, to another host'),
        ...bursts('there', 'in', true, 'beyond what may be received, from another host'),
        ...bursts('here', 'out', false, 'received, where sending is limited'),
        ...bursts('in', 'here', false, 'sent, where receiving is limited'),
      ],
    },
    { when: 'in bursts of small packets', cases: manySmall('few', 'here', 'more packets than may be sent') },
    {
      when: 'after the policies have changed',
      async change(site) {
        await site.changePolicyRule('gold', rules.get('gold')!, mark(26));
        await site.changePolicyRule('slow out', rules.get('slow out')!, bandwidth('egress', 1_000_000));
      },
      cases: [
        ...all('a', 'far', kinds, 'answered', 'another mark', { dscp: 26 }),
        ...bursts('out', 'there', false, 'a limit that is wide now'),
      ],
    },
    {
      when: 'after the port has none of its own, and its network another',
      async change(site) {
        await site.updatePort('own', { qos_policy_id: null });
        await site.updateNetwork('plain', { qos_policy_id: site.policyId('silver') });
      },
      cases: [
        ...all('own', 'near', kinds, 'answered', "the network's", { dscp: 26 }),
        ...all('plain', 'near', kinds, 'answered', 'where there was none', { dscp: 10, hops: 1 }),
        ...all('least', 'near', kinds, 'answered', 'a policy without a mark of its own', { hops: 1 }),
      ],
    },
    {
      when: 'after the networks have none any more',
      async change(site) {
        for (const network of ['marked', 'plain']) await site.updateNetwork(network, { qos_policy_id: null });
        for (const vm of ['in4', 'in6']) await site.updatePort(vm, { qos_policy_id: null });
      },
      cases: [
        ...all('a', 'far', kinds, 'answered', 'no mark'),
        ...all('plain', 'near', kinds, 'answered', 'no mark', { hops: 1 }),
        ...bursts('there', 'in', false, 'no limit'),
      ],
    },
  ],
};
