import type { Fabric, Packet, Vm } from '@alcor/agent';
import { portsOf, type ForwardedFloatingIp, type Router } from '@alcor/network';
import { ipv4, ipv4Text, mac } from '@alcor/openflow';
import { pick, type Random } from '@alcor/runtime';
import { allVms, heard, networksOf, placed, type Placed, type Region, works } from './invariants.ts';
import { externalNetworks, FAR, isOutside, reachesWire } from './outward.ts';

/** The machine outside that is the gateway of each external network, and has the far address as well. */
export function makeOutside(fabric: Fabric, physicalNetwork: string): Vm[] {
  return externalNetworks.map(({ id, vlan, block, mac: its }) =>
    fabric.addOutside({ physicalNetwork, vlan }, { id, mac: its, ips: [`${block}.1`, FAR] }),
  );
}

/** What must hold at every moment: what is sent to an address outside reaches VMs only of networks that the address has led to. */
export function leaksFromOutside(region: Region, random: Random): string[] {
  const { workload, outside, fabric } = region;
  const led = [...(workload.outward?.ledTo ?? [])];
  if (led.length === 0) return [];
  const [ip, networks] = pick(random, led);
  const from = pick(random, outside);
  from.neighbours.clear();
  return heard(allVms(region), () => {
    const to = fabric.resolve(from, ip);
    if (to !== null) fabric.send(from, udp(socket(from, FAR, 53), { mac: to, ip, port: 8_000 }));
  }).flatMap(({ vm, packet }) => {
    const theirs = networksOf(workload, vm, packet);
    const may = theirs.some((one) => [...networks].some((other) => workload.mayMeet(one, other)));
    return may || packet.udp_dst === undefined
      ? []
      : [`a packet for ${ip} from outside reached ${vm.id} (${theirs.join(' ')})`];
  });
}

/** What leaves the region, comes back and comes in, as far as it should; and what should not. */
export function wrongOutside(region: Region): string[] {
  if (region.workload.outward === null) return [];
  const there = placed(region);
  return [
    ...there.flatMap((one) => wrongAnswer(region, one)),
    ...region.workload.outward.floatingIps.flatMap((floating) => wrongFloating(region, floating, there)),
  ];
}

/** The way out of a port: null where there is none. */
interface Way {
  readonly router: Router;
  readonly floating: ForwardedFloatingIp | undefined;
  readonly machine: Vm;
  /** What leaves gets out. */
  readonly isOpen: boolean;
  /** And what comes gets in: not by the wire of a provider network to a host that has none. */
  readonly comesBack: boolean;
}

function wayOf({ workload, outside }: Region, { port, host }: Placed): Way | null {
  const router = workload.routers.find(({ interfaces }) =>
    interfaces.some((each) => each.networkId === port.networkId),
  );
  const at = externalNetworks.findIndex(({ id }) => id === router?.gateway?.networkId);
  if (router === undefined || at < 0) return null;
  const { outward } = workload;
  const floating = outward!.floatingIps.find((each) => each.portId === port.id && each.routerId === router.id);
  const isOwn = floating !== undefined && reachesWire(host.node);
  const isOnWire = workload.network(port.networkId).physicalNetwork !== null;
  const leads = isOwn || outward!.hasGatewayHost(router, workload.nodes);
  const isOpen = router.adminStateUp && works(workload, port) && leads;
  const comesBack = isOpen && (!isOnWire || reachesWire(host.node));
  return { router, floating, machine: outside[at]!, isOpen, comesBack };
}

/** A question of the port to a machine far away, and its answer. */
function wrongAnswer(region: Region, one: Placed): string[] {
  const way = wayOf(region, one);
  if (way === null) return [];
  const { vm, port } = one;
  const said = exchange(region, vm, way.machine);
  const own = vm.ips[0]!;
  const seen = way.floating?.ip ?? (way.router.enableSnat ? way.router.gateway!.fixedIps[0]!.ip : own);
  if (said.endsWith('and answered'))
    region.tally[way.floating !== undefined ? 'floating' : way.router.enableSnat ? 'translated' : 'untranslated']++;
  const wanted = way.isOpen ? `asked as ${seen}, and ${way.comesBack ? 'answered' : 'not answered'}` : 'not heard';
  return said === wanted ? [] : [`${port.id} is ${said} outside, not ${wanted}`];
}

function exchange({ fabric, sockets }: Region, vm: Vm, machine: Vm): string {
  const port = sockets.next();
  vm.neighbours.clear();
  machine.neighbours.clear();
  const router = fabric.resolve(vm, vm.subnets![0]!.gateway);
  if (router === null) return 'not heard';
  const question = udp(socket(vm, vm.ips[0]!, port), { mac: router, ip: FAR, port: 53 });
  const seen = fabric.send(vm, question).received.find((got) => got.vm === machine)?.packet;
  if (seen === undefined) return 'not heard';
  const from = ipv4Text(Number(seen.ipv4_src));
  const back = isOutside(from) ? fabric.resolve(machine, from) : Number(seen.eth_src);
  if (back === null) return `asked as ${from}, which nobody has`;
  const answer = udp(socket(machine, FAR, 53), { mac: back, ip: from, port: Number(seen.udp_src) });
  const got = fabric.send(machine, answer).received.find((each) => each.vm === vm)?.packet;
  const isIts = got?.ipv4_dst === ipv4(vm.ips[0]!) && got.udp_dst === port;
  return `asked as ${from}, and ${isIts ? 'answered' : 'not answered'}`;
}

/** Questions from outside to the address, and what comes back. */
function wrongFloating(region: Region, floating: ForwardedFloatingIp, there: readonly Placed[]): string[] {
  const { id, portId, forwardings, networkId } = floating;
  const machine = region.outside[externalNetworks.findIndex((each) => each.id === networkId)]!;
  const meant = [
    ...(portId === null ? [] : [{ portId, protocol: 'udp' as const, external: 9, internal: 9 }]),
    ...forwardings.map((each) => ({
      portId: each.portId,
      protocol: each.protocol,
      external: portsOf(each.externalPorts).first,
      internal: portsOf(each.internalPorts).first,
    })),
  ];
  const asked = meant.flatMap((each) => {
    const target = there.find(({ port }) => port.id === each.portId);
    const way = target === undefined ? null : wayOf(region, target);
    const isOpen = way !== null && way.comesBack && (portId !== null || hasGatewayHost(region, way.router));
    const said = askFrom(region, machine, floating.ip, each);
    const wanted = isOpen ? `${each.portId} at ${each.internal}, and its answer came` : 'nobody';
    if (isOpen && said === wanted && portId === null) region.tally.forwarded++;
    return said === wanted ? [] : [`${id} leads to ${said} at ${each.external}, not to ${wanted}`];
  });
  if (meant.length > 0) return asked;
  machine.neighbours.clear();
  return region.fabric.resolve(machine, floating.ip) === null ? [] : [`${id} is answered for, and stands for nobody`];
}

function hasGatewayHost({ workload }: Region, router: Router): boolean {
  return workload.outward!.hasGatewayHost(router, workload.nodes);
}

interface Asked {
  readonly protocol: 'tcp' | 'udp';
  readonly external: number;
}

function askFrom(region: Region, machine: Vm, ip: string, { protocol, external }: Asked): string {
  const { fabric } = region;
  const make = protocol === 'tcp' ? tcp : udp;
  const [src, dst] = protocol === 'tcp' ? (['tcp_src', 'tcp_dst'] as const) : (['udp_src', 'udp_dst'] as const);
  const port = region.sockets.next();
  machine.neighbours.clear();
  const to = fabric.resolve(machine, ip);
  if (to === null) return 'nobody';
  const vms = allVms(region);
  const { received } = fabric.send(machine, make(socket(machine, FAR, port), { mac: to, ip, port: external }));
  const got = received.find(({ vm }) => vms.includes(vm));
  if (got === undefined) return 'nobody';
  const { vm, packet } = got;
  const where = `${vm.id} at ${String(packet[dst])}`;
  vm.neighbours.clear();
  const router = fabric.resolve(vm, vm.subnets![0]!.gateway);
  if (router === null) return `${where}, without a router`;
  const answer = make(socket(vm, vm.ips[0]!, Number(packet[dst])), { mac: router, ip: FAR, port });
  const back = fabric.send(vm, answer).received.find((each) => each.vm === machine)?.packet;
  const isIts = back?.ipv4_src === ipv4(ip) && back[src] === external && back[dst] === port;
  return `${where}, and ${isIts ? 'its answer came' : 'its answer did not come'}`;
}

/** Has everything ask and be asked, so that what is told only when asked for, and who is outside, is known afterwards. */
export function askOutside(region: Region): void {
  wrongOutside(region);
}

interface End {
  readonly mac: number;
  readonly ip: string;
  readonly port: number;
}

function socket(vm: Vm, ip: string, port: number): End {
  return { mac: mac(vm.mac), ip, port };
}

function over(from: End, to: End, ip_proto: number): Packet {
  return {
    eth_src: from.mac,
    eth_dst: to.mac,
    eth_type: 0x0800,
    ip_proto,
    ip_ttl: 64,
    ipv4_src: ipv4(from.ip),
    ipv4_dst: ipv4(to.ip),
  };
}

function udp(from: End, to: End): Packet {
  return { ...over(from, to, 17), udp_src: from.port, udp_dst: to.port };
}

function tcp(from: End, to: End): Packet {
  return { ...over(from, to, 6), tcp_src: from.port, tcp_dst: to.port };
}
