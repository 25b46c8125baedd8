import { type OneOf, type ServiceProvider, refusal, serviceProviders } from '@alcor/network';
import { attributesOf, listed } from '../attribute.ts';
import { define } from '../definition.ts';
import { fixedCollection } from '../fixed-collection.ts';
import { flag, text } from '../kinds.ts';

interface ServiceProviderTypes {
  readonly id: string;
  readonly view: ServiceProvider & { readonly id: string };
  readonly create: object;
  readonly update: object;
  readonly filter: {
    readonly serviceType?: OneOf<string>;
    readonly name?: OneOf<string>;
    readonly isDefault?: OneOf<boolean>;
  };
  readonly sortKey: 'serviceType' | 'name' | 'isDefault';
}

const rows = serviceProviders.map((provider) => ({ id: `${provider.serviceType} ${provider.name}`, ...provider }));
const { field } = attributesOf<ServiceProviderTypes>();
const notFound = (name: string) => refusal('ServiceProviderNotFound', { name });

export const serviceProvider = define<ServiceProviderTypes>({
  singular: 'service_provider',
  plural: 'service_providers',
  prefix: '/v2.0',
  path: 'service-providers',
  about: 'Who provides services of a type in this region',
  tenancy: 'region',
  operations: ['list'],
  policy: { get: 'anyone' },
  collection: () => fixedCollection<ServiceProviderTypes>(rows, notFound),
  parseId: (id) => id,
  notFound,
  attributes: {
    service_type: field('serviceType', text(255), 'L3_ROUTER_NAT: routers', listed),
    name: field('name', text(255), 'What flavors and users call it', listed),
    default: field('isDefault', flag, 'Where a user names none', listed),
  },
});
