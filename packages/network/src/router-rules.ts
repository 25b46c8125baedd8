import { contains, overlaps, parseCidr } from './cidr.ts';
import { refusal } from './errors.ts';
import { parseIp } from './ip.ts';
import type { FixedIp, NetworkId, PortId, SubnetId } from './nouns.ts';
import type { ExtraRoute, RouterId } from './router.ts';

/** One address of a router: its port on a subnet. */
export interface Attachment extends FixedIp {
  readonly portId: PortId;
  readonly networkId: NetworkId;
  readonly cidr: string;
  /** To an external network; false: to a subnet that it serves. */
  readonly isGateway: boolean;
}

/** Neutron's default of `max_routes`. */
const maxRoutes = 30;

/** Refuses routes of a router whose next hop it does not reach directly, or is itself. */
export function checkRoutes(
  routerId: RouterId,
  routes: readonly ExtraRoute[],
  attachments: readonly Pick<Attachment, 'cidr' | 'ip'>[],
): void {
  if (routes.length > maxRoutes) throw refusal('RoutesExhausted', { routerId, quota: maxRoutes });
  for (const { destination, nexthop } of routes) {
    const invalid = (reason: string): Error =>
      refusal('InvalidRoutes', { routes: `${destination} via ${nexthop}`, reason });
    if (parseCidr(destination)?.version !== parseIp(nexthop)?.version) {
      throw invalid('the destination and the nexthop are of different IP versions');
    }
    if (!attachments.some(({ cidr }) => holds(cidr, nexthop))) {
      throw invalid('the nexthop is not connected with router');
    }
    if (attachments.some(({ ip }) => ip === nexthop)) throw invalid('the nexthop is used by router');
  }
}

/** `routes` and those of `added` that are not among them. */
export function withRoutes(routes: readonly ExtraRoute[], added: readonly ExtraRoute[]): readonly ExtraRoute[] {
  const whole = [...routes];
  for (const route of added) if (!whole.some((other) => isSame(other, route))) whole.push(route);
  return whole;
}

/** `routes` without those of `removed`. */
export function withoutRoutes(routes: readonly ExtraRoute[], removed: readonly ExtraRoute[]): readonly ExtraRoute[] {
  return routes.filter((route) => !removed.some((other) => isSame(other, route)));
}

/** Refuses to take away an interface that routes go by. */
export function checkNotRouted(
  routerId: RouterId,
  { id: subnetId, cidr }: { readonly id: SubnetId; readonly cidr: string },
  routes: readonly ExtraRoute[],
): void {
  if (routes.some(({ nexthop }) => holds(cidr, nexthop))) {
    throw refusal('RouterInterfaceInUseByRoute', { routerId, subnetId });
  }
}

/** Refuses subnets that the router is on already, or that it could not tell from those it serves. */
export function checkNewSubnets(
  attachments: readonly Attachment[],
  subnets: readonly { readonly id: SubnetId; readonly cidr: string }[],
): void {
  for (const { id, cidr } of subnets) {
    if (attachments.some(({ subnetId }) => subnetId === id)) {
      throw bad(`Router already has a port on subnet ${id}`);
    }
    const other = attachments.find((held) => !held.isGateway && overlap(held.cidr, cidr));
    if (other !== undefined) {
      throw bad(`Cidr ${cidr} of subnet ${id} overlaps with cidr ${other.cidr} of subnet ${other.subnetId}`);
    }
  }
}

function bad(reason: string): Error {
  return refusal('BadRequest', { resource: 'router', reason });
}

function holds(cidr: string, address: string): boolean {
  const block = parseCidr(cidr);
  const ip = parseIp(address);
  return block !== null && ip !== null && contains(block, ip);
}

function overlap(left: string, right: string): boolean {
  const [one, other] = [parseCidr(left), parseCidr(right)];
  return one !== null && other !== null && overlaps(one, other);
}

function isSame(left: ExtraRoute, right: ExtraRoute): boolean {
  return left.destination === right.destination && left.nexthop === right.nexthop;
}
