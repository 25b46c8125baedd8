/** What the network itself tells its guests: ARP, neighbour discovery, DHCP, router advertisements. */
import type { Question } from '../case.ts';
import type { Theme } from '../run.ts';

const stateful = { enable_dhcp: true, ipv6_ra_mode: 'dhcpv6-stateful', ipv6_address_mode: 'dhcpv6-stateful' };
const slaac = { enable_dhcp: true, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
const stateless = { enable_dhcp: true, ipv6_ra_mode: 'dhcpv6-stateless', ipv6_address_mode: 'dhcpv6-stateless' };

function asks(why: string, from: string, ask: Question['ask'], told: Question['told'], target?: string): Question {
  return { why, from, ask, told, ...(target === undefined ? {} : { target }) };
}

export const services: Theme = {
  name: 'services: ARP, discovery, DHCP, router advertisements',
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
    await site.plug({
      a: { host: 1, network: 's1', number: 21 },
      a2: { host: 1, network: 's1', number: 22 },
      a3: { host: 2, network: 's1', number: 23 },
      b: { host: 2, network: 's2' },
      c: { host: 3, network: 's3' },
      d: { host: 3, network: 's4', number: 24 },
      other: { host: 1, network: 'same', number: 25 },
    });
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
        asks('on another host', 'a3', 'dhcp', { address: '10.11.0.23', routers: ['10.11.0.1'] }),
        asks('the other tenant', 'other', 'dhcp', { address: '10.11.0.25', dns: [] }),
        asks('no gateway', 'd', 'dhcp', { address: '10.14.0.24', routers: [] }),
        asks('no DHCP on its subnet', 'b', 'dhcp', null),
        asks('stateful', 'a', 'dhcp6', { address: 'fd00:11::21', dns: ['2001:db8::53'] }),
        asks('stateful, on another host', 'a3', 'dhcp6', { address: 'fd00:11::23' }),
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
      },
      cases: [
        asks('other servers, no routes', 'a', 'dhcp', { dns: ['192.0.2.99'], routers: ['10.11.0.1'], routes: '' }),
        asks('other servers, on another host', 'a3', 'dhcp', { dns: ['192.0.2.99'], routes: '' }),
        asks('no servers', 'a3', 'dhcp6', { address: 'fd00:11::23', dns: [] }),
      ],
    },
  ],
};
