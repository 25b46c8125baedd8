import { refusal } from '@alcor/network';
import type { FlavorServiceProfileTypes, FlavorTypes, ServiceProfileTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history, identity } from './common.ts';

const flavorColumns = {
  id: identity.id,
  name: identity.name,
  description: identity.description,
  serviceType: { name: 'service_type', type: 'text' },
  enabled: { name: 'enabled', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

export const flavorResource: Resource<FlavorTypes> = {
  kind: null,
  table: 'flavors',
  columns: flavorColumns,
  composed: {
    serviceProfileIds: `(select coalesce(json_agg(b.service_profile_id order by b.id), '[]')
      from flavor_service_profiles b where b.flavor_id = t.id)`,
  },
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(flavorColumns, ['id', 'name', 'description', 'serviceType', 'enabled']),
  visibleTo: null,
  notFound: (flavorId) => refusal('FlavorNotFound', { flavorId }),
  canonical: (row) => row,
};

const profileColumns = {
  id: identity.id,
  description: identity.description,
  driver: { name: 'driver', type: 'text' },
  metainfo: { name: 'metainfo', type: 'text' },
  enabled: { name: 'enabled', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

export const serviceProfileResource: Resource<ServiceProfileTypes> = {
  kind: null,
  table: 'service_profiles',
  columns: profileColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(profileColumns, ['id', 'description', 'driver', 'metainfo', 'enabled']),
  visibleTo: null,
  notFound: (profileId) => refusal('ServiceProfileNotFound', { profileId }),
  canonical: (row) => row,
};

const associationColumns = {
  id: identity.id,
  flavorId: { name: 'flavor_id', type: 'uuid' },
  serviceProfileId: { name: 'service_profile_id', type: 'uuid' },
  ...history,
} as const satisfies Record<string, Column>;

export const flavorServiceProfileResource: Resource<FlavorServiceProfileTypes> = {
  kind: null,
  table: 'flavor_service_profiles',
  columns: associationColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(associationColumns, ['id', 'serviceProfileId']),
  visibleTo: null,
  notFound: (profileId) => refusal('FlavorServiceProfileBindingNotFound', { profileId }),
  canonical: (row) => row,
};
