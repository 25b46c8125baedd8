import type { OneOf, TenantFilter, TenantInput, TenantPatch, TenantSortKey } from './collection.ts';
import type { Branded, PortId, Resource } from './nouns.ts';
import type { RouterId } from './router.ts';

export type NdpProxyId = Branded<'NdpProxyId'>;

/**
 * That a router answers neighbour discovery on its external network for an IPv6 address behind it, so that the outside reaches
 * the address without translation.
 */
export interface NdpProxy extends Resource<NdpProxyId> {
  readonly routerId: RouterId;
  readonly portId: PortId;
  readonly ip: string;
}

/** What a port has of it. */
export type ProxiedAddress = Pick<NdpProxy, 'routerId' | 'ip'>;

export interface NdpProxyTypes {
  readonly id: NdpProxyId;
  readonly view: NdpProxy;
  readonly create: CreateNdpProxy;
  readonly update: TenantPatch;
  readonly filter: TenantFilter<NdpProxyId> & {
    readonly routerId?: OneOf<RouterId>;
    readonly portId?: OneOf<PortId>;
    readonly ip?: OneOf<string>;
  };
  readonly sortKey: TenantSortKey | 'routerId' | 'portId' | 'ip';
}

export interface CreateNdpProxy extends TenantInput {
  readonly routerId: RouterId;
  readonly portId: PortId;
  /** Default: the port's first IPv6 address that the router reaches. */
  readonly ip?: string | null | undefined;
}
