import {
  type FlavorId,
  type FlavorServiceProfileTypes,
  type FlavorTypes,
  type ServiceProfileId,
  type ServiceProfileTypes,
  refusal,
  serviceTypes,
} from '@alcor/network';
import { attributesOf, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { flag, isUuid, listOf, nullMeans, oneOf, text, uuid } from '../kinds.ts';

const own = { post: initially(''), put: true, ...listed } as const;
const enabledUse = { post: initially(true), put: true, ...listed } as const;
const about = nullMeans(text(1024), '');

const flavorAttributes = attributesOf<FlavorTypes>();

export const flavor = define<FlavorTypes>({
  singular: 'flavor',
  plural: 'flavors',
  prefix: '/v2.0',
  about: 'A choice of service that users are offered',
  tenancy: 'region',
  policy: { get: 'anyone' },
  collection: (store) => store.flavors,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as FlavorId) : null),
  notFound: (flavorId) => refusal('FlavorNotFound', { flavorId }),
  attributes: {
    id: flavorAttributes.field('id', uuid(), 'Given by the region', listed),
    name: flavorAttributes.field('name', text(255), 'For people; need not be unique', own),
    description: flavorAttributes.field('description', about, 'For people', own),
    service_type: flavorAttributes.field('serviceType', oneOf(...serviceTypes), 'What it is a flavor of', {
      post: required,
      ...listed,
    }),
    enabled: flavorAttributes.field('enabled', nullMeans(flag, true), 'Users may choose it', enabledUse),
    service_profiles: flavorAttributes.field(
      'serviceProfileIds',
      listOf(uuid<ServiceProfileId>(), 100, String),
      'How it is provided, oldest first',
      { post: initially([]), put: true },
    ),
  },
});

const association = attributesOf<FlavorServiceProfileTypes>();

export const flavorServiceProfile = define<FlavorServiceProfileTypes>({
  singular: 'service_profile',
  plural: 'service_profiles',
  prefix: '/v2.0',
  parent: { definition: flavor, field: 'flavorId' },
  key: 'serviceProfileId',
  about: 'That a profile provides a flavor',
  tenancy: 'region',
  operations: ['create', 'list', 'show', 'delete'],
  collection: (store) => store.flavorServiceProfiles,
  parseId: (id) => (isUuid(id) ? id.toLowerCase() : null),
  notFound: (profileId) => refusal('FlavorServiceProfileBindingNotFound', { profileId }),
  attributes: {
    id: association.field('serviceProfileId', uuid<ServiceProfileId>(), 'The profile', { post: required, ...listed }),
  },
});

const profile = attributesOf<ServiceProfileTypes>();

export const serviceProfile = define<ServiceProfileTypes>({
  singular: 'service_profile',
  plural: 'service_profiles',
  prefix: '/v2.0',
  about: 'How a flavor is provided',
  tenancy: 'region',
  collection: (store) => store.serviceProfiles,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as ServiceProfileId) : null),
  notFound: (profileId) => refusal('ServiceProfileNotFound', { profileId }),
  attributes: {
    id: profile.field('id', uuid(), 'Given by the region', listed),
    description: profile.field('description', about, 'For people', own),
    driver: profile.field('driver', text(1024), 'That of a service provider; empty: metainfo says it', own),
    metainfo: profile.field('metainfo', text(4096), 'For the driver', { post: initially(''), put: true, sort: true }),
    enabled: profile.field('enabled', nullMeans(flag, true), 'Flavors may use it', enabledUse),
  },
});
