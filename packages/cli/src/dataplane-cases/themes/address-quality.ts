/** QoS policies of floating IPs, of routers' gateways, and of the external network for who has none of its own. */
import { burst, on } from '../case.ts';
import { externalVlan, gatewaysOn } from '../provider.ts';
import { bandwidth, everything, mark } from '../rules.ts';
import type { Theme } from '../run.ts';
import type { Site } from '../site.ts';

const open = { groups: ['open'] };
const hops = { hops: 1 };
const GATEWAY = '10.210.0.50';
const FIRST = '10.210.0.60';
const SECOND = '10.210.0.61';
const FORWARDED = '10.210.0.70';
const [here, there] = [{ crosses: [] }, { crosses: [{ from: 2, to: 3 }] }];
/** That bursts are sent to. */
const PORT = 7_000;

const ids = new Map<string, string>();

async function floating(site: Site, ip: string, fields: object): Promise<void> {
  const { floatingip } = await site.request<{ floatingip: { id: string } }>('POST', '/v2.0/floatingips', {
    floatingip: {
      floating_network_id: site.networks.get('ext')!.id,
      floating_ip_address: ip,
      project_id: site.project('one'),
      ...fields,
    },
  });
  ids.set(ip, floatingip.id);
}

function external(site: Site, policy: string | null) {
  const { id, subnets } = site.networks.get('ext')!;
  return {
    external_gateway_info: {
      network_id: id,
      qos_policy_id: policy === null ? null : site.policyId(policy),
      external_fixed_ips: [
        { subnet_id: subnets[0]!.id, ip_address: GATEWAY },
        { subnet_id: subnets[1]!.id, ip_address: 'fd00:210::50' },
      ],
    },
  };
}

async function forward(site: Site, port: string): Promise<void> {
  const { port: of, addresses } = site.vm(port);
  const port_forwarding = {
    protocol: 'udp',
    internal_port_id: of.id,
    internal_ip_address: addresses[4],
    external_port: PORT,
    internal_port: PORT,
  };
  await site.request('POST', `/v2.0/floatingips/${ids.get(FORWARDED)}/port_forwardings`, { port_forwarding });
}

export const addressQuality: Theme = {
  name: 'QoS policies of floating IPs and gateways',
  short: 'aq',
  async build(site) {
    await site.group('open', everything);
    await site.policy('slow out', [bandwidth('egress', 1_000), mark(46)]);
    await site.policy('slow in', [bandwidth('ingress', 1_000)]);
    await site.policy('gate', [bandwidth('egress', 1_000), mark(10)]);
    await site.policy('marked', [mark(26)]);
    await site.network('ext', 210, { v4: { enable_dhcp: false }, segment: externalVlan(110) });
    await site.network('t', 211);
    await gatewaysOn(site, [3]);
    ids.set('router', await site.router('out', ['t'], external(site, 'gate')));
    await site.plug({
      a: { host: 1, network: 't', number: 11, ...open },
      b: { host: 2, network: 't', number: 12, ...open },
      c: { host: 2, network: 't', number: 13, ...open },
    });
    await site.outside('out', 'ext', { vlan: 110, number: 99, routes: ['fd00:211::/64 via fd00:210::50'] });
    await floating(site, FIRST, { port_id: site.vm('a').port.id, qos_policy_id: site.policyId('slow out') });
    await floating(site, SECOND, { port_id: site.vm('c').port.id, qos_policy_id: site.policyId('slow in') });
  },
  stages: [
    {
      when: 'as made',
      cases: [
        on(4, 'a', 'out', 'udp/53', 'answered', "a floating IP's mark", {
          seenFrom: FIRST,
          dscp: 46,
          ...hops,
          ...here,
        }),
        on(4, 'a', 'out', 'tcp/80', 'answered', "a floating IP's mark", {
          seenFrom: FIRST,
          dscp: 46,
          ...hops,
          ...here,
        }),
        on(4, 'out', 'a', 'udp/53', 'answered', 'no mark inward', { address: FIRST, ...hops, ...here }),
        on(4, 'c', 'out', 'udp/53', 'answered', "not the gateway's mark", { seenFrom: SECOND, ...hops, ...here }),
        on(4, 'b', 'out', 'udp/53', 'answered', "a gateway's mark", { seenFrom: GATEWAY, dscp: 10, ...hops, ...there }),
        on(4, 'b', 'out', 'icmp', 'answered', "a gateway's mark", { seenFrom: GATEWAY, dscp: 10, ...hops, ...there }),
        on(6, 'b', 'out', 'udp/53', 'answered', "a gateway's mark", { dscp: 10, ...hops, ...there }),
        on(4, 'a', 'b', 'udp/53', 'answered', 'no mark within the region'),
      ],
    },
    {
      when: 'in bursts',
      cases: [
        burst('a', 'out', 4, true, 'beyond what a floating IP may send'),
        burst('out', 'a', 4, false, 'received, where sending is limited', { address: FIRST }),
        burst('out', 'c', 4, true, 'beyond what a floating IP may be sent', { address: SECOND }),
        burst('c', 'out', 4, false, 'sent, where receiving is limited'),
        burst('b', 'out', 4, true, 'beyond what a gateway may send'),
        burst('a', 'b', 4, false, 'within the region'),
      ],
    },
    { when: 'in bursts of IPv6', cases: [burst('b', 'out', 6, true, 'beyond what a gateway may send')] },
    {
      when: 'with forwarded ports',
      async change(site) {
        await floating(site, FORWARDED, { qos_policy_id: site.policyId('slow in') });
        await forward(site, 'b');
      },
      cases: [burst('out', 'b', 4, true, 'beyond what a floating IP may be sent', { address: FORWARDED })],
    },
    {
      when: 'without policies of their own, and with one of their network',
      async change(site) {
        for (const ip of [FIRST, SECOND])
          await site.request('PUT', `/v2.0/floatingips/${ids.get(ip)}`, { floatingip: { qos_policy_id: null } });
        await site.request('PUT', `/v2.0/routers/${ids.get('router')}`, { router: external(site, null) });
        await site.updateNetwork('ext', { qos_policy_id: site.policyId('marked') });
      },
      cases: [
        on(4, 'a', 'out', 'udp/53', 'answered', "the network's mark", { seenFrom: FIRST, dscp: 26, ...hops, ...here }),
        on(4, 'b', 'out', 'udp/53', 'answered', "the network's mark", {
          seenFrom: GATEWAY,
          dscp: 26,
          ...hops,
          ...there,
        }),
        burst('a', 'out', 4, false, 'no limit of a floating IP any more'),
        burst('b', 'out', 4, false, 'no limit of a gateway any more'),
        burst('out', 'c', 4, false, 'no limit of a floating IP any more', { address: SECOND }),
      ],
    },
    {
      when: 'without any policy',
      change: (site) => site.updateNetwork('ext', { qos_policy_id: null }),
      cases: [
        on(4, 'a', 'out', 'udp/53', 'answered', 'no mark', { seenFrom: FIRST, ...hops, ...here }),
        on(4, 'b', 'out', 'udp/53', 'answered', 'no mark', { seenFrom: GATEWAY, ...hops, ...there }),
      ],
    },
  ],
};
