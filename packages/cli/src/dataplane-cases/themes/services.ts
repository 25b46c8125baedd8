/** What the network itself tells its guests: ARP, neighbour discovery, DHCP, router advertisements, names. */
import type { Question } from '../case.ts';
import type { Theme } from '../run.ts';

const stateful = { enable_dhcp: true, ipv6_ra_mode: 'dhcpv6-stateful', ipv6_address_mode: 'dhcpv6-stateful' };
const slaac = { enable_dhcp: true, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
const stateless = { enable_dhcp: true, ipv6_ra_mode: 'dhcpv6-stateless', ipv6_address_mode: 'dhcpv6-stateless' };

function asks(why: string, from: string, ask: Question['ask'], told: Question['told'], target?: string): Question {
  return { why, from, ask, told, ...(target === undefined ? {} : { target }) };
}

const rcodes = { NXDOMAIN: 3, REFUSED: 5 } as const;

/** Asks for a name over both families; of each type what is told, or null where nobody answers. */
function names(
  why: string,
  from: string,
  name: string,
  types: { readonly [type: string]: readonly string[] | keyof typeof rcodes | null },
): Question[] {
  return Object.entries(types).flatMap(([type, answer]) =>
    (['dns', 'dns6'] as const).map((ask) =>
      asks(why, from, ask, answer === null ? null : dnsAnswer(answer), `${name} ${type}`),
    ),
  );
}

function dnsAnswer(answer: readonly string[] | keyof typeof rcodes): Question['told'] {
  return typeof answer === 'string' ? { rcode: rcodes[answer], told: [] } : { rcode: 0, told: answer };
}

export const services: Theme = {
  name: 'services: ARP, discovery, DHCP, router advertisements, names',
  short: 'sv',
  async build(site) {
    await site.network('s1', 11, {
      v4: {
        dns_nameservers: ['192.0.2.53', '192.0.2.54'],
        host_routes: [{ destination: '10.77.0.0/16', nexthop: '10.11.0.9' }],
      },
      v6: { ...stateful, dns_nameservers: ['2001:db8::53'] },
    });
    await site.network('s2', 12, { v4: { enable_dhcp: false }, v6: slaac });
    await site.network('s3', 13, { v6: { ...stateless, dns_nameservers: ['2001:db8::54'] } });
    await site.router('r', ['s1', 's2', 's3']);
    await site.network('s4', 14, { v4: { gateway_ip: null }, v6: { enable_dhcp: false } });
    await site.network('same', 11, { project: 'two' });
    await site.request('PUT', `/v2.0/networks/${site.networks.get('s1')!.id}`, {
      network: { dns_domain: 'corp.example.' },
    });
    await site.bareGroup('silent', []);
    await site.plug({
      a: { host: 1, network: 's1', number: 21, port: { dns_name: 'alpha' } },
      a2: { host: 1, network: 's1', number: 22 },
      a3: {
        host: 2,
        network: 's1',
        number: 23,
        port: {
          dns_name: 'gamma',
          dns_domain: 'lab.example.',
          extra_dhcp_opts: [
            { opt_name: 'bootfile-name', opt_value: 'pxe.0' },
            { opt_name: 'bootfile-url', opt_value: 'tftp://[2001:db8::9]/x', ip_version: 6 },
          ],
        },
      },
      mute: { host: 2, network: 's1', number: 26, groups: ['silent'] },
      b: { host: 2, network: 's2' },
      c: { host: 3, network: 's3' },
      d: { host: 3, network: 's4', number: 24 },
      other: { host: 1, network: 'same', number: 25, port: { dns_name: 'hidden' } },
    });
    // As DHCP tells guests; there is no router that would answer for a gateway.
    for (const vm of ['d', 'other']) site.inVm(vm, 'route add 169.254.169.254/32 dev eth0');
  },
  stages: [
    {
      when: 'as made',
      cases: [
        asks('on the same host', 'a', 'arp', { mac: '@a2' }, '10.11.0.22'),
        asks('on another host', 'a', 'arp', { mac: '@a3' }, '10.11.0.23'),
        asks('its own address', 'a', 'arp', null, '10.11.0.21'),
        asks('an address that nobody has', 'a', 'arp', null, '10.11.0.99'),
        asks("the other tenant's address", 'a', 'arp', null, '10.11.0.25'),
        asks("the first tenant's address", 'other', 'arp', null, '10.11.0.21'),
        asks('on the same host', 'a', 'neighbour', { mac: '@a2', isRouter: false }, 'fd00:11::22'),
        asks('on another host', 'a', 'neighbour', { mac: '@a3', isRouter: false }, 'fd00:11::23'),
        asks('its own address', 'a', 'neighbour', null, 'fd00:11::21'),
        asks("the other tenant's address", 'a', 'neighbour', null, 'fd00:11::25'),
        asks('the gateway', 'a', 'neighbour', { isRouter: true }, 'fd00:11::1'),
        asks('all that its subnet says', 'a', 'dhcp', {
          address: '10.11.0.21',
          mask: '255.255.255.0',
          routers: ['10.11.0.1'],
          dns: ['192.0.2.53', '192.0.2.54'],
          routes: '100a4d0a0b0009000a0b0001',
          mtu: 1450,
        }),
        asks('its own name and domain', 'a', 'dhcp', { name: 'alpha', domain: 'corp.example' }),
        asks('no name', 'a2', 'dhcp', { name: 'host-10-11-0-22', domain: 'corp.example' }),
        asks('on another host', 'a3', 'dhcp', { address: '10.11.0.23', routers: ['10.11.0.1'] }),
        asks("its port's own domain and options", 'a3', 'dhcp', {
          name: 'gamma',
          domain: 'lab.example',
          bootfile: 'pxe.0',
        }),
        asks('who may say nothing else', 'mute', 'dhcp', { address: '10.11.0.26' }),
        asks('the other tenant has its host for names', 'other', 'dhcp', {
          address: '10.11.0.25',
          dns: ['169.254.169.254'],
          domain: 'openstacklocal',
          routes: '20a9fea9fe00000000000a0b0001',
        }),
        asks('no gateway', 'd', 'dhcp', { address: '10.14.0.24', routers: [] }),
        asks('no DHCP on its subnet', 'b', 'dhcp', null),
        asks('stateful', 'a', 'dhcp6', { address: 'fd00:11::21', dns: ['2001:db8::53'] }),
        asks('stateful, on another host', 'a3', 'dhcp6', {
          address: 'fd00:11::23',
          domain: 'lab.example',
          bootfile: 'tftp://[2001:db8::9]/x',
        }),
        asks('stateless gives no address', 'c', 'dhcp6', { address: null }),
        asks('stateless gives options', 'c', 'dhcp6', { kind: 7, dns: ['2001:db8::54'] }, 'information'),
        asks('no DHCP on its subnet', 'd', 'dhcp6', null),
        asks('addresses by DHCP', 'a', 'router', { managed: true, prefixes: ['fd00:11::/64'], mtu: 1450 }),
        asks('addresses by themselves', 'b', 'router', {
          managed: false,
          other: false,
          prefixes: ['fd00:12::/64 auto'],
        }),
        asks('options by DHCP', 'c', 'router', { managed: false, other: true, prefixes: ['fd00:13::/64 auto'] }),
        asks('no router', 'd', 'router', null),
        ...names('on another host', 'a', 'gamma.corp.example', { A: ['10.11.0.23'], AAAA: ['fd00:11::23'] }),
        ...names("in its port's own domain", 'a2', 'gamma.lab.example', { A: ['10.11.0.23'] }),
        ...names("in the region's domain", 'a3', 'alpha.openstacklocal', { A: ['10.11.0.21'], AAAA: ['fd00:11::21'] }),
        ...names('in whichever case', 'a3', 'ALPHA.Corp.Example', { A: ['10.11.0.21'] }),
        ...names('after its address', 'a3', 'host-10-11-0-22.corp.example', { A: ['10.11.0.22'], AAAA: [] }),
        ...names('after its address', 'a3', 'host-fd00-11-22.corp.example', { AAAA: ['fd00:11::22'] }),
        ...names('by address', 'a', '23.0.11.10.in-addr.arpa', { PTR: ['gamma.lab.example'] }),
        ...names('by address', 'a', `1.2.${'0.'.repeat(22)}1.1.0.0.0.0.d.f.ip6.arpa`, { PTR: ['alpha.corp.example'] }),
        ...names('by address, without a name', 'a', '22.0.11.10.in-addr.arpa', {
          PTR: ['host-10-11-0-22.corp.example'],
        }),
        ...names('without a router', 'd', 'host-10-14-0-24.openstacklocal', { A: ['10.14.0.24'] }),
        ...names('of the same network', 'other', 'hidden', { A: ['10.11.0.25'] }),
        ...names('of another tenant', 'a', 'hidden', { A: 'NXDOMAIN' }),
        ...names('of another tenant', 'other', 'alpha.openstacklocal', { A: 'NXDOMAIN' }),
        ...names('of nobody', 'a', 'nobody.openstacklocal', { A: 'NXDOMAIN' }),
        ...names('of the world', 'a', 'www.example.com', { A: 'REFUSED' }),
        ...names('for what groups keep from asking', 'mute', 'alpha.corp.example', { A: null }),
      ],
    },
    {
      when: 'the subnets say something else',
      change: async (site) => {
        const [v4, v6] = site.networks.get('s1')!.subnets;
        await site.request('PUT', `/v2.0/subnets/${v4!.id}`, {
          subnet: { dns_nameservers: ['192.0.2.99'], host_routes: [] },
        });
        await site.request('PUT', `/v2.0/subnets/${v6!.id}`, { subnet: { dns_nameservers: [] } });
        await site.updatePort('a3', { dns_name: 'delta', dns_domain: '' });
      },
      cases: [
        asks('other servers, no routes', 'a', 'dhcp', { dns: ['192.0.2.99'], routers: ['10.11.0.1'], routes: '' }),
        asks('other servers, on another host', 'a3', 'dhcp', { dns: ['192.0.2.99'], routes: '' }),
        asks('its own host for names', 'a3', 'dhcp6', { address: 'fd00:11::23', dns: ['fe80::a9fe:a9fe'] }),
        asks('another name', 'a3', 'dhcp', { name: 'delta', domain: 'corp.example' }),
        ...names('the new name', 'a', 'delta.corp.example', { A: ['10.11.0.23'] }),
        ...names('the old name', 'a', 'gamma.openstacklocal', { A: 'NXDOMAIN' }),
        ...names('the new name, by address', 'a2', '23.0.11.10.in-addr.arpa', { PTR: ['delta.corp.example'] }),
      ],
    },
  ],
};
