/** External networks on the wire, machines on them that are no ports of the region, and gateways of routers there. */
import {
  type Network,
  type NetworkId,
  plainNetwork,
  plainSubnet,
  type RouterGateway,
  type Subnet,
  type SubnetId,
} from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { type Machine, PHYSICAL } from './plan.ts';
import { addressIn, chance, tenant } from './random-plan.ts';

export interface Externals {
  readonly networks: readonly Network[];
  readonly subnets: readonly Subnet[];
  readonly machines: readonly Machine[];
}

const blocks = ['203.0.113', '198.18.0'];

/** Up to two; the machine that has the gateway address of its subnets is the way on from each. */
export function randomExternals(random: Random): Externals {
  const networks = blocks.slice(0, pick(random, [0, 1, 1, 2])).map((_, n): Network => {
    const isFlat = n === 0 && chance(random, 0.4);
    return {
      ...tenant('operator'),
      ...plainNetwork,
      id: `external-${n}` as NetworkId,
      external: true,
      vni: 31 + n,
      networkType: isFlat ? 'flat' : 'vlan',
      physicalNetwork: PHYSICAL,
      vlan: isFlat ? null : 131 + n,
    };
  });
  const subnets = networks.flatMap(({ id }, n) => subnetsOf(random, id, n));
  const machines = networks.flatMap(({ id }, n) => {
    const own = subnets.filter(({ networkId }) => networkId === id);
    return Array.from({ length: between(random, 1, 2) }, (_, m) => ({
      id: `machine-${n}-${m}`,
      networkId: id,
      mac: `02:00:00:00:0e:${n}${m}`,
      ips: own.map((subnet) => addressIn(subnet, m === 0 ? 1 : 9)),
    }));
  });
  return { networks, subnets, machines };
}

function subnetsOf(random: Random, networkId: NetworkId, n: number): Subnet[] {
  const subnet = (first: string, length: number, ipVersion: 4 | 6): Subnet => ({
    ...tenant('operator'),
    ...plainSubnet,
    id: `${networkId} v${ipVersion}` as SubnetId,
    networkId,
    cidr: `${first}/${length}`,
    ipVersion,
    gatewayIp: chance(random, 0.9) ? addressIn({ cidr: `${first}/${length}` }, 1) : null,
  });
  const v4 = subnet(`${blocks[n]}.0`, 24, 4);
  const v6 = subnet(`2001:db8:${n + 1}::`, 64, 6);
  return pick(random, [[v4], [v4, v6], [v4, v6], [v6]]);
}

/** On one of the networks; null where there is none. Routers have addresses of different numbers. */
export function randomGateway(random: Random, { networks, subnets }: Externals, number: number): RouterGateway | null {
  if (networks.length === 0) return null;
  const { id: networkId } = pick(random, networks);
  const own = subnets.filter((subnet) => subnet.networkId === networkId);
  const some = own.filter(() => chance(random, 0.9));
  return {
    networkId,
    enableSnat: chance(random, 0.65),
    mac: `02:00:00:00:0a:${number.toString(16).padStart(2, '0')}`,
    fixedIps: (some.length > 0 ? some : own).map((subnet) => ({ subnetId: subnet.id, ip: addressIn(subnet, number) })),
    qosPolicyId: null,
  };
}
