import { refusal } from '@alcor/network';
import type { AddressScopeTypes, Collection } from '@alcor/network';
import { createCollection } from './collection.ts';
import type { StoreContext } from './context.ts';
import { addressScopeResource } from './resources/addressing.ts';

export function createAddressScopeCollection(context: StoreContext): Collection<AddressScopeTypes> {
  return createCollection(context, addressScopeResource, {
    defaults: { name: '', description: '', shared: false },
    change: async (_, row, patch) => {
      if (row.shared && patch.shared === false) {
        throw refusal('AddressScopeUpdateError', {
          addressScopeId: row.id,
          reason: 'Shared address scope can not be unshared',
        });
      }
      return { name: patch.name ?? row.name, shared: patch.shared ?? row.shared };
    },
    inUse: (addressScopeId) => refusal('AddressScopeInUse', { addressScopeId }),
  });
}
