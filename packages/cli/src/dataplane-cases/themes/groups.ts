/** What security groups let pass, and what becomes of connections when they change. */
import { all, both, type Exchange, on, type Traffic } from '../case.ts';
import type { Theme } from '../run.ts';
import { allow, portRange } from '../rules.ts';
import type { Site } from '../site.ts';
import type { VmPlan } from '../vm-commands.ts';

const there = { ends: 'there' } as const;
const here = { ends: 'here' } as const;
const network = 'grey';

/** A server on the second host with one group of its name. */
function server(name: string, number: number): VmPlan {
  return { host: 2, network, number, groups: [name] };
}

/** Ports at the edges of a range, inside and outside. */
function edges(to: string, proto: 'tcp' | 'udp', inside: readonly number[], outside: readonly number[]): Exchange[] {
  const traffics = (list: readonly number[]): Traffic[] => list.map((port) => `${proto}/${port}` as const);
  return [
    ...all('client', to, traffics(inside), 'answered', 'within the range'),
    ...all('client', to, traffics(outside), 'stopped', 'beside the range', there),
  ];
}

/** Connections over both families that later stages go on with. */
function kept(from: string, to: string, traffic: Traffic, name: string): Exchange[] {
  return ([4, 6] as const).map((family) =>
    on(family, from, to, traffic, 'answered', 'a connection to keep', { keep: `${name}${family}` }),
  );
}

async function makeGroups(site: Site): Promise<void> {
  await site.group('clients', []);
  await site.group('admins', []);
  await site.addressGroup('friends', ['10.4.0.11/32', 'fd00:4::11/128']);
  await site.group('none', []);
  await site.group('web', [
    ...allow('ingress', 'tcp', portRange(80)),
    ...allow('ingress', 'tcp', portRange(22)),
    ...allow('ingress', 'icmp'),
  ]);
  await site.group('range', [
    ...allow('ingress', 'tcp', portRange(1000, 1999)),
    ...allow('ingress', 'udp', portRange(5, 12)),
  ]);
  await site.group('byGroup', [
    ...allow('ingress', 'tcp', { ...portRange(80), group: 'clients' }),
    ...allow('ingress', 'udp', { group: 'byGroup' }),
  ]);
  await site.group('byAddresses', allow('ingress', null, { addresses: 'friends' }));
  await site.group('byPrefix', [
    { direction: 'ingress', family: 4, protocol: 'udp', remote_ip_prefix: '10.4.0.8/29' },
    { direction: 'ingress', family: 6, protocol: 'udp', remote_ip_prefix: 'fd00:4::10/124' },
  ]);
  await site.group('types', [
    { direction: 'ingress', family: 4, protocol: 'icmp', ...portRange(13, 0) },
    { direction: 'ingress', family: 6, protocol: 'icmpv6', ...portRange(128, 0) },
  ]);
  await site.group('loose', [...allow('ingress', 'udp', portRange(53)), ...allow('ingress', 'tcp', portRange(80))], {
    stateful: false,
  });
  await site.bareGroup('half', allow('ingress', 'udp', portRange(53)), { stateful: false });
  await site.bareGroup('narrow', [...allow('egress', 'tcp', portRange(80)), ...allow('egress', 'icmp')]);
  await site.bareGroup('v4only', [{ direction: 'ingress', family: 4, protocol: 'tcp', ...portRange(80) }]);
}

export const groups: Theme = {
  name: 'security groups',
  short: 'sg',
  async build(site) {
    await site.network(network, 4);
    await makeGroups(site);
    await site.plug({
      client: { host: 1, network, number: 11, groups: ['clients'] },
      admin: { host: 3, network, number: 33, groups: ['admins'] },
      local: { host: 1, network, number: 12, groups: ['web'] },
      member: { host: 1, network, number: 60 },
      member2: { host: 2, network, number: 61 },
      narrow: { host: 1, network, number: 62, groups: ['narrow'] },
      groupless: { host: 2, network, number: 63, groups: [] },
      both: { host: 2, network, number: 64, groups: ['web', 'range'] },
      ...Object.fromEntries(
        ['none', 'web', 'range', 'byGroup', 'byAddresses', 'byPrefix', 'types', 'loose', 'half', 'v4only'].map(
          (name, at) => [name, server(name, 40 + at)] as const,
        ),
      ),
    });
    site.teach('client', 'groupless');
  },
  stages: [
    {
      when: 'as made',
      cases: [
        ...all('member', 'member2', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'two of the default group'),
        ...all('client', 'member', ['icmp', 'tcp/80'], 'stopped', 'not of the default group', { ends: 'here' }),
        ...both('admin', 'member', 'udp/53', 'stopped', 'not of the default group', there),
        ...all('client', 'none', ['icmp', 'tcp/80', 'udp/53'], 'stopped', 'a new group lets nothing in', there),
        ...both('none', 'web', 'tcp/80', 'answered', 'a new group lets everything out'),
        ...all('client', 'groupless', ['icmp', 'udp/53'], 'stopped', 'no group at all', there),
        ...all('groupless', 'web', ['icmp', 'tcp/80'], 'stopped', 'no group at all', here),
        ...all('client', 'web', ['tcp/80', 'tcp/22'], 'answered', 'a rule for the port'),
        ...all('client', 'web', ['tcp/81', 'tcp/443', 'udp/80'], 'stopped', 'no rule for the port', there),
        on(4, 'client', 'web', 'icmp', 'answered', 'a rule for ICMP'),
        on(4, 'client', 'local', 'tcp/80', 'answered', 'on the same host'),
        on(6, 'client', 'local', 'tcp/80', 'answered', 'on the same host'),
        ...all('client', 'local', ['tcp/81', 'udp/80'], 'stopped', 'on the same host', here),
        ...edges('range', 'tcp', [1000, 1001, 1023, 1024, 1535, 1999], [999, 2000, 100]),
        ...edges('range', 'udp', [5, 8, 12], [4, 13]),
        ...all('client', 'both', ['tcp/80', 'tcp/1500', 'udp/7'], 'answered', 'either of two groups'),
        ...both('client', 'both', 'tcp/999', 'stopped', 'neither of two groups', there),
        ...both('client', 'byGroup', 'tcp/80', 'answered', 'a member of the remote group'),
        ...both('admin', 'byGroup', 'tcp/80', 'stopped', 'no member of the remote group', there),
        ...both('client', 'byGroup', 'udp/80', 'stopped', 'a member of another remote group', there),
        ...all('client', 'byAddresses', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'in the address group'),
        ...all('admin', 'byAddresses', ['icmp', 'tcp/80', 'udp/53'], 'stopped', 'not in the address group', there),
        on(4, 'client', 'byPrefix', 'udp/53', 'answered', 'in the block'),
        on(6, 'client', 'byPrefix', 'udp/53', 'answered', 'in the block'),
        ...both('admin', 'byPrefix', 'udp/53', 'stopped', 'beside the block', there),
        ...both('client', 'byPrefix', 'tcp/53', 'stopped', 'in the block, with another protocol', there),
        on(4, 'client', 'types', 'icmp/13/0', 'received', 'the type of the rule'),
        on(4, 'client', 'types', 'icmp', 'stopped', 'another type', there),
        on(6, 'client', 'types', 'icmp', 'answered', 'the type of the rule'),
        ...all('client', 'loose', ['udp/53', 'tcp/80'], 'answered', 'stateless, with rules for both ways'),
        ...both('client', 'loose', 'udp/54', 'stopped', 'stateless, and no rule', there),
        ...both('client', 'half', 'udp/53', 'received', 'stateless, and no rule for the way back'),
        ...both('narrow', 'web', 'tcp/80', 'answered', 'a rule to let out'),
        ...both('narrow', 'web', 'tcp/22', 'stopped', 'no rule to let out', here),
        on(4, 'client', 'v4only', 'tcp/80', 'answered', 'a rule for IPv4'),
        on(6, 'client', 'v4only', 'tcp/80', 'stopped', 'a rule for IPv4 only', there),
        ...kept('client', 'web', 'tcp/22', 'ssh'),
        ...kept('client', 'byGroup', 'tcp/80', 'member'),
        ...kept('none', 'web', 'tcp/80', 'web'),
      ],
    },
    {
      when: 'a rule is removed, and a member leaves',
      change: async (site) => {
        await site.removeRules('web', 'tcp', 22);
        await site.updatePort('client', { security_groups: [site.groupId('admins')] });
        await site.rule('none', { direction: 'ingress', family: 4, protocol: 'tcp', ...portRange(80) });
      },
      cases: [
        ...both('client', 'web', 'tcp/22', 'stopped', 'no rule any more', there),
        on(4, 'client', 'web', 'tcp/22', 'lost', 'the connection that only it allowed', { on: 'ssh4' }),
        on(6, 'client', 'web', 'tcp/22', 'lost', 'the connection that only it allowed', { on: 'ssh6' }),
        on(4, 'none', 'web', 'tcp/80', 'answered', 'the connection that another rule allows', { on: 'web4' }),
        on(6, 'none', 'web', 'tcp/80', 'answered', 'the connection that another rule allows', { on: 'web6' }),
        ...both('client', 'byGroup', 'tcp/80', 'stopped', 'no member any more', there),
        on(4, 'client', 'byGroup', 'tcp/80', 'lost', "a former member's connection", { on: 'member4' }),
        on(6, 'client', 'byGroup', 'tcp/80', 'lost', "a former member's connection", { on: 'member6' }),
        ...both('client', 'web', 'tcp/80', 'answered', 'what another rule allows'),
        on(4, 'client', 'none', 'tcp/80', 'answered', 'a new rule'),
        on(6, 'client', 'none', 'tcp/80', 'stopped', 'a new rule of the other family', there),
      ],
    },
    {
      when: 'members join, addresses go, groups change their kind',
      change: async (site) => {
        await site.updatePort('admin', { security_groups: [site.groupId('clients')] });
        await site.request('PUT', `/v2.0/address-groups/${site.groupId('friends')}/remove_addresses`, {
          addresses: ['fd00:4::11/128'],
        });
        await site.updatePort('web', { security_groups: [site.groupId('range')] });
        await site.updatePort('groupless', { security_groups: [site.groupId('web')] });
      },
      cases: [
        ...both('admin', 'byGroup', 'tcp/80', 'answered', 'a new member'),
        on(4, 'client', 'byAddresses', 'udp/53', 'answered', 'the address that stayed'),
        on(6, 'client', 'byAddresses', 'udp/53', 'stopped', 'the address that went', there),
        ...both('client', 'web', 'tcp/80', 'stopped', 'another group', there),
        on(4, 'none', 'web', 'tcp/80', 'lost', 'its connections end with its group', { on: 'web4' }),
        ...both('client', 'web', 'tcp/1500', 'answered', 'another group'),
        ...both('client', 'groupless', 'tcp/80', 'answered', 'a group at last'),
      ],
    },
  ],
};
