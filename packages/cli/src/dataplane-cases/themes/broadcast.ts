/** What is for all of a network: copies to each VM of it that its groups let have it, by the hosts that have one and no others. */
import { both, type Exchange, on, type Traffic } from '../case.ts';
import { allow, everything, portRange } from '../rules.ts';
import type { Theme } from '../run.ts';

const open = { groups: ['open'] };
const networks = ['everywhere', 'two hosts'] as const;

/** To everybody by each kind of address that means it. */
function toAll(n: number, from: string, to: readonly string[], traffic: Traffic, why: string): Exchange[] {
  return [
    on(4, from, to, traffic, 'answered', `${why}: broadcast`, {
      address: '255.255.255.255',
      within: networks[n - 30]!,
    }),
    on(4, from, to, traffic, 'answered', `${why}: broadcast of its subnet`, {
      address: `10.${n}.0.255`,
      within: networks[n - 30]!,
    }),
    on(4, from, to, traffic, 'answered', `${why}: multicast`, { address: '224.0.0.18', within: networks[n - 30]! }),
    on(6, from, to, traffic, 'answered', `${why}: all nodes`, { address: 'ff02::1', within: networks[n - 30]! }),
    on(6, from, to, traffic, 'answered', `${why}: multicast`, { address: 'ff02::12', within: networks[n - 30]! }),
  ];
}

export const broadcast: Theme = {
  name: 'broadcast and multicast',
  short: 'bc',
  async build(site) {
    await site.network('everywhere', 30);
    await site.network('two hosts', 31);
    await site.group('open', everything);
    await site.group('closed', []);
    await site.group('narrow', allow('ingress', 'udp', portRange(7)));
    const pairs = ['10.30.0.200', 'fd00:30::200'].map((ip_address) => ({ ip_address }));
    await site.plug({
      a: { host: 1, network: 'everywhere', number: 11, ...open },
      near: { host: 1, network: 'everywhere', number: 12, ...open },
      far: {
        host: 2,
        network: 'everywhere',
        number: 13,
        ...open,
        port: { allowed_address_pairs: pairs, mac_address: 'fa:16:3e:30:00:13' },
        also: ['10.30.0.200/32', 'fd00:30::200/128'],
      },
      third: { host: 3, network: 'everywhere', number: 14, ...open },
      closed: { host: 2, network: 'everywhere', number: 15, groups: ['closed'] },
      narrow: { host: 1, network: 'everywhere', number: 16, groups: ['narrow'] },
      free: { host: 3, network: 'everywhere', number: 17, port: { port_security_enabled: false } },
      x: { host: 1, network: 'two hosts', number: 11, ...open },
      y: { host: 3, network: 'two hosts', number: 12, ...open },
    });
  },
  stages: [
    {
      when: 'as made',
      cases: [
        ...toAll(30, 'a', ['near', 'far', 'third', 'free'], 'udp/999', 'on three hosts'),
        ...toAll(30, 'a', ['near', 'far', 'third', 'free'], 'icmp', 'on three hosts'),
        ...toAll(30, 'third', ['a', 'near', 'far', 'free', 'narrow'], 'udp/7', 'what one more group lets in'),
        ...toAll(31, 'x', ['y'], 'udp/999', 'on two hosts, and not to the third'),
        on(4, 'free', ['a', 'near', 'far', 'third'], 'udp/999', 'received', 'from any address', {
          address: '10.30.0.255',
          source: '10.30.0.99',
        }),
        on(4, 'a', [], 'udp/999', 'stopped', "from nobody's address", {
          address: '10.30.0.255',
          source: '10.30.0.99',
          ends: 'here',
        }),
        on(4, 'near', ['far'], 'icmp', 'answered', 'an allowed address that its VM answers for', {
          address: '10.30.0.200',
        }),
        on(6, 'near', ['far'], 'icmp', 'answered', 'an allowed address that its VM answers for', {
          address: 'fd00:30::200',
        }),
        on(6, 'near', ['far'], 'icmp', 'answered', "a VM's address of the link", {
          address: 'fe80::f816:3eff:fe30:13',
        }),
        { why: 'an allowed address', from: 'third', ask: 'arp', target: '10.30.0.200', told: { mac: '@far' } },
        { why: 'an allowed address', from: 'third', ask: 'neighbour', target: 'fd00:30::200', told: { mac: '@far' } },
        { why: 'an allowed address, in another network', from: 'x', ask: 'arp', target: '10.30.0.200', told: null },
        ...both('a', 'far', 'tcp/80', 'answered', 'what is for one'),
      ],
    },
    {
      when: 'a host has one port less, and another none any more',
      change: async (site) => {
        for (const each of ['near', 'third', 'free'])
          await site.request('DELETE', `/v2.0/ports/${site.vm(each).port.id}`);
      },
      cases: [
        ...toAll(30, 'a', ['far'], 'udp/999', 'without those that went'),
        ...toAll(30, 'far', ['a', 'narrow'], 'udp/7', 'without those that went'),
      ],
    },
  ],
};
