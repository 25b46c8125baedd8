import type { NeighborConfiguration, RouterConfiguration } from '@alcor/contract';
import { type Cidr, contains, formatIp, type Ip, parseCidr, parseIp } from '@alcor/network';
import type { VpcDirectory } from './vpc-directory.ts';

/** A neighbour, and the VPC that it is in. */
export interface Place {
  readonly directory: VpcDirectory;
  readonly neighbor: NeighborConfiguration;
}

/** What is known of a VPC; undefined for one that is not followed here. */
export type Directories = (vpcId: string) => VpcDirectory | undefined;

/** Where a packet to the address goes that is sent in this VPC: a neighbour there, or by a router one of another VPC; undefined: nowhere. */
export function placeFor(from: VpcDirectory, destination: Ip, directories: Directories): Place | undefined {
  const here = from.at(formatIp(destination));
  if (here !== undefined) return { directory: from, neighbor: here };
  let best: { readonly prefix: number; readonly place: Place } | undefined;
  for (const router of from.routers.values()) {
    if (router.adminStateDown) continue;
    for (const { block, place } of routesOf(router, destination, directories)) {
      if (!contains(block, destination) || block.prefix <= (best?.prefix ?? -1)) continue;
      const there = place();
      if (there !== undefined) best = { prefix: block.prefix, place: there };
    }
  }
  return best?.place;
}

interface Route {
  readonly block: Cidr;
  readonly place: () => Place | undefined;
}

/** The subnets that the router is on, and its routes by way of a neighbour on one of them. */
function* routesOf(router: RouterConfiguration, destination: Ip, directories: Directories): Generator<Route> {
  const connected = [...connectedOf(router, directories)];
  for (const { block, directory } of connected) yield { block, place: () => placeIn(directory, destination) };
  for (const { destination: text, nextHopIp } of router.subnetRoutingTables.flatMap((table) => table.routingRules)) {
    const block = parseCidr(text);
    const nextHop = parseIp(nextHopIp);
    if (block === null || nextHop === null) continue;
    const via = connected.find((each) => contains(each.block, nextHop));
    if (via !== undefined) yield { block, place: () => placeIn(via.directory, nextHop) };
  }
}

function* connectedOf(
  { interfaces }: RouterConfiguration,
  directories: Directories,
): Generator<{ readonly block: Cidr; readonly directory: VpcDirectory }> {
  for (const { vpcId, fixedIps } of interfaces) {
    const directory = directories(vpcId);
    if (directory === undefined) continue;
    for (const { subnetId } of fixedIps) {
      const block = parseCidr(directory.subnets.get(subnetId)?.cidr ?? '');
      if (block !== null) yield { block, directory };
    }
  }
}

function placeIn(directory: VpcDirectory, address: Ip): Place | undefined {
  const neighbor = directory.at(formatIp(address));
  return neighbor === undefined ? undefined : { directory, neighbor };
}
