/** Routers that follow FTP and TFTP to the connections that their servers open, out of the region and in by forwarded ports. */
import { on, type Transfer } from '../case.ts';
import { externalVlan, gatewaysOn } from '../provider.ts';
import { everything } from '../rules.ts';
import type { Theme } from '../run.ts';
import type { Site } from '../site.ts';

const open = { groups: ['open'] };
/** Longer than the guest's addresses, so that what is rewritten in the connection becomes longer, too. */
const GATEWAY = '10.220.0.150';
const FORWARDED = '10.220.0.170';
/** Where servers listen that are found elsewhere than the standards say. */
const [OTHER_FTP, OTHER_TFTP] = [2121, 6969];

const ids = new Map<string, string>();

async function helper(site: Site, name: 'ftp' | 'tftp', port: number): Promise<void> {
  const path = `/v2.0/routers/${ids.get('router')}/conntrack_helpers`;
  const conntrack_helper = { helper: name, protocol: name === 'ftp' ? 'tcp' : 'udp', port };
  const made = await site.request<{ conntrack_helper: { id: string } }>('POST', path, { conntrack_helper });
  ids.set(`${name}/${port}`, made.conntrack_helper.id);
}

function forward(site: Site, protocol: string, port: number): Promise<unknown> {
  const { port: of, addresses } = site.vm('b');
  const port_forwarding = {
    protocol,
    internal_port_id: of.id,
    internal_ip_address: addresses[4],
    external_port: port,
    internal_port: port,
  };
  return site.request('POST', `/v2.0/floatingips/${ids.get('forwarded')}/port_forwardings`, { port_forwarding });
}

function outward(fetch: Transfer['fetch'], port: number, comes: boolean, why: string): Transfer {
  return { why, from: 'b', to: 'out', fetch, port, comes };
}

function inward(fetch: Transfer['fetch'], port: number, comes: boolean, why: string): Transfer {
  return { why, from: 'out', to: 'b', fetch, port, comes, address: FORWARDED };
}

const plain = on(4, 'b', 'out', 'tcp/80', 'answered', 'what no helper is for', {
  seenFrom: GATEWAY,
  hops: 1,
  crosses: [{ from: 2, to: 3 }],
});

export const conntrackHelpers: Theme = {
  name: 'conntrack helpers',
  short: 'ch',
  async build(site) {
    await site.group('open', everything);
    const { id, subnets } = await site.network('ext', 220, { v4: { enable_dhcp: false }, segment: externalVlan(120) });
    await site.network('t', 221);
    await gatewaysOn(site, [3]);
    const external_fixed_ips = [{ subnet_id: subnets[0]!.id, ip_address: GATEWAY }];
    const external_gateway_info = { network_id: id, external_fixed_ips };
    ids.set('router', await site.router('out', ['t'], { external_gateway_info }));
    await site.plug({ b: { host: 2, network: 't', number: 12, ...open } });
    await site.outside('out', 'ext', { vlan: 120, number: 99 });
    const { floatingip } = await site.request<{ floatingip: { id: string } }>('POST', '/v2.0/floatingips', {
      floatingip: { floating_network_id: id, floating_ip_address: FORWARDED, project_id: site.project('one') },
    });
    ids.set('forwarded', floatingip.id);
    for (const port of [21, OTHER_FTP]) await forward(site, 'tcp', port);
    for (const port of [69, OTHER_TFTP]) await forward(site, 'udp', port);
  },
  stages: [
    {
      when: 'without helpers',
      cases: [
        outward('ftp', 21, false, 'the server cannot connect to the client'),
        outward('ftp-passive', 21, true, 'the client connects twice'),
        outward('tftp', 69, false, 'the server answers from another port'),
        inward('ftp-passive', 21, false, 'the client cannot connect to the server once more'),
        plain,
      ],
    },
    {
      when: 'with helpers',
      async change(site) {
        for (const port of [21, OTHER_FTP]) await helper(site, 'ftp', port);
        for (const port of [69, OTHER_TFTP]) await helper(site, 'tftp', port);
      },
      cases: [
        outward('ftp', 21, true, 'the server connects to the client'),
        outward('ftp-passive', 21, true, 'the client connects twice'),
        outward('tftp', 69, true, 'the server answers from another port'),
        outward('ftp', OTHER_FTP, true, 'on another port'),
        outward('tftp', OTHER_TFTP, true, 'on another port'),
        outward('ftp', 2122, false, 'on a port that no helper is for'),
        inward('ftp', 21, true, 'the server connects to the client outside'),
        inward('ftp-passive', 21, true, 'the client connects to the server once more'),
        inward('ftp-passive', OTHER_FTP, true, 'on another port'),
        inward('ftp-passive', OTHER_FTP, true, 'on another port, by two clients at once'),
        inward('tftp', 69, true, 'the server answers from another port'),
        inward('tftp', OTHER_TFTP, true, 'on another port'),
        plain,
      ],
    },
    {
      when: 'with one helper less',
      change: (site) =>
        site.request('DELETE', `/v2.0/routers/${ids.get('router')}/conntrack_helpers/${ids.get('tftp/69')}`),
      cases: [
        outward('tftp', 69, false, 'not any more'),
        outward('tftp', OTHER_TFTP, true, 'what is left'),
        outward('ftp', 21, true, 'what is left'),
      ],
    },
  ],
};
