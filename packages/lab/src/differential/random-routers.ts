import {
  contains,
  type ExtraRoute,
  parseCidr,
  parseIp,
  type Port,
  type PortId,
  type Router,
  type RouterId,
  type RouterPort,
  type Subnet,
} from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { addressIn, chance, macOf, tenant } from './random-plan.ts';

/** The first one has the subnets' gateway addresses, the second one other addresses. */
const NUMBERS = [1, 50];

/** Up to two of a tenant, on some of its subnets, with routes by each other and by ports. */
export function randomRouters(
  random: Random,
  name: string,
  subnets: readonly Subnet[],
  ports: readonly Port[],
): Router[] {
  const drafts = NUMBERS.slice(0, between(random, 0, 2)).map((number, n) => ({
    id: `router-${name}-${n}` as RouterId,
    number,
    served: apart(subnets.filter(() => chance(random, 0.7))),
  }));
  const hops = [
    ...drafts.flatMap(({ number, served }) => served.map((subnet) => addressIn(subnet, number))),
    ...ports.flatMap(({ fixedIps }) => fixedIps.map(({ ip }) => ip)),
  ];
  return drafts
    .filter(({ served }) => served.length > 1)
    .map(({ id, number, served }) => ({
      ...tenant(name),
      id,
      adminStateUp: chance(random, 0.95),
      gateway: null,
      gatewayPortId: null,
      enableSnat: true,
      distributed: true,
      ha: false,
      enableNdpProxy: false,
      flavorId: null,
      qosPolicyId: null,
      conntrackHelpers: [],
      interfaces: interfacesOf(id, number, served),
      routes: randomRoutes(random, hopsOf(served, number, hops)),
    }));
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
function hopsOf(served: readonly Subnet[], number: number, known: readonly string[]): string[] {
  const own = served.map((subnet) => addressIn(subnet, number));
  const isServed = (ip: string): boolean => served.some(({ cidr }) => contains(parseCidr(cidr)!, parseIp(ip)!));
  return [...known.filter((ip) => isServed(ip) && !own.includes(ip)), ...served.map((subnet) => addressIn(subnet, 45))];
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
