import { refusal } from './errors.ts';
import type { OneOf, TenantFilter, TenantInput, TenantPatch, TenantSortKey } from './intent-store.ts';
import type { Branded, FixedIp, NetworkId, NodeId, PortId, Resource } from './nouns.ts';

export type LocalIpId = Branded<'LocalIpId'>;

/** An address that means, on each host, whichever associated port is on that host. */
export interface LocalIp extends Resource<LocalIpId> {
  /** The port that has the address elsewhere. */
  readonly localPortId: PortId;
  readonly networkId: NetworkId;
  readonly localIpAddress: string;
  readonly ipMode: 'translate' | 'passthrough';
}

/** A port that a local IP means on that port's host. Its id is the port's. */
export interface LocalIpAssociation {
  readonly id: PortId;
  readonly localIpId: LocalIpId;
  readonly projectId: string;
  readonly localIpAddress: string;
  readonly fixedIp: string;
  readonly host: NodeId | null;
}

export interface LocalIpTypes {
  readonly id: LocalIpId;
  readonly view: LocalIp;
  readonly create: CreateLocalIp;
  readonly update: TenantPatch;
  readonly filter: LocalIpFilter;
  readonly sortKey: TenantSortKey | 'localPortId' | 'networkId' | 'localIpAddress' | 'ipMode';
}

export interface CreateLocalIp extends TenantInput {
  /** One of the two: a port that has the address, or a network on which a port of its own is made for it. */
  readonly localPortId?: PortId | undefined;
  readonly networkId?: NetworkId | undefined;
  /** Which address of the port; needed where it has several. */
  readonly localIpAddress?: string | null | undefined;
  /** Default: translate. */
  readonly ipMode?: LocalIp['ipMode'] | undefined;
}

export interface LocalIpFilter extends TenantFilter<LocalIpId> {
  readonly localPortId?: OneOf<PortId>;
  readonly networkId?: OneOf<NetworkId>;
  readonly localIpAddress?: OneOf<string>;
  readonly ipMode?: OneOf<LocalIp['ipMode']>;
}

export interface LocalIpAssociationTypes {
  readonly id: PortId;
  readonly view: LocalIpAssociation;
  readonly create: { readonly localIpId: LocalIpId; readonly id: PortId; readonly fixedIp?: string | null | undefined };
  readonly update: object;
  readonly filter: LocalIpAssociationFilter;
  readonly sortKey: 'id' | 'fixedIp';
}

export interface LocalIpAssociationFilter {
  readonly id?: OneOf<PortId>;
  readonly localIpId?: OneOf<LocalIpId>;
  readonly fixedIp?: OneOf<string>;
  /** Only associations of local IPs that this project may see. */
  readonly visibleTo?: string | undefined;
}

/** The address of a port that a user means: the one named, or the only one. */
export function chosenAddress(
  port: { readonly id: PortId; readonly fixedIps: readonly FixedIp[] },
  wanted: string | null,
): string {
  const [first, ...more] = port.fixedIps;
  if (first === undefined) throw refusal('LocalIPNoIP', { portId: port.id });
  if (wanted === null) {
    if (more.length > 0) throw refusal('LocalIPNoRequestedIP', { portId: port.id });
    return first.ip;
  }
  if (port.fixedIps.some(({ ip }) => ip === wanted)) return wanted;
  throw refusal('LocalIPRequestedIPNotFound', { portId: port.id, ip: wanted });
}
