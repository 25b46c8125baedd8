/** A router with a gateway on an external network, and floating IPs of it. */
import type { FloatingIp, ProviderNetwork, Router, RouterGateway } from '../resources.ts';

export const EXTERNAL = 500;
export const HOSTS = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const;
export const GATEWAY = '02:00:00:00:0e:01';
export const ROUTER_MAC = '02:00:00:00:0a:01';

export const external: ProviderNetwork = { id: 'e', vni: EXTERNAL, physicalNetwork: 'physnet1', vlan: 7 };

export const gateway: RouterGateway = {
  vni: EXTERNAL,
  mac: GATEWAY,
  addresses: [
    { ip: '203.0.113.10', subnetId: 'e4', cidr: '203.0.113.0/24' },
    { ip: '2001:db8::10', subnetId: 'e6', cidr: '2001:db8::/64' },
  ],
  nextHops: ['203.0.113.1', '2001:db8::1'],
  snat: true,
  hostIp: HOSTS[2],
};
export const router: Router = {
  id: 'r',
  adminStateUp: true,
  interfaces: [
    {
      vni: 100,
      mac: ROUTER_MAC,
      addresses: [
        { ip: '10.0.0.254', subnetId: 's4', cidr: '10.0.0.0/24' },
        { ip: 'fd00::fe', subnetId: 's6', cidr: 'fd00::/64' },
      ],
    },
  ],
  routes: [],
  gateway,
  revision: 1,
};
export const floating: FloatingIp = {
  id: 'f',
  routerId: 'r',
  ip: '203.0.113.50',
  mac: '02:00:00:00:0f:01',
  fixedIp: '10.0.0.1',
  forwardings: [],
  revision: 1,
};
export const forwarding: FloatingIp = {
  ...floating,
  id: 'w',
  ip: '203.0.113.60',
  mac: '02:00:00:00:0f:02',
  fixedIp: null,
  forwardings: [
    { id: 'one', protocol: 6, fixedIp: '10.0.0.2', external: [8080, 8080], internal: [80, 80] },
    { id: 'same', protocol: 17, fixedIp: '10.0.0.2', external: [1000, 1999], internal: [1000, 1999] },
    { id: 'moved', protocol: 6, fixedIp: '10.0.0.1', external: [2000, 2002], internal: [22, 24] },
  ],
};
