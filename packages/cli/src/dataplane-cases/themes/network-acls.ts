/** What may cross the border of a subnet, packet by packet, before any group is asked. */
import { all, both, type Exchange, on } from '../case.ts';
import { type AclRule, bothFamilies, everything, portRange } from '../rules.ts';
import type { Theme } from '../run.ts';
import type { Site } from '../site.ts';

const hops = { hops: 1 } as const;
const there = { ...hops, ends: 'there' } as const;
const here = { ...hops, ends: 'here' } as const;

const open = { groups: ['open'] } as const;

/** What the sockets of those who ask have. */
const ephemeral = portRange(20_000, 60_999);

const rules: readonly AclRule[] = [
  { number: 90, action: 'deny', direction: 'ingress', family: 4, protocol: null, remote_ip_prefix: '10.41.0.22/32' },
  { number: 91, action: 'deny', direction: 'ingress', family: 6, protocol: null, remote_ip_prefix: 'fd00:41::22/128' },
  ...bothFamilies(100, 'allow', 'ingress', 'tcp', portRange(80)),
  ...bothFamilies(110, 'allow', 'egress', 'tcp', ephemeral),
  ...bothFamilies(120, 'allow', 'ingress', 'udp', portRange(1000, 1999)),
  ...bothFamilies(130, 'deny', 'ingress', 'udp', portRange(53)),
  ...bothFamilies(140, 'allow', 'ingress', 'udp', portRange(50, 60)),
  ...bothFamilies(150, 'allow', 'egress', 'udp', portRange(7)),
  { number: 160, action: 'allow', direction: 'ingress', family: 4, protocol: 'icmp' },
  { number: 161, action: 'allow', direction: 'ingress', family: 6, protocol: 'icmpv6', ...portRange(128, 0) },
  { number: 162, action: 'allow', direction: 'egress', family: 4, protocol: 'icmp' },
  { number: 163, action: 'allow', direction: 'egress', family: 6, protocol: 'icmpv6', ...portRange(129, 0) },
  ...bothFamilies(200, 'deny', 'ingress', null),
  ...bothFamilies(210, 'allow', 'ingress', null),
];

/** Within the subnet, on one host and on two, whatever the ACL says. */
const inside: readonly Exchange[] = [
  ...all('in', 'in2', ['icmp', 'tcp/443', 'udp/9'], 'answered', 'within the subnet'),
  ...all('in2', 'in1', ['icmp', 'tcp/443', 'udp/9'], 'answered', 'within the subnet, to another host'),
];

const services = [
  { why: 'its gateway', from: 'in', ask: 'arp', target: '10.40.0.1', told: {} },
  { why: 'its gateway', from: 'in', ask: 'neighbour', target: 'fd00:40::1', told: {} },
  { why: 'its address', from: 'in', ask: 'dhcp', told: {} },
] as const;

async function rulesOf(site: Site): Promise<{ id: string; number: number }[]> {
  const path = `/alcor/v1/network-acl-rules?network_acl_id=${site.aclId('wall')}`;
  return (await site.request<{ network_acl_rules: { id: string; number: number }[] }>('GET', path)).network_acl_rules;
}

export const networkAcls: Theme = {
  name: 'network ACLs',
  short: 'na',
  async build(site) {
    await site.group('open', everything);
    await site.network('inner', 40);
    await site.network('outer', 41);
    await site.router('between', ['inner', 'outer']);
    await site.networkAcl('wall', [], []);
    await site.plug({
      in: { host: 1, network: 'inner', number: 11, ...open },
      in1: { host: 2, network: 'inner', number: 12, ...open },
      in2: { host: 1, network: 'inner', number: 13, ...open },
      out: { host: 2, network: 'outer', number: 21, ...open },
      out1: { host: 1, network: 'outer', number: 22, ...open },
    });
  },
  stages: [
    {
      when: 'an ACL of no subnet',
      cases: [
        ...all('out', 'in', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'no ACL', hops),
        ...all('in', 'out1', ['icmp', 'tcp/80'], 'answered', 'no ACL', hops),
        ...inside,
        ...services,
      ],
    },
    {
      when: 'an ACL without rules on both subnets of a network',
      change: (site) => site.setSubnetsOf('wall', ['inner']),
      cases: [
        ...all('out', 'in', ['icmp', 'tcp/80', 'udp/53'], 'stopped', 'into the subnet', there),
        ...all('out1', 'in', ['icmp', 'tcp/80', 'udp/53'], 'stopped', 'into the subnet, on one host', here),
        ...all('in', 'out', ['icmp', 'tcp/80', 'udp/53'], 'stopped', 'out of the subnet', here),
        ...all('in', 'out1', ['icmp', 'udp/53'], 'stopped', 'out of the subnet, on one host', here),
        ...both('out', 'out1', 'tcp/80', 'answered', 'between two that it is not for'),
        ...inside,
        ...services,
        on(4, 'in', [], 'icmp', 'answered', "the subnet's own gateway", { address: '10.40.0.1' }),
        on(6, 'in', [], 'icmp', 'answered', "the subnet's own gateway", { address: 'fd00:40::1' }),
        on(4, 'in', [], 'icmp', 'stopped', "the router's other address", { address: '10.41.0.1' }),
        on(6, 'in', [], 'icmp', 'stopped', "the router's other address", { address: 'fd00:41::1' }),
      ],
    },
    {
      when: 'rules for both directions',
      change: async (site) => {
        for (const rule of rules) await site.aclRule('wall', rule);
      },
      cases: [
        ...both('out', 'in', 'tcp/80', 'answered', 'rules for the port and for the way back', hops),
        ...all('out', 'in', ['tcp/81', 'tcp/443', 'udp/80'], 'stopped', 'no rule but the last', there),
        ...both('out1', 'in1', 'tcp/80', 'stopped', 'denied to its address before', there),
        ...both('out1', 'in', 'tcp/80', 'stopped', 'denied to its address before, on one host', here),
        ...all('out', 'in', ['udp/1000', 'udp/1999', 'udp/50', 'udp/60'], 'received', 'no rule for the way back', hops),
        ...all('out', 'in', ['udp/999', 'udp/2000', 'udp/49', 'udp/61'], 'stopped', 'beside the range', there),
        ...both('out', 'in', 'udp/53', 'stopped', 'denied within a range that a later rule allows', there),
        ...both('out', 'in', 'icmp', 'answered', 'ICMP by its types', hops),
        on(4, 'in', 'out', 'icmp', 'answered', 'all of ICMP', hops),
        on(6, 'in', 'out', 'icmp', 'stopped', 'another type of ICMPv6', here),
        ...both('in', 'out', 'udp/7', 'received', 'no rule for the way back', hops),
        ...all('in', 'out', ['udp/8', 'tcp/80'], 'stopped', 'no rule to let out', here),
        ...inside,
        ...services,
      ],
    },
    {
      when: 'one rule changed, one removed and one more',
      change: async (site) => {
        for (const { id, number } of await rulesOf(site)) {
          const path = `/alcor/v1/network-acl-rules/${id}`;
          if (number === 100 || number === 101)
            await site.request('PUT', path, { network_acl_rule: { port_range_min: 81, port_range_max: 81 } });
          if (number === 130 || number === 131) await site.request('DELETE', path);
        }
        for (const rule of bothFamilies(10, 'deny', 'egress', 'udp', portRange(7))) await site.aclRule('wall', rule);
      },
      cases: [
        ...both('out', 'in', 'tcp/81', 'answered', 'the port that it has now', hops),
        ...both('out', 'in', 'tcp/80', 'stopped', 'the port that it had', there),
        ...both('out', 'in', 'udp/53', 'received', 'denied no more', hops),
        ...both('in', 'out', 'udp/7', 'stopped', 'denied before it is allowed', here),
        ...both('out', 'in', 'icmp', 'answered', 'what is left', hops),
        ...inside,
      ],
    },
    {
      when: 'the ACL is taken from the subnets',
      change: (site) => site.setSubnetsOf('wall', []),
      cases: [
        ...all('out', 'in', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'no ACL any more', hops),
        ...all('in', 'out', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'no ACL any more', hops),
        ...both('out1', 'in1', 'tcp/80', 'answered', 'no ACL any more', hops),
        ...inside,
      ],
    },
  ],
};
