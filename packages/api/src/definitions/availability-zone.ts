import { type AvailabilityZoneTypes, refusal } from '@alcor/network';
import { attributesOf, listed } from '../attribute.ts';
import { define } from '../definition.ts';
import { oneOf, text } from '../kinds.ts';

const { field } = attributesOf<AvailabilityZoneTypes>();

export const availabilityZone = define<AvailabilityZoneTypes>({
  singular: 'availability_zone',
  plural: 'availability_zones',
  prefix: '/v2.0',
  about: 'A part of the region that fails by itself: those that nodes are in',
  tenancy: 'region',
  operations: ['list'],
  policy: { get: 'anyone' },
  collection: (store) => store.availabilityZones,
  parseId: (name) => name,
  notFound: (zone) => refusal('AvailabilityZoneNotFound', { zone }),
  attributes: {
    name: field('name', text(255), 'As nodes name it', listed),
    resource: field('resource', oneOf('network', 'router'), 'What is kept to it', listed),
    state: field('state', oneOf('available', 'unavailable'), 'Whether anything can be in it', listed),
  },
});
