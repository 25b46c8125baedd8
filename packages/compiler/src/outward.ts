import { type Goal, FloatingIpConfiguration } from '@alcor/contract';
import {
  type FloatingIpId,
  type ForwardedFloatingIp,
  gatewayOf,
  isGateway,
  type Network,
  type NetworkId,
  type Node,
  type NodeId,
  type Port,
  type PortId,
  type QosPolicyId,
  type Router,
  type RouterId,
  type RuledQosPolicy,
  portsOf,
} from '@alcor/network';
import type { Meaning } from './delta.ts';
import { limitsAndMark } from './policy-goal.ts';
import { networksOf, routerGoal } from './router-goal.ts';

/** The rows that say by which hosts routers lead out of the region. */
export interface OutwardRows {
  readonly network: (id: NetworkId) => Network | undefined;
  readonly port: (id: PortId) => Port | undefined;
  readonly node: (id: NodeId) => Node | undefined;
  readonly router: (id: RouterId) => Router | undefined;
  readonly policy: (id: QosPolicyId) => RuledQosPolicy | undefined;
  /** Those that have routers' gateways: few, however many nodes there are. */
  readonly gateways: () => Iterable<Node>;
}

/** Whether the node has a bridge to the physical network that the network lies on. */
function reaches({ bridgeMappings = {} }: Node, network: Network | undefined): boolean {
  return network?.physicalNetwork != null && Object.hasOwn(bridgeMappings, network.physicalNetwork);
}

/** The host that has the router's gateway: of the gateway hosts that reach its external network, the one that wants it most. */
export function gatewayHostOf({ id, gateway }: Router, rows: OutwardRows): Node | undefined {
  if (gateway === null) return undefined;
  const external = rows.network(gateway.networkId);
  if (external?.physicalNetwork == null) return undefined;
  const able = [...rows.gateways()].filter((node) => reaches(node, external)).map((node) => node.id);
  const best = gatewayOf(id, able);
  return best === undefined ? undefined : rows.node(best);
}

/** Told to each network that the router serves, and to the host that has its gateway, which is in all of them. */
export function routerMeaning(router: Router, rows: OutwardRows): Meaning {
  const host = gatewayHostOf(router, rows);
  const policy = router.gateway === null ? undefined : policyOf(router.gateway, rows);
  return networksOf(router).flatMap((vpcId) => {
    const goal = routerGoal(router, vpcId, { host, policy });
    const told = { audience: `vpc/${vpcId}`, goal } as const;
    return host === undefined ? [told] : [told, { audience: `host/${host.id}`, goal } as const];
  });
}

/** Its own policy, or that of the external network that it is on. */
function policyOf(
  { qosPolicyId, networkId }: { readonly qosPolicyId: QosPolicyId | null; readonly networkId: NetworkId },
  rows: OutwardRows,
): RuledQosPolicy | undefined {
  const id = qosPolicyId ?? rows.network(networkId)?.qosPolicyId ?? null;
  return id === null ? undefined : rows.policy(id);
}

/**
 * Told to the host that answers for it: that of its port where it stands for one and the host reaches the external network, else the one that
 * has its router's gateway.
 */
export function floatingIpMeaning(floating: ForwardedFloatingIp, rows: OutwardRows): Meaning {
  const hostId = hostOf(floating, rows);
  return hostId === undefined
    ? []
    : [{ audience: `host/${hostId}`, goal: floatingIpGoal(floating, policyOf(floating, rows)) }];
}

function hostOf({ portId, routerId }: ForwardedFloatingIp, rows: OutwardRows): NodeId | undefined {
  const router = routerId === null ? undefined : rows.router(routerId);
  if (router?.gateway == null) return undefined;
  const node = rows.node((portId === null ? undefined : rows.port(portId)?.hostId) ?? ('' as NodeId));
  if (node !== undefined && reaches(node, rows.network(router.gateway.networkId))) return node.id;
  return gatewayHostOf(router, rows)?.id;
}

function floatingIpGoal(floating: ForwardedFloatingIp, policy: RuledQosPolicy | undefined): Goal {
  return {
    kind: 'floating-ip',
    state: FloatingIpConfiguration.fromPartial({
      id: floating.id,
      revisionNumber: floating.revision,
      vpcId: floating.networkId,
      ipAddress: floating.ip,
      macAddress: floating.mac,
      routerId: floating.routerId ?? '',
      fixedIpAddress: floating.fixedIp ?? '',
      ...limitsAndMark(policy),
      portForwardings: floating.forwardings.map(({ id, protocol, fixedIp, externalPorts, internalPorts }) => {
        const [external, internal] = [portsOf(externalPorts), portsOf(internalPorts)];
        return {
          id,
          protocol: protocol === 'tcp' ? 6 : 17,
          fixedIpAddress: fixedIp,
          externalFirst: external.first,
          externalLast: external.last,
          internalFirst: internal.first,
          internalLast: internal.last,
        };
      }),
    }),
  };
}

/** Which rows the meaning of others depends on: so that a change of one finds them without a look at the rest. */
export class OutwardIndex {
  readonly floatingOnPort = new Uses<PortId, FloatingIpId>();
  readonly floatingOnRouter = new Uses<RouterId, FloatingIpId>();
  readonly routersOut = new Uses<NetworkId, RouterId>();
  readonly floatingOfPolicy = new Uses<QosPolicyId, FloatingIpId>();
  readonly routersOfPolicy = new Uses<QosPolicyId, RouterId>();
  readonly networksOfPolicy = new Uses<QosPolicyId, NetworkId>();
  readonly gateways = new Map<NodeId, Node>();

  setNode(id: NodeId, node: Node | undefined): void {
    if (node !== undefined && isGateway(node)) this.gateways.set(id, node);
    else this.gateways.delete(id);
  }

  replaceFloatingIp(before: ForwardedFloatingIp | undefined, after: ForwardedFloatingIp | undefined): void {
    const id = (before ?? after)?.id;
    this.floatingOnPort.move(before?.portId ?? null, after?.portId ?? null, id);
    this.floatingOnRouter.move(before?.routerId ?? null, after?.routerId ?? null, id);
    this.floatingOfPolicy.move(before?.qosPolicyId ?? null, after?.qosPolicyId ?? null, id);
  }

  replaceRouter(before: Router | undefined, after: Router | undefined): void {
    const id = (before ?? after)?.id;
    this.routersOut.move(before?.gateway?.networkId ?? null, after?.gateway?.networkId ?? null, id);
    this.routersOfPolicy.move(before?.gateway?.qosPolicyId ?? null, after?.gateway?.qosPolicyId ?? null, id);
  }

  replaceNetwork(before: Network | undefined, after: Network | undefined): void {
    this.networksOfPolicy.move(before?.qosPolicyId ?? null, after?.qosPolicyId ?? null, (before ?? after)?.id);
  }

  /** What a change of the policy concerns. */
  usersOf(policy: QosPolicyId): { readonly routers: readonly RouterId[]; readonly floating: readonly FloatingIpId[] } {
    const inherit = this.networksOfPolicy.of(policy).flatMap((id) => this.routersOut.of(id));
    return {
      routers: [...new Set([...this.routersOfPolicy.of(policy), ...inherit])],
      floating: this.floatingOfPolicy.of(policy),
    };
  }
}

/** Who uses what. */
class Uses<Used extends string, User extends string> {
  readonly #users = new Map<Used, Set<User>>();

  of(used: Used): readonly User[] {
    const users = this.#users.get(used);
    return users === undefined ? [] : [...users];
  }

  /** All that use anything. */
  all(): readonly User[] {
    return [...this.#users.values()].flatMap((users) => [...users]);
  }

  move(before: Used | null, after: Used | null, user: User | undefined): void {
    if (before === after || user === undefined) return;
    if (before !== null) {
      const users = this.#users.get(before);
      users?.delete(user);
      if (users?.size === 0) this.#users.delete(before);
    }
    if (after !== null) this.#users.set(after, (this.#users.get(after) ?? new Set()).add(user));
  }
}
