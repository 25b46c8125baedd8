/** Two tenants' networks joined: by a router that both are on, and by one between the routers that each has of its own. */
import { all, both, on, type Case, type Exchange } from '../case.ts';
import { everything, portRange, type Rule } from '../rules.ts';
import type { Theme } from '../run.ts';
import type { Site } from '../site.ts';

const open = { groups: ['open'] };
const open2 = { groups: ['open2'] };
const open3 = { groups: ['open3'] };
const once = { hops: 1 };
const twice = { hops: 2 };
const routers = { one: '', two: '', peer: '' };
/** The router between has this address in either network. */
const BETWEEN = 2;

/** A router, the sender's first unless another is named, says that it knows no way; `n`: its network's number. */
function noRoute(from: string, to: string, n: number, why: string, router = 1): Case[] {
  return [
    on(4, from, to, 'icmp', { error: 'no route', from: `10.${n}.0.${router}` }, why),
    on(6, from, to, 'icmp', { error: 'no route', from: `fd00:${n}::${router}` }, why),
  ];
}

/** A port of the network's owner, which is given to the router between. */
async function join(site: Site, network: string, n: number): Promise<void> {
  const { id: network_id, project: project_id, subnets } = site.networks.get(network)!;
  const ips = [`10.${n}.0.${BETWEEN}`, `fd00:${n}::${BETWEEN}`];
  const fixed_ips = subnets.map(({ id }, at) => ({ subnet_id: id, ip_address: ips[at] }));
  const body = { port: { network_id, project_id, fixed_ips } };
  const { port } = await site.request<{ port: { id: string } }>('POST', '/v2.0/ports', body);
  await site.request('PUT', `/v2.0/routers/${routers.peer}/add_router_interface`, { port_id: port.id });
}

/** From the network of number `from` to that of number `to`, by the router between. */
function route(site: Site, router: string, from: number, to: number): Promise<unknown> {
  const routes = [
    { destination: `10.${to}.0.0/24`, nexthop: `10.${from}.0.${BETWEEN}` },
    { destination: `fd00:${to}::/64`, nexthop: `fd00:${from}::${BETWEEN}` },
  ];
  return site.request('PUT', `/v2.0/routers/${router}`, { router: { routes } });
}

const mixed: readonly Exchange['traffic'][] = ['icmp', 'tcp/80', 'udp/53'];
const own: readonly Case[] = [
  ...all('a', 'd', ['icmp', 'tcp/80'], 'answered', "the first tenant's own", once),
  ...all('b', 'e', ['icmp', 'tcp/80'], 'answered', "the second tenant's own", once),
  ...all('x', 'y', mixed, 'answered', 'a third tenant, with the same addresses', once),
];

export const peering: Theme = {
  name: "peering: two tenants' networks joined by routers",
  short: 'pe',
  async build(site) {
    await site.group('open', everything);
    await site.group('open2', everything, {}, 'two');
    await site.group('open3', everything, {}, 'three');
    const https = { direction: 'ingress', protocol: 'tcp', ...portRange(443) } as const;
    const rules: readonly Rule[] = [
      { ...https, family: 4, remote_ip_prefix: '10.30.0.0/24' },
      { ...https, family: 6, remote_ip_prefix: 'fd00:30::/64' },
    ];
    await site.group('web', rules, {}, 'two');
    for (const [name, n, project] of [
      ['red', 30, 'one'],
      ['deep', 32, 'one'],
      ['left', 34, 'one'],
      ['blue', 31, 'two'],
      ['inner', 33, 'two'],
      ['right', 35, 'two'],
      ['red3', 30, 'three'],
      ['blue3', 31, 'three'],
    ] as const)
      await site.network(name, n, { project });
    routers.one = await site.router('one', ['red', 'deep']);
    routers.two = await site.router('two', ['blue', 'inner'], {}, 'two');
    await site.router('three', ['red3', 'blue3'], {}, 'three');
    routers.peer = await site.router('peer', []);
    await site.router('hub', ['left', 'right']);
    await site.plug({
      a: { host: 1, network: 'red', number: 11, ...open },
      a2: { host: 2, network: 'red', number: 12, ...open },
      d: { host: 2, network: 'deep', number: 11, ...open },
      l: { host: 1, network: 'left', number: 11, ...open },
      b: { host: 2, network: 'blue', number: 11, ...open2 },
      b1: { host: 1, network: 'blue', number: 12, ...open2 },
      web: { host: 3, network: 'blue', number: 13, groups: ['web'] },
      e: { host: 3, network: 'inner', number: 11, ...open2 },
      r: { host: 2, network: 'right', number: 11, ...open2 },
      r1: { host: 1, network: 'right', number: 12, ...open2 },
      x: { host: 1, network: 'red3', number: 11, ...open3 },
      y: { host: 2, network: 'blue3', number: 11, ...open3 },
    });
  },
  stages: [
    {
      when: 'as made',
      cases: [
        ...own,
        ...all('l', 'r', mixed, 'answered', 'one router for both, on another host', once),
        ...all('r1', 'l', mixed, 'answered', 'one router for both, on the same host', once),
        ...noRoute('l', 'a', 34, 'the first tenant is in both, and no router is'),
        ...noRoute('r', 'b', 35, 'the second tenant is in both, and no router is'),
        ...noRoute('a', 'b', 30, 'not joined yet'),
        ...noRoute('b', 'a', 31, 'not joined yet'),
      ],
    },
    {
      when: 'joined, and the routers of both know the way',
      change: async (site) => {
        await join(site, 'red', 30);
        await join(site, 'blue', 31);
        await route(site, routers.one, 30, 31);
        await route(site, routers.two, 31, 30);
      },
      cases: [
        ...own,
        ...all('a', 'b', mixed, 'answered', 'to the other tenant, on another host', twice),
        ...all('a', 'b1', mixed, 'answered', 'to the other tenant, on the same host', twice),
        ...all('b1', 'a2', mixed, 'answered', 'from the other tenant', twice),
        ...all('b', 'a', mixed, 'answered', 'from the other tenant', twice),
        ...both('a', 'web', 'tcp/443', 'answered', 'what its group lets in', twice),
        ...all('a', 'web', ['icmp', 'tcp/80', 'udp/443'], 'stopped', 'what its group does not', { ends: 'there' }),
        ...noRoute('a', 'e', 30, 'a network that is not joined'),
        ...noRoute('b', 'd', 31, 'a network that is not joined'),
        ...noRoute('l', 'b', 34, 'of the same tenant, and not joined'),
        ...both('d', 'b', 'udp/53', 'received', 'from behind the first tenant, whom the other has no route to', twice),
        ...noRoute('x', 'e', 30, "the third tenant's routers know of nobody"),
      ],
    },
    {
      when: 'the second tenant knows the way no more',
      change: (site) => site.request('PUT', `/v2.0/routers/${routers.two}`, { router: { routes: [] } }),
      cases: [
        ...own,
        ...noRoute('b', 'a', 31, 'no route'),
        ...both('a', 'b', 'udp/53', 'received', 'there, and not back', twice),
      ],
    },
    {
      when: 'the second tenant has left',
      change: async (site) => {
        const { subnets } = site.networks.get('blue')!;
        for (const { id } of subnets)
          await site.request('PUT', `/v2.0/routers/${routers.peer}/remove_router_interface`, { subnet_id: id });
      },
      cases: [
        ...own,
        ...noRoute('a', 'b', 30, 'to who has left: the router between says so', BETWEEN),
        ...noRoute('b', 'a', 31, 'from who has left'),
        ...all('l', 'r', ['icmp', 'tcp/80'], 'answered', 'others as they were', once),
      ],
    },
  ],
};
