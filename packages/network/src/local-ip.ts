import type { OneOf, TenantFilter, TenantInput, TenantPatch, TenantSortKey } from './collection.ts';
import type { Branded, NetworkId, PortId, Resource } from './nouns.ts';

export type LocalIpId = Branded<'LocalIpId'>;

/** `translate`: guests that answer for it see their own address; `passthrough`: they see it as it is. */
export const localIpModes = ['translate', 'passthrough'] as const;

/** An IPv4 address that each host leads to a port of its own, if it has one that stands for it. */
export interface LocalIp extends Resource<LocalIpId> {
  /** Holds the address; a user's own, or one made for the purpose. */
  readonly localPortId: PortId;
  readonly networkId: NetworkId;
  readonly ip: string;
  readonly mode: (typeof localIpModes)[number];
}

export interface LocalIpTypes {
  readonly id: LocalIpId;
  readonly view: LocalIp;
  readonly create: CreateLocalIp;
  readonly update: TenantPatch;
  readonly filter: TenantFilter<LocalIpId> & {
    readonly localPortId?: OneOf<PortId>;
    readonly networkId?: OneOf<NetworkId>;
    readonly ip?: OneOf<string>;
    readonly mode?: OneOf<string>;
  };
  readonly sortKey: TenantSortKey | 'localPortId' | 'networkId' | 'ip' | 'mode';
}

export interface CreateLocalIp extends TenantInput {
  /** The port whose address it is. */
  readonly localPortId?: PortId | undefined;
  /** Where a port for it is made. Means nothing beside `localPortId`. */
  readonly networkId?: NetworkId | undefined;
  /** Default: the port's only IPv4 address, or a free one of the network. */
  readonly ip?: string | null | undefined;
  /** Default: translate. */
  readonly mode?: LocalIp['mode'] | undefined;
}

/** That a port stands for a local IP on its host. */
export interface LocalIpAssociation {
  readonly id: string;
  readonly localIpId: LocalIpId;
  readonly fixedPortId: PortId;
  readonly fixedIp: string;
}

/** What a port has of it. */
export type StandsFor = Pick<LocalIp, 'ip' | 'mode'> & Pick<LocalIpAssociation, 'fixedIp'>;

export interface LocalIpAssociationView extends LocalIpAssociation {
  /** The local IP. */
  readonly localIp: string;
  /** Where the port is bound; empty: nowhere. */
  readonly hostId: string;
}

export interface LocalIpAssociationTypes {
  readonly id: string;
  readonly view: LocalIpAssociationView;
  readonly create: {
    readonly localIpId: LocalIpId;
    readonly fixedPortId: PortId;
    /** Default: the port's only IPv4 address. */
    readonly fixedIp?: string | null | undefined;
  };
  readonly update: object;
  readonly filter: {
    readonly localIpId?: OneOf<LocalIpId>;
    readonly fixedPortId?: OneOf<PortId>;
    readonly fixedIp?: OneOf<string>;
    readonly localIp?: OneOf<string>;
    readonly hostId?: OneOf<string>;
    /** Only those of local IPs of this project. */
    readonly visibleTo?: string | undefined;
  };
  readonly sortKey: 'id' | 'fixedPortId' | 'fixedIp' | 'localIp' | 'hostId';
}
