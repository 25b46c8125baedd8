/** Floating IPs: of nobody, in the place of a port's address, and with ports that are forwarded. */
import type {
  FloatingIpId,
  ForwardedFloatingIp,
  ForwardingSummary,
  Network,
  Port,
  PortForwardingId,
  PortId,
  PortRange,
  Router,
} from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import type { Externals } from './random-external.ts';
import { addressIn, chance, tenant } from './random-plan.ts';

/** External ports and what they become: one to one other, as they are, each by as much, all to one. */
export const ranges: readonly (readonly [external: PortRange, internal: PortRange])[] = [
  ['8080:8080', '80:80'],
  ['1000:1023', '1000:1023'],
  ['2000:2003', '22:25'],
  ['3000:3010', '443:443'],
];

/** A port's IPv4 address, and a router that joins it with an external network. */
interface Reachable {
  readonly port: Port;
  readonly ip: string;
  readonly router: Router;
}

export function randomFloatingIps(
  random: Random,
  { networks, subnets }: Externals,
  ports: readonly Port[],
  routers: readonly Router[],
): ForwardedFloatingIp[] {
  const made: ForwardedFloatingIp[] = [];
  for (const network of networks) {
    const subnet = subnets.find((each) => each.networkId === network.id && each.ipVersion === 4);
    if (subnet === undefined) continue;
    const reachable = ports.flatMap((port) => reachableBy(port, network, routers));
    for (let n = between(random, 1, 4); n > 0; n--) {
      const { name: _, ...resource } = tenant('one');
      const number = made.length + 1;
      const id = `floating-${number}` as FloatingIpId;
      const nothing = { portId: null, fixedIp: null, routerId: null, forwardings: [] };
      const plain: ForwardedFloatingIp = {
        ...resource,
        id,
        networkId: network.id,
        ip: addressIn(subnet, 200 + number),
        mac: `02:00:00:00:0f:0${number}`,
        externalPortId: `port of ${id}` as PortId,
        ...nothing,
        qosPolicyId: null,
      };
      made.push({ ...plain, ...ledTo(random, id, reachable, made) });
    }
  }
  return made;
}

/** A router has to have an address of the family on the external network, as the API does: floating IPs are IPv4. */
function reachableBy(port: Port, { id }: Network, routers: readonly Router[]): Reachable[] {
  return routers
    .filter(({ gateway }) => gateway?.networkId === id && gateway.fixedIps.some(({ ip }) => !ip.includes(':')))
    .flatMap((router) => {
      const served = router.interfaces.flatMap(({ fixedIps }) => fixedIps.map(({ subnetId }) => subnetId));
      return port.fixedIps
        .filter(({ subnetId, ip }) => served.includes(subnetId) && !ip.includes(':'))
        .map(({ ip }) => ({ port, ip, router }));
    });
}

/** By the API's rules: one for each address and external network, and a port that one stands for is not forwarded to. */
function ledTo(
  random: Random,
  id: FloatingIpId,
  reachable: readonly Reachable[],
  made: readonly ForwardedFloatingIp[],
): Partial<ForwardedFloatingIp> {
  const free = reachable.filter(({ port }) => made.every((other) => other.portId !== port.id));
  if (free.length === 0 || chance(random, 0.1)) return {};
  const { port, ip, router } = pick(random, free);
  const isForwardedTo = made.some(({ forwardings }) => forwardings.some(({ portId }) => portId === port.id));
  if (!isForwardedTo && chance(random, 0.6)) return { portId: port.id, fixedIp: ip, routerId: router.id };
  const behind = free.filter((each) => each.router === router);
  const forwardings = ranges
    .filter(() => chance(random, 0.6))
    .map(([externalPorts, internalPorts], n): ForwardingSummary => {
      const to = pick(random, behind);
      const protocol = pick(random, ['tcp', 'tcp', 'udp'] as const);
      const name = `${id} ${n}` as PortForwardingId;
      return { id: name, portId: to.port.id, fixedIp: to.ip, protocol, externalPorts, internalPorts };
    })
    .filter((each) => !made.some(({ forwardings: others }) => others.some((other) => isSameTarget(each, other))));
  return forwardings.length === 0 ? {} : { routerId: router.id, forwardings };
}

function isSameTarget(one: ForwardingSummary, other: ForwardingSummary): boolean {
  return one.portId === other.portId && one.protocol === other.protocol && one.internalPorts === other.internalPorts;
}
