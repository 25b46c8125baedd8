/** Gateway hosts that die without a word, lose their switch, and come back; two tenants with the same addresses leave by them. */
import { gatewayOf, type NodeId } from '@alcor/network';
import { agentOf, killSwitch, setCables, startSwitch } from '../../region/testing/host-power.ts';
import { type Case, type Exchange, on } from '../case.ts';
import { externalVlan, gatewaysOn } from '../provider.ts';
import { everything } from '../rules.ts';
import type { Theme } from '../run.ts';
import type { Site } from '../site.ts';

const GATEWAY = '10.210.0.50';
const THEIRS = '10.210.0.51';
const FORWARDED = '10.210.0.70';
const FAR = '198.51.100.9';
const FAR6 = '2001:db8:9::9';
/** One that is back has its share again some ten seconds later; a machine that does much else takes longer. */
const MOVE_MS = 80_000;
const hops = { hops: 1 };
const by = (host: number) => ({ crosses: [{ from: 1, to: host }] });

/** Out of the region, translated. */
function out(from: string, host: number, seenFrom: string): Case[] {
  const way = { ...hops, ...by(host) };
  const more: Partial<Exchange> = { address: FAR, seenFrom, ...way };
  return (['icmp', 'udp/53', 'tcp/80'] as const).map((traffic) =>
    on(4, from, 'out', traffic, 'answered', `by gateway host ${host}`, more),
  );
}

/** Of the first tenant, whose gateway is on that host: out, in by a forwarded port, and in over IPv6. */
function first(host: number): Case[] {
  const inward = { ...hops, crosses: [{ from: host, to: 1 }] };
  return [
    ...out('a', host, GATEWAY),
    on(6, 'a', 'out', 'udp/53', 'answered', `IPv6 by gateway host ${host}`, { address: FAR6, ...hops, ...by(host) }),
    { why: 'its address', from: 'out', ask: 'neighbour', target: 'fd00:210::50', told: { isRouter: true } },
    on(4, 'out', 'a', 'tcp/2000', 'answered', `forwarded by gateway host ${host}`, {
      address: FORWARDED,
      at: 22,
      ...inward,
    }),
    on(6, 'out', 'a', 'tcp/80', 'answered', `IPv6 in by gateway host ${host}`, inward),
  ];
}

const second = (host: number): Case[] => out('x', host, THEIRS);
const apart: readonly Case[] = [
  on(4, 'x', [], 'icmp', 'unsent', "the other tenant's VM", { address: '10.211.0.11' }),
  on(4, 'a', 'b', 'tcp/80', 'answered', 'within the network', {}),
];

/** A router that wants this gateway host more than the other; which one it wants follows from its id. */
async function routerAt(
  site: Site,
  host: number,
  network: string,
  ips: readonly [string, string],
  project: string,
): Promise<string> {
  const ext = site.networks.get('ext')!;
  const external_fixed_ips = ext.subnets.map(({ id }, at) => ({ subnet_id: id, ip_address: ips[at] }));
  const ids = [2, 3].map((n) => site.hosts[n - 1]!.id as NodeId);
  for (;;) {
    const id = await site.router(network, [], {}, project);
    if (gatewayOf(id, ids) !== site.hosts[host - 1]!.id) {
      await site.request('DELETE', `/v2.0/routers/${id}`);
      continue;
    }
    const external_gateway_info = { network_id: ext.id, external_fixed_ips };
    await site.request('PUT', `/v2.0/routers/${id}`, { router: { external_gateway_info } });
    for (const { id: subnet_id } of site.networks.get(network)!.subnets)
      await site.request('PUT', `/v2.0/routers/${id}/add_router_interface`, { subnet_id });
    return id;
  }
}

async function forward(site: Site): Promise<void> {
  const { floatingip } = await site.request<{ floatingip: { id: string } }>('POST', '/v2.0/floatingips', {
    floatingip: {
      floating_network_id: site.networks.get('ext')!.id,
      floating_ip_address: FORWARDED,
      project_id: site.project('one'),
    },
  });
  const { port, addresses } = site.vm('a');
  await site.request('POST', `/v2.0/floatingips/${floatingip.id}/port_forwardings`, {
    port_forwarding: {
      internal_port_id: port.id,
      internal_ip_address: addresses[4],
      protocol: 'tcp',
      external_port: 2000,
      internal_port: 22,
    },
  });
}

export const gatewayFailover: Theme = {
  name: 'gateway hosts that die and come back',
  short: 'go',
  async build(site) {
    await site.group('open', everything);
    await site.group('open2', everything, {}, 'two');
    await site.network('ext', 210, { v4: { enable_dhcp: false }, segment: externalVlan(110) });
    await site.network('t', 211);
    await site.network('u', 211, { project: 'two' });
    await gatewaysOn(site, [2, 3]);
    await routerAt(site, 3, 't', [GATEWAY, 'fd00:210::50'], 'one');
    await routerAt(site, 2, 'u', [THEIRS, 'fd00:210::51'], 'two');
    await site.plug({
      a: { host: 1, network: 't', number: 11, groups: ['open'] },
      b: { host: 1, network: 't', number: 12, groups: ['open'] },
      x: { host: 1, network: 'u', number: 21, groups: ['open2'] },
    });
    await site.outside('out', 'ext', {
      vlan: 110,
      also: [`${FAR}/32`, `${FAR6}/128`],
      // Of two tenants with the same block only one can be reached untranslated.
      routes: ['fd00:211::/64 via fd00:210::50'],
    });
    await forward(site);
  },
  stages: [
    { when: 'as made', cases: [...first(3), ...second(2), ...apart] },
    {
      when: 'the first gateway host is gone without a word: its cables are out, its switch is dead, its agent stands still',
      change: async ({ hosts }) => {
        const host = hosts[2]!;
        setCables(host, 'down');
        process.kill(agentOf(host)!, 'SIGSTOP');
        killSwitch(host);
      },
      withinMs: MOVE_MS,
      cases: [...first(2), ...second(2), ...apart],
    },
    {
      when: 'it is back',
      change: async ({ hosts }) => {
        const host = hosts[2]!;
        process.kill(agentOf(host)!, 'SIGKILL');
        setCables(host, 'up');
        await startSwitch(host, hosts);
      },
      withinMs: MOVE_MS,
      cases: [...first(3), ...second(2), ...apart],
    },
    {
      when: 'the second gateway host loses its switch, and its agent lives',
      change: async ({ hosts }) => killSwitch(hosts[1]!),
      withinMs: MOVE_MS,
      cases: [...first(3), ...second(3), ...apart],
    },
    {
      when: 'that switch is back',
      change: ({ hosts }) => startSwitch(hosts[1]!, hosts),
      withinMs: MOVE_MS,
      cases: [...first(3), ...second(2), ...apart],
    },
  ],
};
