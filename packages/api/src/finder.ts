import type { Caller } from '@alcor/identity';
import type { IntentStore, ListQuery } from '@alcor/network';
import type { AnyDefinition, AnyTypes } from './definition.ts';

/** A resource as a path names it: its id, and its parent's where it has one. */
export interface Address {
  readonly id: string;
  readonly parentId?: string | undefined;
}

/** The condition that keeps a list to what the caller may see. */
export function scopeOf({ tenancy }: AnyDefinition, caller: Caller): { readonly visibleTo?: string } {
  return caller.isAdmin || tenancy === 'region' ? {} : { visibleTo: caller.projectId };
}

/** The resource, if the caller may see it; else its `…NotFound`: what is out of sight does not exist. */
export async function find(
  definition: AnyDefinition,
  store: IntentStore,
  caller: Caller,
  { id, parentId }: Address,
): Promise<AnyTypes['view']> {
  const parsed = definition.parseId(id);
  if (parsed === null) throw definition.notFound(id);
  const parent = await parentFields(definition, store, caller, parentId);
  const scope = scopeOf(definition, caller);
  const collection = definition.collection(store);
  if (scope.visibleTo === undefined && definition.parent === undefined) return collection.get(parsed);
  const filter = { [definition.key ?? 'id']: [parsed], ...conditionsOf(parent), ...scope };
  const [view] = (await collection.list({ filter, limit: 1 } as ListQuery<AnyTypes>)).rows;
  if (view === undefined) throw definition.notFound(id);
  return view;
}

/** The field that says which parent a resource is of, once that parent is known to be visible; none where there is no parent. */
export async function parentFields(
  { parent }: AnyDefinition,
  store: IntentStore,
  caller: Caller,
  parentId: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (parent === undefined || parentId === undefined) return {};
  const { id } = await find(parent.definition, store, caller, { id: parentId });
  return { [parent.field]: id };
}

/** The same as a filter. */
export function conditionsOf(fields: Readonly<Record<string, string>>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, [value]]));
}
