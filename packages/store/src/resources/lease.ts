import { refusal } from '@alcor/network';
import type { HeldLease, Shard } from '@alcor/network';
import type { Column, Resource } from '../resource.ts';

/** A lease is read by the feed and written by `leases.ts`: it is in no list of the API. */
interface LeaseTypes {
  readonly id: Shard;
  readonly view: HeldLease;
  readonly create: never;
  readonly update: never;
  readonly filter: object;
  readonly sortKey: never;
}

const leaseColumns = {
  id: { name: 'id', type: 'text' },
  holder: { name: 'holder', type: 'text' },
  address: { name: 'address', type: 'text' },
  revision: { name: 'revision', type: 'integer' },
} as const satisfies Record<string, Column>;

export const leaseResource: Resource<LeaseTypes> = {
  kind: 'lease',
  table: 'leases',
  columns: leaseColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: {},
  visibleTo: null,
  notFound: (shard) => refusal('InvalidInput', { reason: `${shard} is no shard` }),
  canonical: (row) => row,
};
