import { refusal } from '@alcor/network';
import type { AddressGroup, AddressGroupTypes, Collection, UpdateAddressGroup } from '@alcor/network';
import { createCollection } from './collection.ts';
import type { StoreContext } from './context.ts';
import { addressGroupResource } from './resources/security.ts';

export function createAddressGroupCollection(context: StoreContext): Collection<AddressGroupTypes> {
  return createCollection(context, addressGroupResource, {
    defaults: { name: '', description: '', addresses: [], shared: false },
    complete: (row) => ({ ...row, addresses: [...new Set(row.addresses)] }),
    change: (_tx, row, patch) => Promise.resolve(changed(row, patch)),
    inUse: (addressGroupId) => refusal('AddressGroupInUse', { addressGroupId }),
  });
}

function changed(row: AddressGroup, patch: UpdateAddressGroup): Partial<AddressGroup> {
  const { addAddresses = [], removeAddresses = [], ...rest } = patch;
  const held = new Set(row.addresses);
  const twice = [...new Set(addAddresses)].filter((address) => held.has(address));
  if (twice.length > 0) {
    throw refusal('AddressesAlreadyExist', { addresses: twice.join(', '), addressGroupId: row.id });
  }
  const unknown = [...new Set(removeAddresses)].filter((address) => !held.has(address));
  if (unknown.length > 0) {
    throw refusal('AddressesNotFound', { addresses: unknown.join(', '), addressGroupId: row.id });
  }
  const gone = new Set(removeAddresses);
  const addresses = [...new Set([...row.addresses, ...addAddresses])].filter((address) => !gone.has(address));
  return { ...(rest as Partial<AddressGroup>), addresses };
}
