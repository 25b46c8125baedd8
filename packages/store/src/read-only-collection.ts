import { refusal } from '@alcor/network';
import type { Collection, CollectionTypes } from '@alcor/network';
import type { StoreContext } from './context.ts';
import { readPage, readView } from './reader.ts';
import type { Resource } from './resource.ts';

/** What is only looked at: it changes with the rows that it is made of. */
export function createReadOnlyCollection<T extends CollectionTypes>(
  { database }: StoreContext,
  resource: Resource<T>,
): Collection<T> {
  const refuse = (): Promise<never> => Promise.reject(refusal('Forbidden', { reason: 'This can only be read.' }));
  return {
    get: (id) => readView(database, resource, id),
    list: (query) => readPage(database, resource, query),
    create: refuse,
    update: refuse,
    delete: refuse,
  };
}
