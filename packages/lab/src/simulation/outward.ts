import {
  contains,
  type FloatingIpId,
  type ForwardedFloatingIp,
  type ForwardingSummary,
  gatewayOf,
  isGateway,
  type MemoryFeed,
  type Network,
  type NetworkId,
  type Node,
  parseCidr,
  parseIp,
  plainNetwork,
  plainSubnet,
  type Port,
  type PortForwardingId,
  type PortId,
  type Router,
  type RouterGateway,
  type SubnetId,
} from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';

const at = new Date(0);
const tenant = { projectId: 'operator', name: '', description: '', createdAt: at, updatedAt: at };

/** A physical network, which most hosts have a bridge to, at this port of their switch. */
export const PHYSICAL = 'physnet1';
export const WIRE_PORT = 50_000;
/** Behind the machine that is the way on from every external network. */
export const FAR = '198.51.100.7';
const MOST_FLOATING = 6;

export interface ExternalNetwork {
  readonly id: NetworkId;
  readonly vlan: number | null;
  /** Of its /24. */
  readonly block: string;
  /** Of the machine outside that is its gateway. */
  readonly mac: string;
}

/** One without a tag on the wire, one with. */
export const externalNetworks: readonly ExternalNetwork[] = [
  { id: 'ext-1' as NetworkId, vlan: null, block: '203.0.113', mac: '02:00:00:00:0e:01' },
  { id: 'ext-2' as NetworkId, vlan: 7, block: '198.18.0', mac: '02:00:00:00:0e:02' },
];

/** The part of the work that leads outside: gateways of routers, floating IPs, forwarded ports, by the API's rules. */
export class Outward {
  readonly #random: Random;
  readonly #feed: MemoryFeed;
  readonly #floating: FloatingIpId[] = [];
  readonly #ledTo = new Map<string, Set<NetworkId>>();
  #made = 0;

  constructor(random: Random, feed: MemoryFeed) {
    this.#random = random;
    this.#feed = feed;
    for (const [n, external] of externalNetworks.entries()) this.#makeExternal(external, n);
  }

  /** Addresses of the region on the external network, and the MACs that answer for them. */
  addressesOn(networkId: NetworkId, routers: readonly Router[]): { readonly ip: string; readonly mac: string }[] {
    const gateways = routers.flatMap(({ gateway }) =>
      gateway?.networkId === networkId ? gateway.fixedIps.map(({ ip }) => ({ ip, mac: gateway.mac })) : [],
    );
    return [...gateways, ...this.floatingIps.filter((each) => each.networkId === networkId)];
  }

  /** Networks of the ports that the address has ever led to, by address. */
  get ledTo(): ReadonlyMap<string, ReadonlySet<NetworkId>> {
    return this.#ledTo;
  }

  get floatingIps(): ForwardedFloatingIp[] {
    return this.#floating.map((id) => this.#feed.get('floating-ip', id)!);
  }

  step(ports: readonly Port[], routers: readonly Router[]): string {
    const dice = this.#random.next();
    if (routers.length > 0 && dice < 0.25) return this.#setGateway(pick(this.#random, routers));
    const floating = this.floatingIps;
    if (dice < 0.5 && floating.length < MOST_FLOATING) return this.#makeFloating();
    if (floating.length === 0) return 'nothing';
    const one = pick(this.#random, floating);
    if (dice < 0.58) return this.#delete(one);
    if (dice < 0.66) return this.#setFree(one);
    const reachable = ports.filter((port) => this.#routerFor(port, one, routers) !== undefined);
    if (reachable.length === 0) return 'nothing';
    return this.#lead(one, pick(this.#random, reachable), routers);
  }

  /** Floating IPs and forwardings of a port that goes are let go of. */
  forget(portId: PortId): void {
    for (const each of this.floatingIps) {
      if (each.portId === portId) this.#setFree(each);
      else if (each.forwardings.some((forwarding) => forwarding.portId === portId))
        this.#putForwardings(
          each,
          each.forwardings.filter((forwarding) => forwarding.portId !== portId),
        );
    }
  }

  /** Whether an address outside stands for a port behind this router on this network, so that it has to stay there. */
  isUsed({ id }: Router, networkId?: NetworkId): boolean {
    const isOn = (portId: PortId | null): boolean =>
      networkId === undefined || (portId !== null && this.#feed.get('port', portId)?.networkId === networkId);
    return this.floatingIps.some(
      ({ routerId, portId, forwardings }) =>
        routerId === id && (isOn(portId) || forwardings.some((each) => isOn(each.portId))),
    );
  }

  /** Some host can have the router's gateway. */
  hasGatewayHost({ id }: Router, nodes: readonly Node[]): boolean {
    const able = nodes.filter((node) => isGateway(node) && reachesWire(node));
    return (
      gatewayOf(
        id,
        able.map((node) => node.id),
      ) !== undefined
    );
  }

  #makeExternal({ id, vlan, block }: ExternalNetwork, n: number): void {
    const network: Network = {
      ...tenant,
      ...plainNetwork,
      id,
      revision: 1,
      vni: 1_000 + n,
      external: true,
      networkType: vlan === null ? 'flat' : 'vlan',
      physicalNetwork: PHYSICAL,
      vlan,
    };
    this.#feed.put('network', network);
    this.#feed.put('subnet', {
      ...tenant,
      ...plainSubnet,
      id: subnetIdOf(id),
      revision: 1,
      networkId: id,
      cidr: `${block}.0/24`,
      gatewayIp: `${block}.1`,
    });
  }

  #setGateway(router: Router): string {
    if (this.isUsed(router)) return 'nothing';
    const gateway = this.#random.next() < 0.8 ? this.#someGateway() : null;
    this.#feed.put('router', {
      ...router,
      revision: router.revision + 1,
      gateway,
      gatewayPortId: gateway === null ? null : (`gateway of ${router.id}` as PortId),
      enableSnat: gateway?.enableSnat ?? true,
    });
    return `${router.id} leads ${gateway === null ? 'nowhere' : `to ${gateway.networkId}${gateway.enableSnat ? '' : ' untranslated'}`}`;
  }

  #someGateway(): RouterGateway {
    const { id: networkId, block } = pick(this.#random, externalNetworks);
    const n = ++this.#made;
    return {
      networkId,
      enableSnat: this.#random.next() < 0.6,
      mac: macOf(n),
      fixedIps: [{ subnetId: subnetIdOf(networkId), ip: `${block}.${10 + (n % 240)}` }],
      qosPolicyId: null,
    };
  }

  #makeFloating(): string {
    const { id: networkId, block } = pick(this.#random, externalNetworks);
    const n = ++this.#made;
    const id = `floating-${n}` as FloatingIpId;
    this.#floating.push(id);
    const { name: _, ...resource } = tenant;
    this.#feed.put('floating-ip', {
      ...resource,
      id,
      revision: 1,
      networkId,
      ip: `${block}.${10 + (n % 240)}`,
      mac: macOf(n),
      externalPortId: `port of ${id}` as PortId,
      ...nothing,
      qosPolicyId: null,
    });
    return `make ${id} on ${networkId}`;
  }

  /** One that has no forwardings stands for the port, now and then it forwards ports of its own. */
  #lead(floating: ForwardedFloatingIp, port: Port, routers: readonly Router[]): string {
    const { id: routerId } = this.#routerFor(port, floating, routers)!;
    this.#ledTo.set(floating.ip, (this.#ledTo.get(floating.ip) ?? new Set()).add(port.networkId));
    const [{ ip: fixedIp } = { ip: '' }] = port.fixedIps;
    if (this.floatingIps.some((each) => each.id !== floating.id && isLedTo(each, port))) return 'nothing';
    const forwards = floating.forwardings.length > 0 || (floating.portId === null && this.#random.next() < 0.4);
    if (forwards) {
      if (floating.routerId !== null && floating.routerId !== routerId) return 'nothing';
      const taken = floating.forwardings.map(({ externalPorts }) => externalPorts);
      const first = 8_000 + between(this.#random, 0, 9);
      if (taken.includes(`${first}:${first}`)) return 'nothing';
      const forwarding: ForwardingSummary = {
        id: `forwarding-${++this.#made}` as PortForwardingId,
        portId: port.id,
        fixedIp,
        protocol: pick(this.#random, ['tcp', 'udp'] as const),
        externalPorts: `${first}:${first}`,
        internalPorts: '80:80',
      };
      this.#putForwardings({ ...floating, routerId }, [...floating.forwardings, forwarding]);
      return `${floating.id} forwards ${first} to ${port.id}`;
    }
    this.#put({ ...floating, portId: port.id, fixedIp, routerId });
    return `${floating.id} stands for ${port.id}`;
  }

  #setFree(floating: ForwardedFloatingIp): string {
    if (floating.routerId === null) return 'nothing';
    this.#put({ ...floating, ...nothing });
    return `${floating.id} stands for nobody`;
  }

  #putForwardings(floating: ForwardedFloatingIp, forwardings: readonly ForwardingSummary[]): void {
    this.#put({ ...floating, forwardings, routerId: forwardings.length === 0 ? null : floating.routerId });
  }

  #put(floating: ForwardedFloatingIp): void {
    this.#feed.put('floating-ip', { ...floating, revision: floating.revision + 1 });
  }

  #delete({ id }: ForwardedFloatingIp): string {
    this.#floating.splice(this.#floating.indexOf(id), 1);
    this.#feed.remove('floating-ip', id);
    return `delete ${id}`;
  }

  /** That which joins the port's network with that of the floating IP. */
  #routerFor(port: Port, { networkId }: ForwardedFloatingIp, routers: readonly Router[]): Router | undefined {
    return routers.find(
      ({ gateway, interfaces }) =>
        gateway?.networkId === networkId && interfaces.some((each) => each.networkId === port.networkId),
    );
  }
}

/** A port that one stands for may have no others, nor be forwarded to. */
function isLedTo({ portId, forwardings }: ForwardedFloatingIp, { id }: Port): boolean {
  return portId === id || forwardings.some((each) => each.portId === id);
}

const nothing = { portId: null, fixedIp: null, routerId: null, forwardings: [] } as const;

export function reachesWire({ bridgeMappings = {} }: Node): boolean {
  return Object.hasOwn(bridgeMappings, PHYSICAL);
}

/** Whether the address is one that who is outside can answer without a router. */
export function isOutside(ip: string): boolean {
  return externalNetworks.some(({ block }) => contains(parseCidr(`${block}.0/24`)!, parseIp(ip)!));
}

function subnetIdOf(id: NetworkId): SubnetId {
  return `subnet of ${id}` as SubnetId;
}

function macOf(n: number): string {
  return `fa:16:3f:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 0xff).toString(16).padStart(2, '0')}`;
}
