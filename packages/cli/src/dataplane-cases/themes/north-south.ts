/** Out of the region and in: provider networks, floating IPs, routers' gateways with translation and without, forwarded ports. */
import { all, both, type Case, type Exchange, on } from '../case.ts';
import type { Theme } from '../run.ts';
import { externalVlan, provider, updateHost } from '../provider.ts';
import { everything } from '../rules.ts';
import type { Site } from '../site.ts';

const open = { groups: ['open'] };
const hops = { hops: 1 };
/** The first gateway host is the third; what leaves there does not cross before. */
const GATEWAY = '10.200.0.50';
const OTHER_GATEWAY = '10.200.0.51';
const FLOATING = '10.200.0.60';
const SECOND = '10.200.0.61';
const FORWARDED = '10.200.0.70';
const FAR = '198.51.100.7';
const FAR6 = '2001:db8:5::7';
const toGateway = (from: number, to = 3) => ({ crosses: [{ from, to }] });
const direct = { crosses: [] };

/** Of the external network, in bytes: guests' own is 1,400. */
const OUTER_MTU = 1_300;

const ids = new Map<string, string>();

/** To a machine beyond the external network, which sees this address. */
function out(from: string, seenFrom: string, why: string, more: Partial<Exchange>): Case[] {
  return (['icmp', 'udp/53', 'tcp/80'] as const).map((traffic) =>
    on(4, from, 'out', traffic, 'answered', why, { address: FAR, seenFrom, ...hops, ...more }),
  );
}

/** What the external network just takes, and what it does not; the limits are those of UDP's data. */
function outLarge(from: string, seenFrom: string, more: Partial<Exchange>): Case[] {
  const why = 'smaller packets outside';
  const error = { error: 'too large', mtu: OUTER_MTU } as const;
  const [most, most6] = [OUTER_MTU - 28, OUTER_MTU - 48];
  const [far, far6] = [{ address: FAR }, { address: FAR6 }];
  return [
    on(4, from, 'out', 'udp/53', 'answered', why, { ...far, bytes: most, seenFrom, ...hops, ...more }),
    on(4, from, 'out', 'udp/53', { ...error, from: '10.201.0.1' }, why, { ...far, bytes: most + 1, ...direct }),
    on(6, from, 'out', 'udp/53', 'answered', why, {
      ...far6,
      bytes: most6,
      ...hops,
      ...toGateway(from === 'b' ? 2 : 1),
    }),
    on(6, from, 'out', 'udp/53', { ...error, from: 'fd00:201::1' }, why, { ...far6, bytes: most6 + 1, ...direct }),
  ];
}

/** From outside to an address that leads to a VM, or nowhere. */
function into(to: string, address: string, outcome: Exchange['outcome'], why: string, more: Partial<Exchange>): Case[] {
  return (['icmp', 'udp/53', 'tcp/22'] as const).map((traffic) =>
    on(4, 'out', to, traffic, outcome, why, { address, ...hops, ...more }),
  );
}

/** From one guest of the router to another, by an address outside. */
function within(
  from: string,
  to: string,
  address: string,
  seenFrom: string,
  why: string,
  more: Partial<Exchange>,
): Case[] {
  return (['icmp', 'udp/53', 'tcp/80'] as const).map((traffic) =>
    on(4, from, to, traffic, 'answered', why, { address, seenFrom, hops: 2, ...more }),
  );
}

async function floating(site: Site, name: string, ip: string, port?: string): Promise<void> {
  const { floatingip } = await site.request<{ floatingip: { id: string } }>('POST', '/v2.0/floatingips', {
    floatingip: {
      floating_network_id: site.networks.get('ext')!.id,
      floating_ip_address: ip,
      project_id: site.project('one'),
      ...(port === undefined ? {} : { port_id: site.vm(port).port.id }),
    },
  });
  ids.set(name, floatingip.id);
}

function associate(site: Site, name: string, port: string | null): Promise<unknown> {
  const port_id = port === null ? null : site.vm(port).port.id;
  return site.request('PUT', `/v2.0/floatingips/${ids.get(name)}`, { floatingip: { port_id } });
}

function external(site: Site, v4: string, v6: string): object {
  const [four, six] = site.networks.get('ext')!.subnets;
  return {
    external_gateway_info: {
      network_id: site.networks.get('ext')!.id,
      external_fixed_ips: [
        { subnet_id: four!.id, ip_address: v4 },
        { subnet_id: six!.id, ip_address: v6 },
      ],
    },
  };
}

async function forward(site: Site, port: string, fields: object): Promise<void> {
  const path = `/v2.0/floatingips/${ids.get('forwarded')}/port_forwardings`;
  const { port: of, addresses } = site.vm(port);
  const port_forwarding = { internal_port_id: of.id, internal_ip_address: addresses[4], ...fields };
  const made = await site.request<{ port_forwarding: { id: string } }>('POST', path, { port_forwarding });
  ids.set('forwarding', made.port_forwarding.id);
}

export const northSouth: Theme = {
  name: 'north-south: provider networks, floating IPs, gateways, forwarded ports',
  short: 'ns',
  async build(site) {
    await site.group('open', everything);
    await site.group('open2', everything, {}, 'two');
    await site.network('flat', 202, { segment: provider() });
    await site.network('vlan', 203, { segment: provider(103) });
    await site.network('ext', 200, {
      v4: { enable_dhcp: false },
      segment: { ...externalVlan(101), mtu: OUTER_MTU },
    });
    await site.network('t', 201);
    await site.network('u', 201, { project: 'two' });
    await updateHost(site, 3, { gateway: true });
    ids.set('router', await site.router('south', ['t'], external(site, GATEWAY, 'fd00:200::50')));
    await site.router('theirs', ['u'], external(site, OTHER_GATEWAY, 'fd00:200::51'), 'two');
    await site.plug({
      p1: { host: 1, network: 'flat', number: 11, ...open },
      p2: { host: 2, network: 'flat', number: 12, ...open },
      q1: { host: 1, network: 'vlan', number: 11, ...open },
      q2: { host: 2, network: 'vlan', number: 12, ...open },
      e: { host: 2, network: 'ext', number: 99, ...open },
      a: { host: 1, network: 't', number: 11, ...open },
      b: { host: 2, network: 't', number: 12, ...open },
      b1: { host: 1, network: 't', number: 14, ...open },
      c: { host: 3, network: 't', number: 13, ...open },
      x: { host: 2, network: 'u', number: 12, groups: ['open2'] },
    });
    await site.outside('pout', 'flat', { number: 99 });
    await site.outside('qout', 'vlan', { vlan: 103, number: 99 });
    await site.outside('out', 'ext', {
      vlan: 101,
      also: [`${FAR}/32`, `${FAR6}/128`],
      routes: [`10.201.0.0/24 via ${GATEWAY}`, 'fd00:201::/64 via fd00:200::50'],
    });
    await floating(site, 'first', FLOATING, 'a');
  },
  stages: [
    {
      when: 'as made',
      cases: [
        ...all('p1', 'p2', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'flat, by the wire', direct),
        ...all('q1', 'q2', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'VLAN, by the wire', direct),
        ...all('p1', 'pout', ['icmp', 'tcp/80', 'udp/53'], 'answered', 'flat, to a machine that is no VM', direct),
        ...all('pout', 'p2', ['icmp', 'tcp/80'], 'answered', 'flat, from a machine that is no VM', direct),
        ...all('q2', 'qout', ['icmp', 'tcp/80'], 'answered', 'VLAN, to a machine that is no VM', direct),
        ...all('qout', 'q1', ['icmp', 'udp/53'], 'answered', 'VLAN, from a machine that is no VM', direct),
        ...both('p1', 'q1', 'icmp', 'lost', 'two provider networks', direct),
        ...both('qout', 'p1', 'icmp', 'lost', 'another tag', direct),
        ...all('e', 'out', ['icmp', 'tcp/80'], 'answered', 'a VM on the external network itself', direct),
        ...out('b', GATEWAY, 'by the gateway host', toGateway(2)),
        ...out('b1', GATEWAY, 'by the gateway host', toGateway(1)),
        ...out('c', GATEWAY, 'on the gateway host', direct),
        ...out('x', OTHER_GATEWAY, "another tenant's, with the same address", toGateway(2)),
        on(6, 'b', 'out', 'icmp', 'answered', 'IPv6 as it is', { address: FAR6, ...hops, ...toGateway(2) }),
        on(6, 'c', 'out', 'tcp/80', 'answered', 'IPv6 as it is', { address: FAR6, ...hops, ...direct }),
        on(6, 'out', 'b', 'tcp/80', 'answered', 'IPv6 from outside', { ...hops, crosses: [{ from: 3, to: 2 }] }),
        on(4, 'b', 'out', 'udp/9', 'answered', 'the next hop itself', { seenFrom: GATEWAY, ...hops, ...toGateway(2) }),
        ...out('a', FLOATING, 'as a floating IP', direct),
        ...outLarge('b', GATEWAY, toGateway(2)),
        ...outLarge('a', FLOATING, direct),
        ...into('a', FLOATING, 'answered', 'a floating IP', direct),
        ...within('b', 'a', FLOATING, GATEWAY, 'a floating IP of its own router', toGateway(2)),
        ...within('b1', 'a', FLOATING, GATEWAY, 'a floating IP of its own router', toGateway(1)),
        ...within('c', 'a', FLOATING, GATEWAY, 'a floating IP of its own router', direct),
        on(4, 'out', 'a', 'tcp/443', 'answered', 'a connection to be kept', {
          address: FLOATING,
          keep: 'in',
          ...hops,
          ...direct,
        }),
        on(4, 'out', 'b', 'udp/53', 'stopped', 'behind translation', direct),
        on(4, 'out', 'b', 'tcp/22', 'stopped', 'behind translation', direct),
        on(4, 'out', [], 'icmp', 'answered', "the gateway's own address", { address: GATEWAY, ...direct }),
        on(4, 'out', [], 'udp/53', 'stopped', 'a gateway is no host', { address: GATEWAY, ...direct }),
        on(6, 'out', [], 'icmp', 'answered', 'a router by its address inside', { address: 'fd00:201::1', ...direct }),
        on(4, 'out', [], 'icmp', 'stopped', 'a router behind translation', { address: '10.201.0.1', ...direct }),
        on(4, 'b', [], 'icmp', 'answered', "its gateway's outer address", { address: GATEWAY, ...direct }),
        ...both('a', 'b', 'icmp', 'answered', 'within the network'),
        { why: "a gateway's address", from: 'out', ask: 'neighbour', target: 'fd00:200::50', told: { isRouter: true } },
        { why: "a gateway's address", from: 'out', ask: 'arp', target: GATEWAY, told: {} },
        { why: 'a floating IP', from: 'out', ask: 'arp', target: FLOATING, told: {} },
        { why: "nobody's address", from: 'out', ask: 'neighbour', target: 'fd00:200::77', told: null },
      ],
    },
    {
      when: 'a second floating IP',
      change: (site) => floating(site, 'second', SECOND, 'b'),
      cases: [
        ...into('b', SECOND, 'answered', 'a floating IP', direct),
        ...out('b', SECOND, 'as a floating IP', direct),
        on(4, 'a', 'b', 'tcp/80', 'answered', 'between floating IPs', {
          address: SECOND,
          seenFrom: FLOATING,
          hops: 2,
          ...direct,
        }),
        on(4, 'b', 'a', 'udp/53', 'answered', 'between floating IPs', {
          address: FLOATING,
          seenFrom: SECOND,
          hops: 2,
          ...direct,
        }),
        on(4, 'x', 'a', 'tcp/80', 'answered', "to another tenant's floating IP", {
          address: FLOATING,
          seenFrom: OTHER_GATEWAY,
          hops: 2,
          ...toGateway(2),
        }),
        on(4, 'e', 'a', 'icmp', 'answered', 'from the external network itself', {
          address: FLOATING,
          ...hops,
          ...direct,
        }),
        on(4, 'e', 'b', 'icmp', 'answered', 'from the external network itself', {
          address: SECOND,
          ...hops,
          ...direct,
        }),
      ],
    },
    {
      when: 'the first floating IP stands for nobody',
      change: (site) => associate(site, 'first', null),
      cases: [
        on(4, 'out', 'a', 'tcp/443', 'lost', 'a connection that it carried', { on: 'in', ...direct }),
        ...into('a', FLOATING, 'lost', 'nobody any more', direct),
        ...out('a', GATEWAY, 'by the gateway host', toGateway(1)),
      ],
    },
    {
      when: 'the first floating IP stands for another port',
      change: (site) => associate(site, 'first', 'c'),
      cases: [
        ...into('c', FLOATING, 'answered', 'another port', direct),
        ...out('c', FLOATING, 'as a floating IP', direct),
        ...into('b', SECOND, 'answered', 'what was before', direct),
      ],
    },
    {
      when: 'ports of a floating IP are forwarded',
      change: async (site) => {
        await associate(site, 'second', null);
        await floating(site, 'forwarded', FORWARDED);
        await forward(site, 'b', {
          protocol: 'udp',
          external_port_range: '1000:1099',
          internal_port_range: '1000:1099',
        });
        await forward(site, 'a', { protocol: 'tcp', external_port_range: '2000:2002', internal_port_range: '22:24' });
        await forward(site, 'b', { protocol: 'tcp', external_port: 8080, internal_port: 80 });
      },
      cases: [
        on(4, 'out', 'b', 'tcp/8080', 'answered', 'to another port', {
          address: FORWARDED,
          at: 80,
          keep: 'forwarded',
          ...hops,
          crosses: [{ from: 3, to: 2 }],
        }),
        on(4, 'out', 'b', 'udp/1042', 'answered', 'a range as it is', {
          address: FORWARDED,
          ...hops,
          crosses: [{ from: 3, to: 2 }],
        }),
        on(4, 'out', 'a', 'tcp/2001', 'answered', 'a range to another', {
          address: FORWARDED,
          at: 23,
          ...hops,
          crosses: [{ from: 3, to: 1 }],
        }),
        on(4, 'out', 'b', 'tcp/81', 'stopped', 'a port that is not forwarded', { address: FORWARDED, ...direct }),
        on(4, 'out', 'b', 'udp/1100', 'stopped', 'a port that is not forwarded', { address: FORWARDED, ...direct }),
        ...out('b', GATEWAY, 'its own connections', toGateway(2)),
        on(4, 'a', 'b', 'tcp/8080', 'answered', 'by its own router', {
          address: FORWARDED,
          at: 80,
          seenFrom: GATEWAY,
          hops: 2,
          crosses: [
            { from: 1, to: 3 },
            { from: 3, to: 2 },
          ],
        }),
        on(4, 'b1', 'b', 'udp/1042', 'answered', 'by its own router', {
          address: FORWARDED,
          seenFrom: GATEWAY,
          hops: 2,
          crosses: [
            { from: 1, to: 3 },
            { from: 3, to: 2 },
          ],
        }),
        on(4, 'c', 'a', 'tcp/2001', 'answered', 'by its own router, from a floating IP', {
          address: FORWARDED,
          at: 23,
          seenFrom: FLOATING,
          hops: 2,
          crosses: [{ from: 3, to: 1 }],
        }),
        on(4, 'a', [], 'tcp/81', 'stopped', 'a port that is not forwarded', { address: FORWARDED, ...toGateway(1) }),
      ],
    },
    {
      when: 'one port less is forwarded',
      change: (site) =>
        site.request('DELETE', `/v2.0/floatingips/${ids.get('forwarded')}/port_forwardings/${ids.get('forwarding')}`),
      cases: [
        on(4, 'out', 'b', 'tcp/8080', 'lost', 'a connection that it carried', { on: 'forwarded', ...direct }),
        on(4, 'out', 'b', 'tcp/8080', 'stopped', 'not any more', { address: FORWARDED, ...direct }),
        on(4, 'out', 'a', 'tcp/2002', 'answered', 'what is left', {
          address: FORWARDED,
          at: 24,
          ...hops,
          crosses: [{ from: 3, to: 1 }],
        }),
      ],
    },
    {
      when: 'another gateway host',
      change: async (site) => {
        await updateHost(site, 2, { gateway: true });
        await updateHost(site, 3, { draining: true });
      },
      cases: [
        ...out('a', GATEWAY, 'by the other gateway host', toGateway(1, 2)),
        ...out('b', GATEWAY, 'on the gateway host', direct),
        on(6, 'out', 'a', 'tcp/80', 'answered', 'IPv6 from outside', { ...hops, crosses: [{ from: 2, to: 1 }] }),
        on(4, 'out', 'a', 'tcp/2002', 'answered', 'what is forwarded', {
          address: FORWARDED,
          at: 24,
          ...hops,
          crosses: [{ from: 2, to: 1 }],
        }),
        ...into('c', FLOATING, 'answered', 'a floating IP', direct),
      ],
    },
    {
      when: 'without translation',
      change: async (site) => {
        await updateHost(site, 3, { draining: false, gateway: false });
        const { external_gateway_info: info } = external(site, GATEWAY, 'fd00:200::50') as {
          external_gateway_info: object;
        };
        const router = { external_gateway_info: { ...info, enable_snat: false } };
        await site.request('PUT', `/v2.0/routers/${ids.get('router')}`, { router });
      },
      cases: [
        ...out('a', '10.201.0.11', 'as it is', toGateway(1, 2)),
        on(4, 'out', 'a', 'udp/53', 'answered', 'from outside', { ...hops, crosses: [{ from: 2, to: 1 }] }),
        on(4, 'out', 'a', 'tcp/80', 'answered', 'from outside', { ...hops, crosses: [{ from: 2, to: 1 }] }),
        ...out('x', OTHER_GATEWAY, "the other tenant's as it was", direct),
        on(4, 'out', [], 'icmp', 'answered', 'a router by its address inside', { address: '10.201.0.1', ...direct }),
        on(4, 'b1', [], 'tcp/81', 'stopped', 'a port that is not forwarded', {
          address: FORWARDED,
          ...toGateway(1, 2),
        }),
        ...out('c', FLOATING, 'a floating IP as it was', direct),
      ],
    },
  ],
};
