/** NDP proxies: machines outside reach a guest's IPv6 address as if it were on their own link. */
import { type Case, on } from '../case.ts';
import { externalVlan, gatewaysOn } from '../provider.ts';
import { everything } from '../rules.ts';
import type { Theme } from '../run.ts';
import type { Site } from '../site.ts';

const open = { groups: ['open'] };
const ids = new Map<string, string>();
/** The third host has the gateway. */
const byGateway = (to: number) => ({ hops: 1, crosses: to === 3 ? [] : [{ from: 3, to }] });

function into(to: string, host: number, why: string): Case[] {
  return (['icmp', 'udp/53', 'tcp/80'] as const).map((traffic) =>
    on(6, 'out', to, traffic, 'answered', why, byGateway(host)),
  );
}

function nobody(to: string, why: string): Case {
  return on(6, 'out', to, 'icmp', 'unsent', why, { crosses: [] });
}

async function make(site: Site, path: string, singular: string, fields: object): Promise<string> {
  const body = { [singular]: { project_id: site.project('one'), ...fields } };
  const made = await site.request<{ [name: string]: { id: string } }>('POST', `/v2.0/${path}`, body);
  return made[singular]!.id;
}

async function proxy(site: Site, vm: string): Promise<void> {
  const fields = { router_id: ids.get('router'), port_id: site.vm(vm).port.id };
  ids.set(vm, await make(site, 'ndp_proxies', 'ndp_proxy', fields));
}

function allow(site: Site, enable_ndp_proxy: boolean): Promise<unknown> {
  return site.request('PUT', `/v2.0/routers/${ids.get('router')}`, { router: { enable_ndp_proxy } });
}

export const ndpProxies: Theme = {
  name: 'NDP proxies',
  short: 'np',
  async build(site) {
    await site.group('open', everything);
    const address_scope_id = await make(site, 'address-scopes', 'address_scope', { name: 'one', ip_version: 6 });
    const subnetpool_id = await make(site, 'subnetpools', 'subnetpool', {
      name: 'one',
      prefixes: ['fd00:230::/32', 'fd00:231::/32'],
      default_prefixlen: 64,
      address_scope_id,
    });
    const { id, subnets } = await site.network('ext', 230, {
      v4: { enable_dhcp: false },
      v6: { subnetpool_id },
      segment: externalVlan(130),
    });
    await site.network('t', 231, { v6: { subnetpool_id } });
    await gatewaysOn(site, [3]);
    const external_fixed_ips = [{ subnet_id: subnets[1]!.id, ip_address: 'fd00:230::50' }];
    const external_gateway_info = { network_id: id, external_fixed_ips };
    ids.set('router', await site.router('out', ['t'], { external_gateway_info, enable_ndp_proxy: true }));
    await site.plug({
      a: { host: 1, network: 't', number: 11, ...open },
      c: { host: 3, network: 't', number: 13, ...open },
    });
    await site.outside('out', 'ext', { vlan: 130, number: 99, routes: ['fd00:231::/64 dev eth0'] });
  },
  stages: [
    {
      when: 'without proxies',
      cases: [
        nobody('a', 'nobody answers for it'),
        on(6, 'out', [], 'icmp', 'answered', "the gateway's own address", { address: 'fd00:230::50', crosses: [] }),
      ],
    },
    {
      when: 'with a proxy',
      change: (site) => proxy(site, 'a'),
      cases: [...into('a', 1, 'proxied'), nobody('c', 'what is not proxied')],
    },
    {
      when: 'with a proxy for a port on the gateway host',
      change: (site) => proxy(site, 'c'),
      cases: [...into('c', 3, 'proxied, on the gateway host'), ...into('a', 1, 'what was before')],
    },
    {
      when: 'without the proxy again',
      change: (site) => site.request('DELETE', `/v2.0/ndp_proxies/${ids.get('c')}`),
      cases: into('a', 1, 'what is left'),
    },
    {
      when: 'where the router does not proxy any more',
      change: (site) => allow(site, false),
      // The machine remembers for a while who has answered.
      cases: [{ ...nobody('c', 'never asked again'), outcome: 'lost' } as Case],
    },
  ],
};
