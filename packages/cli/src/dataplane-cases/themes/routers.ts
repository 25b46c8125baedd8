/** Routers: between networks, to themselves, by routes, and those of two tenants. */
import { all, both, type Case, type Exchange, on } from '../case.ts';
import type { Theme } from '../run.ts';
import { everything } from '../rules.ts';
import type { Site } from '../site.ts';

const open = { groups: ['open'] };
const hops = { hops: 1 };
/** The MTU of the network of that name, in bytes: guests' own is 1,400. */
const NARROW = 1_300;
let main = '';

/** To an address of the network itself. */
function toNetwork(
  from: string,
  v4: string,
  v6: string,
  traffic: Exchange['traffic'],
  outcome: Exchange['outcome'],
  why: string,
): Case[] {
  return [
    on(4, from, [], traffic, outcome, why, { address: v4 }),
    on(6, from, [], traffic, outcome, why, { address: v6 }),
  ];
}

function expired(from: string, to: string, v4: string, v6: string): Case[] {
  return (['icmp', 'udp/9'] as const).flatMap((traffic) => [
    on(4, from, to, traffic, { error: 'ttl exceeded', from: v4 }, 'no hop left', { ttl: 1 }),
    on(6, from, to, traffic, { error: 'ttl exceeded', from: v6 }, 'no hop left', { ttl: 1 }),
  ]);
}

/** Into a network whose packets are smaller; the limits are those of UDP's data. */
function tooLarge(from: string, to: string, v4: string, v6: string, passed = 1): Case[] {
  const why = 'smaller packets in the next network';
  const error = { error: 'too large', mtu: NARROW } as const;
  const [most, most6] = [NARROW - 28, NARROW - 48];
  return [
    on(4, from, to, 'udp/53', 'answered', why, { hops: passed, bytes: most }),
    on(4, from, to, 'udp/53', { ...error, from: v4 }, why, { bytes: most + 1 }),
    on(6, from, to, 'udp/53', 'answered', why, { hops: passed, bytes: most6 }),
    on(6, from, to, 'udp/53', { ...error, from: v6 }, why, { bytes: most6 + 1 }),
  ];
}

async function twoRouters(site: Site): Promise<void> {
  await site.network('transit', 9);
  await site.network('behind', 10);
  const [v4, v6] = site.networks.get('transit')!.subnets;
  const second = await site.router('second', ['behind']);
  const body = {
    network_id: site.networks.get('transit')!.id,
    fixed_ips: [
      { subnet_id: v4!.id, ip_address: '10.9.0.2' },
      { subnet_id: v6!.id, ip_address: 'fd00:9::2' },
    ],
  };
  const { port } = await site.request<{ port: { id: string } }>('POST', '/v2.0/ports', { port: body });
  await site.request('PUT', `/v2.0/routers/${second}/add_router_interface`, { port_id: port.id });
  const back = [
    { destination: '10.5.0.0/24', nexthop: '10.9.0.1' },
    { destination: '10.18.0.0/24', nexthop: '10.9.0.1' },
    { destination: 'fd00:5::/64', nexthop: 'fd00:9::1' },
    { destination: 'fd00:18::/64', nexthop: 'fd00:9::1' },
  ];
  await site.request('PUT', `/v2.0/routers/${second}`, { router: { routes: back } });
}

const toBehind = [
  { destination: '10.10.0.0/24', nexthop: '10.9.0.2' },
  { destination: 'fd00:10::/64', nexthop: 'fd00:9::2' },
];
const toB = [
  { destination: '10.77.0.0/16', nexthop: '10.6.0.12' },
  { destination: 'fd77::/64', nexthop: 'fd00:6::12' },
];

export const routers: Theme = {
  name: 'routers: two families, hops, routes, two tenants',
  short: 'rt',
  async build(site) {
    await site.group('open', everything);
    await site.group('open2', everything, {}, 'two');
    for (const [name, n] of [
      ['n5', 5],
      ['n6', 6],
      ['n7', 7],
      ['alone', 8],
    ] as const)
      await site.network(name, n);
    for (const [name, n] of [
      ['m5', 5],
      ['m6', 6],
    ] as const)
      await site.network(name, n, { project: 'two' });
    await twoRouters(site);
    await site.network('narrow', 18, { segment: { mtu: NARROW } });
    main = await site.router('main', ['n5', 'n6', 'n7', 'transit', 'narrow']);
    await site.router('theirs', ['m5', 'm6'], {}, 'two');
    const pairs = ['10.77.0.0/16', 'fd77::/64'].map((ip_address) => ({ ip_address }));
    await site.plug({
      a: { host: 1, network: 'n5', number: 11, ...open },
      b: {
        host: 2,
        network: 'n6',
        number: 12,
        ...open,
        port: { allowed_address_pairs: pairs },
        also: ['10.77.0.1/32', 'fd77::1/128'],
      },
      b1: { host: 1, network: 'n6', number: 13, ...open },
      c: { host: 3, network: 'n7', number: 14, ...open },
      w: { host: 2, network: 'narrow', number: 18, ...open },
      w1: { host: 1, network: 'narrow', number: 19, ...open },
      d: { host: 1, network: 'alone', number: 15, ...open },
      e: { host: 2, network: 'behind', number: 16, ...open },
      e1: { host: 1, network: 'behind', number: 17, ...open },
      x: { host: 1, network: 'm5', number: 11, groups: ['open2'] },
      y: { host: 2, network: 'm6', number: 12, groups: ['open2'] },
    });
  },
  stages: [
    {
      when: 'as made',
      cases: [
        ...all('a', 'b', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'to another network, on another host', hops),
        ...all('a', 'b1', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'to another network, on the same host', hops),
        ...all('c', 'b', ['icmp', 'tcp/443'], 'answered', 'two others', hops),
        ...all('b', 'a', ['icmp', 'tcp/22'], 'answered', 'the way back', hops),
        ...all('x', 'y', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'the other tenant, with the same addresses', hops),
        ...both('a', 'b', 'icmp', 'answered', 'two hops left', { ...hops, ttl: 2 }),
        ...expired('a', 'b', '10.5.0.1', 'fd00:5::1'),
        ...expired('x', 'y', '10.5.0.1', 'fd00:5::1'),
        ...all('a', 'w', ['icmp', 'tcp/80'], 'answered', 'to where packets are smaller', hops),
        ...tooLarge('a', 'w', '10.5.0.1', 'fd00:5::1'),
        ...tooLarge('a', 'w1', '10.5.0.1', 'fd00:5::1'),
        ...both('a', 'b', 'udp/53', 'answered', 'where packets are as large', { ...hops, bytes: NARROW }),
        ...toNetwork('a', '10.5.0.1', 'fd00:5::1', 'icmp', 'answered', 'its gateway'),
        ...toNetwork('a', '10.6.0.1', 'fd00:6::1', 'icmp', 'answered', "the router's other address"),
        ...toNetwork('x', '10.6.0.1', 'fd00:6::1', 'icmp', 'answered', "the other tenant's router"),
        ...toNetwork('a', '10.5.0.1', 'fd00:5::1', 'tcp/22', 'stopped', 'a router is no host'),
        ...toNetwork('a', '10.6.0.1', 'fd00:6::1', 'udp/53', 'stopped', 'a router is no host'),
        on(4, 'a', [], 'icmp', { error: 'no route', from: '10.5.0.1' }, 'nowhere', { address: '192.0.2.9' }),
        on(6, 'a', [], 'icmp', { error: 'no route', from: 'fd00:5::1' }, 'nowhere', { address: '2001:db8::9' }),
        on(4, 'a', [], 'udp/9', { error: 'no route', from: '10.5.0.1' }, 'nowhere', { address: '192.0.2.9' }),
        on(6, 'a', [], 'udp/9', { error: 'no route', from: 'fd00:5::1' }, 'nowhere', { address: '2001:db8::9' }),
        on(4, 'x', [], 'icmp', { error: 'no route', from: '10.5.0.1' }, "the first tenant's third network", {
          address: '10.7.0.14',
        }),
        on(6, 'x', [], 'icmp', { error: 'no route', from: 'fd00:5::1' }, "the first tenant's third network", {
          address: 'fd00:7::e',
        }),
        ...toNetwork('a', '10.6.0.99', 'fd00:6::99', 'icmp', 'stopped', 'an address that nobody has'),
        ...all('d', 'b', ['icmp', 'tcp/80'], 'unsent', 'from a network without a router'),
        on(4, 'a', 'e', 'icmp', { error: 'no route', from: '10.5.0.1' }, 'no route to there yet'),
        on(4, 'a', 'b', 'icmp', { error: 'no route', from: '10.5.0.1' }, 'no route to there yet', {
          address: '10.77.0.1',
        }),
        { why: 'a gateway is a router', from: 'a', ask: 'neighbour', target: 'fd00:5::1', told: { isRouter: true } },
        { why: "another network's gateway", from: 'a', ask: 'arp', target: '10.6.0.1', told: null },
        { why: 'no router, no gateway', from: 'd', ask: 'arp', target: '10.8.0.1', told: null },
        { why: 'no router, no gateway', from: 'd', ask: 'neighbour', target: 'fd00:8::1', told: null },
      ],
    },
    {
      when: 'with routes',
      change: (site) => site.request('PUT', `/v2.0/routers/${main}`, { router: { routes: [...toB, ...toBehind] } }),
      cases: [
        on(4, 'a', 'b', 'icmp', 'answered', 'by a VM', { address: '10.77.0.1', ...hops }),
        on(6, 'a', 'b', 'icmp', 'answered', 'by a VM', { address: 'fd77::1', ...hops }),
        on(4, 'b1', 'b', 'tcp/80', 'answered', 'by a VM of its own network', { address: '10.77.0.1', ...hops }),
        on(4, 'c', 'b', 'udp/53', 'answered', 'by a VM', { address: '10.77.0.1', ...hops }),
        on(6, 'c', 'b', 'tcp/80', 'answered', 'by a VM', { address: 'fd77::1', ...hops }),
        ...all('a', 'e', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'by another router', { hops: 2 }),
        ...all('a', 'e1', ['icmp', 'tcp/80'], 'answered', 'by another router, on the same host', { hops: 2 }),
        ...both('e', 'a', 'icmp', 'answered', 'by another router, the way back', { hops: 2 }),
        on(4, 'a', 'e', 'icmp', { error: 'ttl exceeded', from: '10.5.0.1' }, 'one hop for two routers', { ttl: 1 }),
        ...tooLarge('e', 'w', '10.9.0.1', 'fd00:9::1', 2),
        ...all('a', 'b', ['icmp', 'tcp/80'], 'answered', 'what was before', hops),
      ],
    },
    {
      when: 'one interface and the routes less',
      change: async (site) => {
        await site.request('PUT', `/v2.0/routers/${main}`, { router: { routes: [] } });
        for (const { id } of site.networks.get('n7')!.subnets)
          await site.request('PUT', `/v2.0/routers/${main}/remove_router_interface`, { subnet_id: id });
      },
      cases: [
        on(4, 'a', 'c', 'icmp', { error: 'no route', from: '10.5.0.1' }, 'no interface'),
        on(6, 'a', 'c', 'icmp', { error: 'no route', from: 'fd00:5::1' }, 'no interface'),
        ...both('c', 'a', 'icmp', 'lost', 'no interface'),
        on(4, 'a', 'b', 'icmp', { error: 'no route', from: '10.5.0.1' }, 'no route', { address: '10.77.0.1' }),
        on(6, 'a', 'e', 'icmp', { error: 'no route', from: 'fd00:5::1' }, 'no route'),
        ...all('a', 'b', ['icmp', 'tcp/80'], 'answered', 'what is left', hops),
      ],
    },
    {
      when: 'the router is administratively down',
      change: (site) => site.request('PUT', `/v2.0/routers/${main}`, { router: { admin_state_up: false } }),
      cases: [
        ...all('a', 'b', ['icmp', 'tcp/80', 'udp/53'], 'lost', 'through it'),
        ...toNetwork('a', '10.5.0.1', 'fd00:5::1', 'icmp', 'lost', 'to itself'),
        ...all('x', 'y', ['icmp', 'tcp/80'], 'answered', "the other tenant's", hops),
        ...both('b1', 'b', 'icmp', 'answered', 'within a network'),
      ],
    },
  ],
};
