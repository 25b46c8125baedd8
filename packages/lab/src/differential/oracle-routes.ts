/** Of the oracle: where a router leads by an address. */
import { contains, type FixedIp, type Network, parseCidr, parseIp, type Router, type RouterPort } from '@alcor/network';
import { networkOf, type Plan } from './plan.ts';

export type Address = NonNullable<ReturnType<typeof parseIp>>;
type Cidr = NonNullable<ReturnType<typeof parseCidr>>;

/** Into a network that the router serves, or out by its gateway; whose MAC is asked for there; or nowhere. */
export type Path =
  | { readonly to: 'inside'; readonly by: RouterPort; readonly hop: bigint }
  | { readonly to: 'outside'; readonly network: Network; readonly hop: bigint }
  | { readonly to: 'nowhere' };

interface Route {
  readonly cidr: Cidr;
  /** Of two alike the higher one counts. */
  readonly rank: number;
  readonly path: Path;
}

/** The longest prefix wins; of two alike the subnet that the router is on, and of routes those that stay inside. Undefined: there is none. */
export function pathTo(plan: Plan, router: Router, to: Address): Path | undefined {
  const fitting = [...ownSubnets(plan, router, to), ...routesOf(plan, router), ...waysOn(plan, router)]
    .filter(({ cidr }) => contains(cidr, to))
    .toSorted((a, b) => b.cidr.prefix - a.cidr.prefix || b.rank - a.rank);
  return fitting[0]?.path;
}

function ownSubnets(plan: Plan, { interfaces, gateway }: Router, { value: hop }: Address): Route[] {
  return [
    ...interfaces.flatMap((by) =>
      subnetsOf(plan, by).map((cidr): Route => ({ cidr, rank: 4, path: { to: 'inside', by, hop } })),
    ),
    ...(gateway === null ? [] : subnetsOf(plan, gateway)).map((cidr): Route => {
      return { cidr, rank: 3, path: { to: 'outside', network: networkOf(plan, gateway!.networkId), hop } };
    }),
  ];
}

function routesOf(plan: Plan, router: Router): Route[] {
  return router.routes.map(({ destination, nexthop }) => {
    const path = pathBy(plan, router, parseIp(nexthop)!);
    return { cidr: parseCidr(destination)!, rank: path.to === 'outside' ? 1 : 2, path };
  });
}

function pathBy(plan: Plan, { interfaces, gateway }: Router, hop: Address): Path {
  const isOn = (held: Held): boolean => subnetsOf(plan, held).some((cidr) => contains(cidr, hop));
  if (gateway !== null && isOn(gateway))
    return { to: 'outside', network: networkOf(plan, gateway.networkId), hop: hop.value };
  const by = interfaces.find(isOn);
  return by === undefined ? { to: 'nowhere' } : { to: 'inside', by, hop: hop.value };
}

/** By what the external network's subnets call their gateways. */
function waysOn(plan: Plan, { gateway }: Router): Route[] {
  if (gateway === null) return [];
  const network = networkOf(plan, gateway.networkId);
  return gateway.fixedIps.flatMap(({ subnetId }) => {
    const { gatewayIp } = plan.subnets.find(({ id }) => id === subnetId)!;
    if (gatewayIp === null) return [];
    const cidr = parseCidr(gatewayIp.includes(':') ? '::/0' : '0.0.0.0/0')!;
    return [{ cidr, rank: 0, path: { to: 'outside', network, hop: parseIp(gatewayIp)!.value } }];
  });
}

interface Held {
  readonly fixedIps: readonly FixedIp[];
}

function subnetsOf({ subnets }: Plan, { fixedIps }: Held): Cidr[] {
  return fixedIps.map(({ subnetId }) => parseCidr(subnets.find(({ id }) => id === subnetId)!.cidr)!);
}
