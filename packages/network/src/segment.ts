import type { OneOf, TenantFilter, TenantSortKey } from './collection.ts';
import type { Branded, NetworkId, Resource } from './nouns.ts';

export type SegmentId = Branded<'SegmentId'>;
export type SegmentRangeId = Branded<'SegmentRangeId'>;

/** By tunnels between hosts, or on a physical network without or with a VLAN tag. */
export const networkTypes = ['vxlan', 'flat', 'vlan'] as const;
export type NetworkType = (typeof networkTypes)[number];

/** How a network is realised in the underlay. Every network has one. */
export interface Segment {
  readonly id: SegmentId;
  readonly networkId: NetworkId;
  /** Null until someone names it. */
  readonly name: string | null;
  readonly description: string;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface SegmentView extends Segment {
  /** These are its network's. */
  readonly networkType: NetworkType;
  readonly physicalNetwork: string | null;
  readonly segmentationId: number | null;
}

export interface SegmentTypes {
  readonly id: SegmentId;
  readonly view: SegmentView;
  readonly create: CreateSegment;
  readonly update: { readonly name?: string | null | undefined; readonly description?: string | undefined };
  readonly filter: SegmentFilter;
  readonly sortKey: Exclude<TenantSortKey, 'projectId'> | 'networkId' | 'segmentationId';
}

/** Always refused: the network has its segment already. NetworkNotFound where there is no such network. */
export interface CreateSegment {
  readonly networkId: NetworkId;
  readonly networkType?: NetworkType | undefined;
  readonly physicalNetwork?: string | null | undefined;
  readonly segmentationId?: number | null | undefined;
  readonly name?: string | null | undefined;
  readonly description?: string | undefined;
}

export interface SegmentFilter {
  readonly id?: OneOf<SegmentId>;
  readonly name?: OneOf<string>;
  readonly description?: OneOf<string>;
  readonly revision?: OneOf<number>;
  readonly networkId?: OneOf<NetworkId>;
  readonly networkType?: OneOf<NetworkType>;
  readonly physicalNetwork?: OneOf<string | null>;
  readonly segmentationId?: OneOf<number | null>;
}

/** VNIs that new networks get theirs out of. Ranges other than the default one do not overlap. */
export interface SegmentRange extends Resource<SegmentRangeId> {
  /** The one that the region is configured with; it does not change by the API. */
  readonly isDefault: boolean;
  /** True: for projects without VNIs of their own; `projectId` is empty then. False: for its project, and for no other. */
  readonly shared: boolean;
  readonly minimum: number;
  readonly maximum: number;
}

/** Free VNIs that a range shows at most. */
export const shownVnis = 4096;

export interface SegmentRangeView extends SegmentRange {
  /** The projects of its networks, by VNI. */
  readonly used: Readonly<Record<string, unknown>>;
  /** The lowest VNIs of it that no network has, `shownVnis` at most. */
  readonly available: readonly number[];
}

export interface SegmentRangeTypes {
  readonly id: SegmentRangeId;
  readonly view: SegmentRangeView;
  readonly create: CreateSegmentRange;
  readonly update: UpdateSegmentRange;
  readonly filter: SegmentRangeFilter;
  readonly sortKey: TenantSortKey | 'isDefault' | 'shared' | 'minimum' | 'maximum';
}

export interface CreateSegmentRange {
  readonly projectId: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  /** Default: true. */
  readonly shared?: boolean | undefined;
  readonly minimum: number;
  readonly maximum: number;
}

/** NetworkSegmentRangeDefaultReadOnly; NetworkSegmentRangeReferencedByProject where a network's VNI is at a bound given, or beyond. */
export interface UpdateSegmentRange {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

export interface SegmentRangeFilter extends TenantFilter<SegmentRangeId> {
  readonly isDefault?: OneOf<boolean>;
  readonly shared?: OneOf<boolean>;
  readonly minimum?: OneOf<number>;
  readonly maximum?: OneOf<number>;
}
