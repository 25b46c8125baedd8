import type { OneOf } from './collection.ts';
import type { Branded } from './nouns.ts';

export type FlavorId = Branded<'FlavorId'>;
export type ServiceProfileId = Branded<'ServiceProfileId'>;

/** A choice of service that users are offered. */
export interface Flavor {
  readonly id: FlavorId;
  readonly name: string;
  readonly description: string;
  /** `L3_ROUTER_NAT`: what kind of service it is a flavor of. */
  readonly serviceType: string;
  readonly enabled: boolean;
  /** How it is provided, oldest association first. */
  readonly serviceProfileIds: readonly ServiceProfileId[];
}

/** How a flavor is provided. */
export interface ServiceProfile {
  readonly id: ServiceProfileId;
  readonly description: string;
  /** A service provider's driver; empty: `metainfo` says it all. */
  readonly driver: string;
  readonly metainfo: string;
  readonly enabled: boolean;
}

export interface FlavorTypes {
  readonly id: FlavorId;
  readonly view: Flavor;
  readonly create: CreateFlavor;
  readonly update: UpdateFlavor;
  readonly filter: FlavorFilter;
  readonly sortKey: 'id' | 'name' | 'description' | 'serviceType' | 'enabled';
}

export interface CreateFlavor {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly serviceType: string;
  /** Default: true. */
  readonly enabled?: boolean | undefined;
  readonly serviceProfileIds?: readonly ServiceProfileId[] | undefined;
}

export interface UpdateFlavor {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly enabled?: boolean | undefined;
  /** The whole new list. */
  readonly serviceProfileIds?: readonly ServiceProfileId[] | undefined;
}

export interface FlavorFilter {
  readonly id?: OneOf<FlavorId>;
  readonly name?: OneOf<string>;
  readonly description?: OneOf<string>;
  readonly serviceType?: OneOf<string>;
  readonly enabled?: OneOf<boolean>;
}

export interface ServiceProfileTypes {
  readonly id: ServiceProfileId;
  readonly view: ServiceProfile;
  readonly create: CreateServiceProfile;
  readonly update: CreateServiceProfile;
  readonly filter: ServiceProfileFilter;
  readonly sortKey: 'id' | 'description' | 'driver' | 'metainfo' | 'enabled';
}

/** ServiceProfileEmpty where neither a driver nor metainfo says anything. */
export interface CreateServiceProfile {
  readonly description?: string | undefined;
  readonly driver?: string | undefined;
  readonly metainfo?: string | undefined;
  /** Default: true. */
  readonly enabled?: boolean | undefined;
}

export interface ServiceProfileFilter {
  readonly id?: OneOf<ServiceProfileId>;
  readonly description?: OneOf<string>;
  readonly driver?: OneOf<string>;
  readonly enabled?: OneOf<boolean>;
}

/** That a profile provides a flavor; once each. */
export interface FlavorServiceProfile {
  readonly id: string;
  readonly flavorId: FlavorId;
  readonly serviceProfileId: ServiceProfileId;
}

export interface FlavorServiceProfileTypes {
  readonly id: string;
  readonly view: FlavorServiceProfile;
  readonly create: Omit<FlavorServiceProfile, 'id'>;
  readonly update: object;
  readonly filter: { readonly flavorId?: OneOf<FlavorId>; readonly serviceProfileId?: OneOf<ServiceProfileId> };
  readonly sortKey: 'id' | 'serviceProfileId';
}

/** Who provides services of a type in this region. */
export interface ServiceProvider {
  readonly serviceType: string;
  readonly name: string;
  readonly driver: string;
  readonly isDefault: boolean;
}

/** The kinds of service that a flavor may be of. */
export const serviceTypes = ['L3_ROUTER_NAT', 'FLAVORS', 'QOS', 'METERING', 'TRUNK'] as const;

/** Routers are of the region itself: spread over all hosts. */
export const serviceProviders: readonly ServiceProvider[] = [
  { serviceType: 'L3_ROUTER_NAT', name: 'alcor', driver: 'alcor', isDefault: true },
];
