import type {
  Change,
  Network,
  NetworkId,
  Node,
  Port,
  Router,
  RuledNetworkAcl,
  RuledSecurityGroup,
  AddressGroup,
  Subnet,
} from '@alcor/network';

/** What tenants want, in the nouns of the API. */
export interface Plan {
  readonly nodes: readonly Node[];
  readonly networks: readonly Network[];
  readonly subnets: readonly Subnet[];
  readonly addressGroups: readonly AddressGroup[];
  readonly securityGroups: readonly RuledSecurityGroup[];
  readonly networkAcls: readonly RuledNetworkAcl[];
  readonly ports: readonly Port[];
  readonly routers: readonly Router[];
}

/** The plan as the feed would tell it: what is referred to first. */
export function changesOf(plan: Plan): Change[] {
  return [
    ...told('node', plan.nodes),
    ...told('network', plan.networks),
    ...told('subnet', plan.subnets),
    ...told('address-group', plan.addressGroups),
    ...told('security-group', plan.securityGroups),
    ...told('network-acl', plan.networkAcls),
    ...told('port', plan.ports),
    ...told('router', plan.routers),
  ];
}

function told(kind: Change['kind'], rows: readonly { readonly id: string; readonly revision: number }[]): Change[] {
  return rows.map((row) => ({ kind, id: row.id, revision: row.revision, row }) as unknown as Change);
}

export function networkOf(plan: Plan, id: NetworkId): Network {
  const found = plan.networks.find((network) => network.id === id);
  if (found === undefined) throw new Error(`no network ${id}`);
  return found;
}
