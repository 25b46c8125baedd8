import type {
  Change,
  ForwardedFloatingIp,
  Network,
  NetworkId,
  Node,
  Port,
  Router,
  RuledNetworkAcl,
  RuledQosPolicy,
  RuledSecurityGroup,
  AddressGroup,
  Subnet,
} from '@alcor/network';
import { gatewayOf, isGateway } from '@alcor/network';

/** The physical network that some hosts have a bridge to. */
export const PHYSICAL = 'physical';

/** On the wire of an external network, and no port of the region. */
export interface Machine {
  readonly id: string;
  readonly networkId: NetworkId;
  readonly mac: string;
  /** Those that it answers for. */
  readonly ips: readonly string[];
}

/** What tenants want, in the nouns of the API; and who is outside. */
export interface Plan {
  readonly nodes: readonly Node[];
  readonly qosPolicies: readonly RuledQosPolicy[];
  readonly networks: readonly Network[];
  readonly subnets: readonly Subnet[];
  readonly addressGroups: readonly AddressGroup[];
  readonly securityGroups: readonly RuledSecurityGroup[];
  readonly networkAcls: readonly RuledNetworkAcl[];
  readonly ports: readonly Port[];
  readonly routers: readonly Router[];
  readonly floatingIps: readonly ForwardedFloatingIp[];
  readonly machines: readonly Machine[];
}

/** The plan as the feed would tell it: what is referred to first. */
export function changesOf(plan: Plan): Change[] {
  return [
    ...told('node', plan.nodes),
    ...told('qos-policy', plan.qosPolicies),
    ...told('network', plan.networks),
    ...told('subnet', plan.subnets),
    ...told('address-group', plan.addressGroups),
    ...told('security-group', plan.securityGroups),
    ...told('network-acl', plan.networkAcls),
    ...told('port', plan.ports),
    ...told('router', plan.routers),
    ...told('floating-ip', plan.floatingIps),
  ];
}

function told(kind: Change['kind'], rows: readonly { readonly id: string; readonly revision: number }[]): Change[] {
  return rows.map((row) => ({ kind, id: row.id, revision: row.revision, row }) as unknown as Change);
}

/** The sub-port that is reached by the interface of the port under the tag. */
export function subPortOf(plan: Plan, parentId: string, vlan: number): Port | undefined {
  return plan.ports.find(({ trunk }) => trunk?.parentId === parentId && trunk.vlan === vlan);
}

export function reachesWire({ nodes }: Plan, hostId: string | null): boolean {
  return nodes.find(({ id }) => id === hostId)?.bridgeMappings?.[PHYSICAL] !== undefined;
}

export function networkOf(plan: Plan, id: NetworkId): Network {
  const found = plan.networks.find((network) => network.id === id);
  if (found === undefined) throw new Error(`no network ${id}`);
  return found;
}

/** Of the hosts that may have gateways and reach the wire, the one that has the router's. */
export function gatewayHostOf(plan: Plan, { id, adminStateUp, gateway }: Router): string | undefined {
  if (!adminStateUp || gateway === null) return undefined;
  const able = plan.nodes.filter((node) => isGateway(node) && reachesWire(plan, node.id));
  return gatewayOf(
    id,
    able.map((node) => node.id),
  );
}
