import { refusal } from '@alcor/network';
import type { Collection, CollectionTypes } from '@alcor/network';
import type { StoreContext } from './context.ts';
import { readPage, readView } from './reader.ts';
import type { Resource } from './resource.ts';

function refuse(): Promise<never> {
  return Promise.reject(refusal('Forbidden', { reason: 'This can only be read.' }));
}

/** What is only looked at: it changes with the rows that it is made of. */
export function createReadOnlyCollection<T extends CollectionTypes>(
  { database }: StoreContext,
  resource: Resource<T>,
): Collection<T> {
  return {
    get: (id) => readView(database, resource, id),
    list: (query) => readPage(database, resource, query),
    create: refuse,
    update: refuse,
    delete: refuse,
  };
}
