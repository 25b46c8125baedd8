/**
 * Memory switches joined by an underlay, with virtual machines behind them that answer ARP, neighbour discovery and echo
 * requests: what a ping crosses, without a wire. Synchronous; the same calls give the same paths.
 */
import { ipv4, ipv4Text, ipv6, ipv6Text, mac } from '@alcor/openflow';
import { contains, isIpv6 } from '../address.ts';
import { must } from '../assert.ts';
import { VLAN_TAGGED } from '../fields.ts';
import type { MemorySwitch } from './memory.ts';
import {
  arpReply,
  arpRequest,
  icmpEcho,
  icmpv6Echo,
  neighborAdvertisement,
  neighborSolicitation,
  onTheWire,
  type Packet,
} from './packet.ts';
import type { Walk } from './walk.ts';

/** A packet that circles has a bug to thank; this many switches is more than any path has. */
const MAX_HOPS = 64;

export interface VmSpec {
  /** The interface's `iface-id`: the port's id. */
  readonly id: string;
  readonly mac: string;
  readonly ips: readonly string[];
  /** Without one of an address's family, every address of it is on the link. */
  readonly subnets?: readonly VmSubnet[];
  /** It is an interface of another VM, by whose port it is reached under a tag: that of a trunk's sub-port. */
  readonly trunk?: { readonly parentId: string; readonly vlan: number };
}

/** Addresses that are on the link, and by whom the others are reached. */
export interface VmSubnet {
  readonly cidr: string;
  readonly gateway: string;
}

/** Where on the physical networks a machine is that is no VM. */
export interface WirePlace {
  readonly physicalNetwork: string;
  /** Null: it sends and takes frames without a tag. */
  readonly vlan: number | null;
}

/** One switch passed: where the packet came in and what became of it. */
export interface Hop {
  readonly host: string;
  readonly inPort: number;
  readonly walk: Walk;
}

interface Received {
  readonly vm: Vm;
  readonly packet: Packet;
}

export interface Delivery {
  /** The VMs that got the packet, with what they got. */
  readonly received: readonly Received[];
  readonly hops: readonly Hop[];
}

export interface Ping {
  readonly ok: boolean;
  /** Why not; empty when ok. */
  readonly reason: string;
  /** The echo request's way: `host:port` of every switch port that it came in or went out by. */
  readonly path: readonly string[];
  readonly hops: readonly Hop[];
}

export interface Vm extends VmSpec {
  /** Empty for a machine on a physical network. */
  readonly host: string;
  readonly at?: WirePlace;
  readonly macNumber: number;
  /** What it has learnt of its neighbours: address text → MAC. */
  readonly neighbours: Map<string, number>;
  /** Everything it was ever given, for tests that look for leaks. */
  readonly received: Packet[];
}

interface InFlight {
  readonly host: string;
  readonly inPort: number;
  readonly packet: Packet;
}

export class Fabric {
  readonly #hosts = new Map<string, MemorySwitch>();
  readonly #vms = new Map<string, Vm>();
  readonly #outside: Vm[] = [];

  /** Joins a switch under its host's underlay address (IPv4). */
  addHost(underlayIp: string, memorySwitch: MemorySwitch): void {
    this.#hosts.set(underlayIp, memorySwitch);
    memorySwitch.onSent((walk, inPort) => this.#onSent(underlayIp, walk, inPort));
  }

  removeHost(underlayIp: string): void {
    this.#hosts.delete(underlayIp);
  }

  /** Boots a VM and plugs its interface on the host. Two VMs on two hosts may have the same id, as in a live migration. */
  addVm(host: string, spec: VmSpec): Vm {
    const vm: Vm = { ...spec, host, macNumber: mac(spec.mac), neighbours: new Map(), received: [] };
    const at = must(this.#hosts.get(host), `host ${host} is part of the fabric`);
    if (spec.trunk === undefined) at.plug(spec.id);
    this.#vms.set(keyOf(vm), vm);
    return vm;
  }

  /** A machine on a physical network that is no VM of the region. */
  addOutside(at: WirePlace, spec: VmSpec): Vm {
    const vm: Vm = { ...spec, host: '', at, macNumber: mac(spec.mac), neighbours: new Map(), received: [] };
    this.#outside.push(vm);
    return vm;
  }

  removeVm(vm: Vm): void {
    if (vm.trunk === undefined) this.#hosts.get(vm.host)?.unplug(vm.id);
    if (this.#vms.get(keyOf(vm)) === vm) this.#vms.delete(keyOf(vm));
  }

  /** Sends a packet out of the VM's interface and delivers it wherever it comes out; receivers do not answer. */
  send(vm: Vm, packet: Packet): Delivery {
    if (vm.at !== undefined) {
      const flying: InFlight[] = [];
      const received: Received[] = [];
      this.#onWire(vm.at.physicalNetwork, tagged(packet, vm.at.vlan), vm, flying, received);
      return this.#deliver(flying, received);
    }
    const { parentId: iface, vlan } = vm.trunk ?? { parentId: vm.id, vlan: null };
    const port = this.#hosts.get(vm.host)?.plugged(iface);
    if (port === undefined) return this.#deliver([]);
    return this.#deliver([{ host: vm.host, inPort: port.ofport, packet: tagged(packet, vlan) }]);
  }

  /** Resolves `ip` or the gateway to it, sends it an echo request, and waits for the answer, as `ping -c 1` does. */
  ping(vm: Vm, ip: string): Ping {
    const next = nextHop(vm, ip);
    const to = this.resolve(vm, next);
    if (to === null) return { ok: false, reason: `nobody answers for ${next}`, path: [], hops: [] };
    const from = ownAddress(vm, ip);
    if (from === null)
      return { ok: false, reason: `${vm.id} has no address of the family of ${ip}`, path: [], hops: [] };
    const delivery = this.send(vm, echo('request', { mac: vm.macNumber, ip: from }, { mac: to, ip }));
    const path = pathOf(delivery.hops);
    const target = delivery.received.find(({ vm: other, packet }) => accepts(other, packet))?.vm;
    const answered = target !== undefined && this.#answer(target, ip, from, vm);
    const reason = target === undefined ? 'the request was not delivered' : 'the answer was not delivered';
    return { ok: answered, reason: answered ? '' : reason, path, hops: delivery.hops };
  }

  /** The MAC that answers for `ip`, from the VM's own table or asked for on the network; null if nobody does. */
  resolve(vm: Vm, ip: string): number | null {
    const known = vm.neighbours.get(ip);
    if (known !== undefined) return known;
    const from = ownAddress(vm, ip);
    if (from === null) return null;
    for (const { vm: other, packet } of this.send(vm, question(vm.macNumber, from, ip)).received) {
      if (other === vm) learn(vm, packet);
      else this.#respond(other, packet);
    }
    return vm.neighbours.get(ip) ?? null;
  }

  /** A VM that gets a question for its own address answers it over the network. */
  #respond(vm: Vm, packet: Packet): void {
    const answer = answerOf(vm, packet);
    if (answer === null) return;
    for (const { vm: asker, packet: reply } of this.send(vm, answer).received) learn(asker, reply);
  }

  #answer(target: Vm, ip: string, asker: string, vm: Vm): boolean {
    const to = this.resolve(target, nextHop(target, asker));
    if (to === null) return false;
    const delivery = this.send(target, echo('reply', { mac: target.macNumber, ip }, { mac: to, ip: asker }));
    return delivery.received.some((got) => got.vm === vm && accepts(vm, got.packet));
  }

  /** A packet that an agent had held, or made, goes on; who gets it behaves as VMs do. */
  #onSent(host: string, walk: Walk, inPort: number): void {
    if (!this.#hosts.has(host)) return;
    const flying: InFlight[] = [];
    const received: Received[] = [];
    this.#carry({ host, inPort, walk }, flying, received);
    for (const { vm, packet } of received) vm.received.push(packet);
    for (const { vm, packet } of [...received, ...this.#deliver(flying).received]) this.#react(vm, packet);
  }

  #react(vm: Vm, packet: Packet): void {
    learn(vm, packet);
    this.#respond(vm, packet);
    if (packet.icmpv4_type !== 8 && packet.icmpv6_type !== 128) return;
    const [to, from] = [
      addressText(packet.ipv4_dst ?? packet.ipv6_dst!),
      addressText(packet.ipv4_src ?? packet.ipv6_src!),
    ];
    const next = accepts(vm, packet) ? this.resolve(vm, nextHop(vm, from)) : null;
    if (next !== null) this.send(vm, echo('reply', { mac: vm.macNumber, ip: to }, { mac: next, ip: from }));
  }

  #deliver(flying: InFlight[], received: Received[] = []): Delivery {
    const hops: Hop[] = [];
    for (let next = flying.shift(); next !== undefined; next = flying.shift()) {
      if (hops.length === MAX_HOPS) throw new Error(`a packet went through ${MAX_HOPS} switches`);
      hops.push(this.#pass(next, flying, received));
    }
    for (const { vm, packet } of received) vm.received.push(packet);
    return { received, hops };
  }

  #pass({ host, inPort, packet }: InFlight, flying: InFlight[], received: Received[]): Hop {
    const at = must(this.#hosts.get(host), `host ${host} is part of the fabric`);
    const hop = { host, inPort, walk: at.walk(packet, inPort) };
    this.#carry(hop, flying, received);
    return hop;
  }

  /** What comes out of a switch goes to VMs, and to other hosts. */
  #carry({ host, walk }: Hop, flying: InFlight[], received: Received[]): void {
    const { tunnelPort, gatewayPort, wires } = must(this.#hosts.get(host), `host ${host} is part of the fabric`);
    for (const { port, packet: out } of walk.outputs) {
      if (port === tunnelPort) this.#tunnel(host, 'tunnelPort', out, flying);
      else if (port === gatewayPort) this.#tunnel(host, 'gatewayPort', out, flying);
      else if (wires.has(port)) this.#onWire(wires.get(port)!, onTheWire(out), host, flying, received);
      else {
        const got = this.#givenTo(host, port, onTheWire(out));
        if (got !== undefined) received.push(got);
      }
    }
  }

  /** The underlay: the frame and the VNI cross, nothing else; a host that is not there swallows them. */
  #tunnel(from: string, by: 'tunnelPort' | 'gatewayPort', packet: Packet, flying: InFlight[]): void {
    const host = ipv4Text(Number(packet.tun_dst ?? 0));
    const inPort = this.#hosts.get(host)?.[by] ?? null;
    if (inPort === null) return;
    const tunnel_id = BigInt(packet.tunnel_id ?? 0) & 0xffffffn;
    flying.push({
      host,
      inPort,
      packet: { ...onTheWire(packet), tunnel_id, tun_src: ipv4(from), tun_dst: ipv4(host) },
    });
  }

  /** A physical network: all on it get the frame but who sent it. */
  #onWire(physicalNetwork: string, packet: Packet, from: string | Vm, flying: InFlight[], received: Received[]): void {
    for (const [host, { wires }] of this.#hosts) {
      if (host === from) continue;
      for (const [inPort, name] of wires) if (name === physicalNetwork) flying.push({ host, inPort, packet });
    }
    const { vlan_vid = 0, ...untagged } = packet;
    for (const vm of this.#outside) {
      const vid = vm.at?.vlan == null ? 0 : VLAN_TAGGED | vm.at.vlan;
      if (vm !== from && vm.at?.physicalNetwork === physicalNetwork && vlan_vid === vid && isFor(vm, untagged))
        received.push({ vm, packet: untagged });
    }
  }

  /** Whose interface is at a port: of tagged frames that which the VM has for the tag, or else the VM itself with the tag as it is. */
  #givenTo(host: string, port: number, packet: Packet): Received | undefined {
    const id = this.#hosts.get(host)?.ifaceAt(port);
    if (id === undefined) return undefined;
    const { vlan_vid, ...untagged } = packet;
    const sub = vlan_vid === undefined ? undefined : this.#vms.get(vmKey(host, id, Number(vlan_vid) & 0xfff));
    if (sub !== undefined) return { vm: sub, packet: untagged };
    const vm = this.#vms.get(vmKey(host, id));
    return vm && { vm, packet };
  }
}

function tagged(packet: Packet, vlan: number | null): Packet {
  return vlan === null ? packet : { ...packet, vlan_vid: VLAN_TAGGED | vlan };
}

/** Learns what an ARP reply or a neighbour advertisement says, as a kernel does. */
function learn(vm: Vm, packet: Packet): void {
  if (packet.eth_dst !== vm.macNumber) return;
  if (packet.arp_op === 2) vm.neighbours.set(ipv4Text(Number(packet.arp_spa)), Number(packet.arp_sha));
  if (packet.icmpv6_type === 136) vm.neighbours.set(ipv6Text(BigInt(packet.nd_target!)), Number(packet.nd_tll));
}

function answerOf(vm: Vm, packet: Packet): Packet | null {
  const own = vm.ips.map(numeric);
  if (packet.arp_op === 1 && own.includes(Number(packet.arp_tpa))) {
    const asker = { mac: Number(packet.arp_sha), ip: Number(packet.arp_spa) };
    return arpReply({ mac: vm.macNumber, ip: Number(packet.arp_tpa) }, asker);
  }
  if (packet.icmpv6_type === 135 && own.includes(BigInt(packet.nd_target!))) {
    const asker = { mac: Number(packet.eth_src), ip: BigInt(packet.ipv6_src!) };
    return neighborAdvertisement({ mac: vm.macNumber, ip: BigInt(packet.nd_target!) }, asker);
  }
  return null;
}

/** A network card takes what is for it or for many. */
function isFor(vm: Vm, { eth_dst }: Packet): boolean {
  return eth_dst === vm.macNumber || Math.floor(Number(eth_dst) / 2 ** 40) % 2 === 1;
}

/** A kernel takes what is for its own MAC and one of its addresses. */
function accepts(vm: Vm, packet: Packet): boolean {
  const to = packet.ipv4_dst ?? packet.ipv6_dst;
  return packet.eth_dst === vm.macNumber && to !== undefined && vm.ips.some((ip) => numeric(ip) === to);
}

function question(from: number, own: string, ip: string): Packet {
  if (isIpv6(ip)) return neighborSolicitation({ mac: from, ip: ipv6(own) }, ipv6(ip));
  return arpRequest({ mac: from, ip: ipv4(own) }, ipv4(ip));
}

function echo(
  kind: 'request' | 'reply',
  from: { readonly mac: number; readonly ip: string },
  to: { readonly mac: number; readonly ip: string },
): Packet {
  if (isIpv6(to.ip)) return icmpv6Echo(kind, { mac: from.mac, ip: ipv6(from.ip) }, { mac: to.mac, ip: ipv6(to.ip) });
  return icmpEcho(kind, { mac: from.mac, ip: ipv4(from.ip) }, { mac: to.mac, ip: ipv4(to.ip) });
}

function nextHop(vm: Vm, ip: string): string {
  const subnets = (vm.subnets ?? []).filter(({ cidr }) => isIpv6(cidr) === isIpv6(ip));
  return subnets.some(({ cidr }) => contains(cidr, ip)) ? ip : (subnets[0]?.gateway ?? ip);
}

function ownAddress(vm: Vm, like: string): string | null {
  return vm.ips.find((ip) => isIpv6(ip) === isIpv6(like)) ?? null;
}

function addressText(ip: number | bigint): string {
  return typeof ip === 'bigint' ? ipv6Text(ip) : ipv4Text(ip);
}

function numeric(ip: string): number | bigint {
  return isIpv6(ip) ? ipv6(ip) : ipv4(ip);
}

function pathOf(hops: readonly Hop[]): string[] {
  return hops.flatMap(({ host, inPort, walk }) => [
    `${host}:${inPort}`,
    ...walk.outputs.map(({ port }) => `${host}:${port}`),
  ]);
}

function keyOf({ host, id, trunk }: Vm): string {
  return trunk === undefined ? vmKey(host, id) : vmKey(host, trunk.parentId, trunk.vlan);
}

function vmKey(host: string, id: string, vlan?: number): string {
  return vlan === undefined ? `${host} ${id}` : `${host} ${id} ${vlan}`;
}
