import {
  contains,
  type ExtraRoute,
  parseCidr,
  parseIp,
  type Port,
  type PortId,
  type Router,
  type RouterGateway,
  type RouterId,
  type RouterPort,
  type Subnet,
} from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { type Externals, randomGateway } from './random-external.ts';
import { addressIn, chance, macOf, tenant } from './random-plan.ts';

/** The first one has the subnets' gateway addresses, the second one other addresses. */
const NUMBERS = [1, 50];

interface Surroundings {
  readonly name: string;
  readonly subnets: readonly Subnet[];
  readonly ports: readonly Port[];
  readonly externals: Externals;
  /** Of gateways' addresses: 20 from here are the tenant's. */
  readonly firstNumber: number;
}

/** Up to two of a tenant, on some of its subnets, with routes by each other and by ports; some lead outside. */
export function randomRouters(
  random: Random,
  { name, subnets, ports, externals, firstNumber }: Surroundings,
): Router[] {
  const drafts = NUMBERS.slice(0, between(random, externals.networks.length === 0 ? 0 : 1, 2)).map((number, n) => ({
    id: `router-${name}-${n}` as RouterId,
    number,
    served: apart(subnets.filter(() => chance(random, 0.7))),
    gateway: chance(random, 0.8) ? randomGateway(random, externals, firstNumber + n) : null,
  }));
  const hops = [
    ...drafts.flatMap(({ number, served }) => served.map((subnet) => addressIn(subnet, number))),
    ...ports.flatMap(({ fixedIps }) => fixedIps.map(({ ip }) => ip)),
    ...drafts.flatMap(({ gateway }) => gateway?.fixedIps.map(({ ip }) => ip) ?? []),
    ...externals.machines.flatMap(({ ips }) => ips),
  ];
  return drafts
    .filter(({ served, gateway }) => served.length > (gateway === null ? 1 : 0))
    .map(({ id, number, served, gateway }) => ({
      ...tenant(name),
      id,
      adminStateUp: chance(random, 0.95),
      gateway,
      gatewayPortId: gateway === null ? null : (`gateway of ${id}` as PortId),
      enableSnat: gateway?.enableSnat ?? true,
      distributed: true,
      ha: false,
      enableNdpProxy: false,
      flavorId: null,
      qosPolicyId: null,
      conntrackHelpers: [],
      interfaces: interfacesOf(id, number, served),
      routes: randomRoutes(
        random,
        hopsOf(random, [...served, ...outsideOf(externals, gateway)], hops, [
          ...served.map((subnet) => addressIn(subnet, number)),
          ...(gateway?.fixedIps.map(({ ip }) => ip) ?? []),
        ]),
      ),
    }));
}

function outsideOf({ subnets }: Externals, gateway: RouterGateway | null): Subnet[] {
  return subnets.filter(({ id }) => gateway?.fixedIps.some(({ subnetId }) => subnetId === id));
}

/** No two with the same addresses: a router would not know which is meant. */
function apart(subnets: readonly Subnet[]): Subnet[] {
  return subnets.filter(({ cidr }, n) => subnets.findIndex((other) => other.cidr === cidr) === n);
}

/** A port for each subnet. */
function interfacesOf(id: RouterId, number: number, served: readonly Subnet[]): RouterPort[] {
  return served.map((subnet, n) => ({
    portId: `${id} ${subnet.id}` as PortId,
    networkId: subnet.networkId,
    mac: macOf(100 + number + n),
    fixedIps: [{ subnetId: subnet.id, ip: addressIn(subnet, number) }],
  }));
}

const v4 = ['192.168.7.0/24', '192.168.0.0/16', '0.0.0.0/0', '10.0.1.0/24', '10.0.0.12/32', '10.2.0.0/16'];
const v6 = ['fd99::/32', '::/0', 'fd00:2::/64', 'fd00:1::c/128'];

/** A next hop is on one of the router's subnets, and not the router itself; whether anybody has it is another matter. */
function hopsOf(random: Random, around: readonly Subnet[], known: readonly string[], own: readonly string[]): string[] {
  const isNear = (ip: string): boolean => around.some(({ cidr }) => contains(parseCidr(cidr)!, parseIp(ip)!));
  const nobodys = chance(random, 0.3) ? around.map((subnet) => addressIn(subnet, 45)) : [];
  return [...known.filter((ip) => isNear(ip) && !own.includes(ip)), ...nobodys];
}

/** Each destination once. */
function randomRoutes(random: Random, hops: readonly string[]): ExtraRoute[] {
  return [...v4, ...v6]
    .filter(() => chance(random, 0.2))
    .flatMap((destination) => {
      const like = hops.filter((ip) => ip.includes(':') === destination.includes(':'));
      return like.length === 0 ? [] : [{ destination, nexthop: pick(random, like) }];
    });
}
