/** Ports that a guest reaches by VLAN tags on the interface of another. */
import { all, both, type Exchange, on } from '../case.ts';
import { everything } from '../rules.ts';
import type { Theme } from '../run.ts';

const hops = { hops: 1 } as const;
const open = { groups: ['open'] } as const;

/** What has nothing to do with the sub-port that goes and comes. */
const others: readonly Exchange[] = [
  ...all('p', 'q', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'without a tag'),
  ...all('q', 'p', ['icmp', 'tcp/80'], 'answered', 'without a tag, the way back'),
  ...all('r', 'r2', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'under a tag, to another host'),
  ...all('r2', 'r', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'under a tag, from another host'),
  ...all('r', 'r1', ['icmp', 'tcp/80'], 'answered', 'under a tag, on the same host'),
  ...all('r1', 'r', ['icmp', 'tcp/80'], 'answered', 'under a tag, on the same host'),
];

const withBlue: readonly Exchange[] = [
  ...all('b', 'b2', ['icmp', 'tcp/80'], 'answered', 'the other tag'),
  ...all('b2', 'b', ['icmp', 'tcp/80'], 'answered', 'the other tag, the way back'),
  ...all('r', 'b', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'two of one trunk, by a router', hops),
  ...both('b', 'r2', 'tcp/80', 'answered', 'by a router, to another host', hops),
];

export const trunks: Theme = {
  name: 'trunks',
  short: 'tk',
  async build(site) {
    await site.group('open', everything);
    await site.group('closed', []);
    await site.network('plain', 50);
    await site.network('red', 51);
    await site.network('blue', 52);
    await site.router('between', ['red', 'blue']);
    await site.plug({
      p: { host: 1, network: 'plain', number: 11, ...open, trunk: 'parent' },
      q: { host: 2, network: 'plain', number: 21, ...open },
      r1: { host: 1, network: 'red', number: 31, ...open },
      r2: { host: 2, network: 'red', number: 32, ...open },
      b2: { host: 2, network: 'blue', number: 42, ...open },
    });
    await site.plug({
      r: { host: 1, network: 'red', number: 12, ...open, trunk: { parent: 'p', vlan: 7 } },
      b: { host: 1, network: 'blue', number: 13, ...open, trunk: { parent: 'p', vlan: 8 } },
      s: { host: 1, network: 'plain', number: 14, ...open, trunk: { parent: 'p', vlan: 9 } },
      c: { host: 1, network: 'red', number: 15, groups: ['closed'], trunk: { parent: 'p', vlan: 4094 } },
    });
    site.teach('p', 'r2');
  },
  stages: [
    {
      when: 'as made',
      cases: [
        ...others,
        ...withBlue,
        ...all('s', 'q', ['icmp', 'tcp/80'], 'answered', "in the parent's network"),
        ...all('s', 'p', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'with its own parent'),
        ...both('p', 's', 'tcp/80', 'answered', 'with its own parent, the way back'),
        ...both('r', 'c', 'udp/53', 'stopped', 'a group without rules'),
        ...both('r2', 'c', 'udp/53', 'stopped', 'a group without rules', { ends: 'there' }),
        ...both('c', 'r2', 'tcp/80', 'answered', 'a group without rules lets out'),
        ...both('p', 'r2', 'udp/53', 'stopped', "without the tag, in the tag's network", { ends: 'here' }),
        on(4, 'r', 'r2', 'udp/53', 'stopped', "nobody's address", { source: '10.51.0.99' }),
        on(4, 'r', [], 'icmp', 'answered', 'its gateway', { address: '10.51.0.1' }),
        on(6, 'r', [], 'icmp', 'answered', 'its gateway', { address: 'fd00:51::1' }),
        on(4, 'r', [], 'icmp', { error: 'no route', from: '10.51.0.1' }, 'nowhere', { address: '192.0.2.9' }),
        on(4, 'r', 'b2', 'icmp', { error: 'ttl exceeded', from: '10.51.0.1' }, 'no hop left', { ttl: 1 }),
        { why: 'its gateway', from: 'r', ask: 'arp', target: '10.51.0.1', told: {} },
        { why: 'its gateway', from: 'r', ask: 'neighbour', target: 'fd00:51::1', told: {} },
        { why: 'its address', from: 'r', ask: 'dhcp', told: {} },
        { why: 'its address', from: 'p', ask: 'dhcp', told: {} },
      ],
    },
    {
      when: 'a sub-port is taken from the trunk',
      change: (site) => site.changeTrunk('p', 'remove_subports', ['b']),
      cases: [
        ...others,
        ...both('b2', 'b', 'icmp', 'lost', 'nobody has it any more'),
        ...both('b', 'b2', 'icmp', 'lost', "a tag that is nobody's"),
        ...both('s', 'q', 'tcp/80', 'answered', 'another sub-port'),
      ],
    },
    {
      when: 'the sub-port is back',
      change: (site) => site.changeTrunk('p', 'add_subports', ['b']),
      cases: [...others, ...withBlue],
    },
  ],
};
