import type {
  AddressGroup,
  AddressGroupId,
  Change,
  NetworkId,
  Port,
  RuledSecurityGroup,
  SecurityGroupId,
} from '@alcor/network';
import { type Delta, difference, type Meaning } from './delta.ts';
import { addressGroupGoal, securityGroupGoal } from './group-goals.ts';
import { Table, type Work } from './table.ts';
import { Usage } from './usage.ts';
import { type VpcSize, VpcSizes } from './vpc-sizes.ts';

type ChangeOf<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;

/**
 * Which VPCs must know of which groups.
 *
 * ```
 *   bound port ──names──▶ security group ──its rules name──▶ address group
 *       └── is in ──▶ VPC ◀── is told of ──┴──────────────────────┘
 * ```
 *
 * Both arrows are counted by VPC, so that whoever names a group that is named there already costs nothing, and the last one to
 * leave takes it away. A group that is named and missing counts alike: it is told when it comes. Groups that rules name as
 * remote ones are told of by their members, who are neighbours.
 */
export class GroupGraph {
  readonly securityGroups: Table<SecurityGroupId, RuledSecurityGroup>;
  readonly addressGroups: Table<AddressGroupId, AddressGroup>;
  /** Bound ports of the VPC that name the group. */
  readonly #members = new Usage<SecurityGroupId, NetworkId>();
  /** Security groups with members in the VPC whose rules name the address group. */
  readonly #references = new Usage<AddressGroupId, NetworkId>();
  readonly #sizes = new VpcSizes();

  constructor(work: Work) {
    this.securityGroups = new Table(work);
    this.addressGroups = new Table(work);
  }

  sizeOf(vpcId: NetworkId): VpcSize {
    return this.#sizes.get(vpcId);
  }

  /** A port is in other groups, on a host or on none, or gone. */
  replacePort(before: Port | undefined, after: Port | undefined): Delta[] {
    return [...(isBound(after) ? this.#enter(after) : []), ...(isBound(before) ? this.#leave(before) : [])];
  }

  applySecurityGroup(change: ChangeOf<'security-group'>): Delta[] {
    const replaced = this.securityGroups.take(change);
    if (replaced === undefined) return [];
    const { before, after } = replaced;
    return [...this.#members.places(change.id)].flatMap((vpcId) => [
      ...this.#refer(after, vpcId),
      ...difference(groupMeaning(before, vpcId), groupMeaning(after, vpcId), change.revision),
      ...this.#unrefer(before, vpcId),
    ]);
  }

  applyAddressGroup(change: ChangeOf<'address-group'>): Delta[] {
    const replaced = this.addressGroups.take(change);
    if (replaced === undefined) return [];
    const { before, after } = replaced;
    return [...this.#references.places(change.id)].flatMap((vpcId) =>
      difference(addressMeaning(before, vpcId), addressMeaning(after, vpcId), change.revision),
    );
  }

  #enter({ networkId: vpcId, securityGroupIds }: Port): Delta[] {
    this.#sizes.addPort(vpcId);
    return securityGroupIds.flatMap((id) => {
      const members = this.#members.add(id, vpcId);
      this.#sizes.resizeGroup(vpcId, members - 1, members);
      if (members > 1) return [];
      const group = this.securityGroups.get(id);
      return [...this.#refer(group, vpcId), ...difference([], groupMeaning(group, vpcId), 0)];
    });
  }

  #leave({ networkId: vpcId, securityGroupIds }: Port): Delta[] {
    const deltas = securityGroupIds.flatMap((id) => {
      const members = this.#members.remove(id, vpcId);
      this.#sizes.resizeGroup(vpcId, members + 1, members);
      if (members > 0) return [];
      const group = this.securityGroups.get(id);
      const gone = difference(groupMeaning(group, vpcId), [], group?.revision ?? 0);
      return [...gone, ...this.#unrefer(group, vpcId)];
    });
    this.#sizes.removePort(vpcId);
    return deltas;
  }

  #refer(group: RuledSecurityGroup | undefined, vpcId: NetworkId): Delta[] {
    return addressGroupsOf(group).flatMap((id) =>
      this.#references.add(id, vpcId) > 1 ? [] : difference([], addressMeaning(this.addressGroups.get(id), vpcId), 0),
    );
  }

  #unrefer(group: RuledSecurityGroup | undefined, vpcId: NetworkId): Delta[] {
    return addressGroupsOf(group).flatMap((id) => {
      if (this.#references.remove(id, vpcId) > 0) return [];
      const row = this.addressGroups.get(id);
      return difference(addressMeaning(row, vpcId), [], row?.revision ?? 0);
    });
  }
}

function isBound(port: Port | undefined): port is Port {
  return port !== undefined && port.hostId !== null;
}

function addressGroupsOf(group: RuledSecurityGroup | undefined): readonly AddressGroupId[] {
  const named = group?.rules.flatMap(({ remoteAddressGroupId: id }) => (id === null ? [] : [id])) ?? [];
  return [...new Set(named)];
}

function groupMeaning(group: RuledSecurityGroup | undefined, vpcId: NetworkId): Meaning {
  return group === undefined ? [] : [{ audience: `vpc/${vpcId}`, goal: securityGroupGoal(group, vpcId) }];
}

function addressMeaning(group: AddressGroup | undefined, vpcId: NetworkId): Meaning {
  return group === undefined ? [] : [{ audience: `vpc/${vpcId}`, goal: addressGroupGoal(group, vpcId) }];
}
