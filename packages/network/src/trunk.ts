import type { OneOf, TenantFilter, TenantInput, TenantPatch, TenantSortKey } from './collection.ts';
import type { Branded, PortId, Resource } from './nouns.ts';

export type TrunkId = Branded<'TrunkId'>;

/** A port of which a guest reaches other ports' networks too, told apart by VLAN tags. */
export interface Trunk extends Resource<TrunkId> {
  /** The parent: the untagged traffic. */
  readonly portId: PortId;
  readonly adminStateUp: boolean;
  readonly status: 'ACTIVE' | 'DOWN' | 'BUILD' | 'DEGRADED' | 'ERROR';
  /** In the order of their making. */
  readonly subPorts: readonly SubPort[];
}

export interface SubPort {
  readonly portId: PortId;
  readonly segmentationType: 'vlan';
  /** The tag: 1 to 4094, once a trunk. */
  readonly segmentationId: number;
}

/** Where a sub-port is reached: by its parent's interface, under this VLAN tag. */
export interface TrunkPlace {
  readonly parentId: PortId;
  readonly vlan: number;
}

/** A trunk as its parent shows it. */
export interface TrunkDetails {
  readonly trunkId: TrunkId;
  readonly subPorts: readonly (SubPort & { readonly mac: string })[];
}

export interface TrunkTypes {
  readonly id: TrunkId;
  readonly view: Trunk;
  readonly create: CreateTrunk;
  readonly update: UpdateTrunk;
  readonly filter: TrunkFilter;
  readonly sortKey: TenantSortKey | 'portId' | 'adminStateUp' | 'status';
}

export interface CreateTrunk extends TenantInput {
  readonly portId: PortId;
  /** Default: true. */
  readonly adminStateUp?: boolean | undefined;
  /** Default: none. */
  readonly subPorts?: readonly SubPort[] | undefined;
}

export interface UpdateTrunk extends TenantPatch {
  readonly adminStateUp?: boolean | undefined;
}

export interface TrunkFilter extends TenantFilter<TrunkId> {
  readonly portId?: OneOf<PortId>;
  readonly adminStateUp?: OneOf<boolean>;
  readonly status?: OneOf<Trunk['status']>;
}

/** What is done to the ports of a trunk. Both refuse with TrunkDisabled where it is not up, and answer the trunk as it is then. */
export interface TrunkActions {
  addSubPorts(id: TrunkId, subPorts: readonly SubPort[]): Promise<Trunk>;
  /** SubPortNotFound where one is not of the trunk; none is removed then. */
  removeSubPorts(id: TrunkId, portIds: readonly PortId[]): Promise<Trunk>;
}
