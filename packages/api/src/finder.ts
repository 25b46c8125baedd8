import type { Caller } from '@alcor/identity';
import type { IntentStore, ListQuery } from '@alcor/network';
import type { AnyDefinition, AnyTypes } from './definition.ts';

/** A resource as a path names it: its id, and its parent's where it has one. */
export interface Address {
  readonly id: string;
  readonly parentId?: string | undefined;
}

/** A resource, and the one that it is a part of. */
export interface Located {
  readonly view: AnyTypes['view'];
  readonly parent: AnyTypes['view'] | undefined;
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
): Promise<Located> {
  const parent = await findParent(definition, store, caller, parentId);
  const parsed = definition.parseId(id);
  if (parsed === null) throw definition.notFound(id);
  const conditions = { ...parentCondition(definition, parent), ...scopeOf(definition, caller) };
  const collection = definition.collection(store);
  if (Object.keys(conditions).length === 0) return { view: await collection.get(parsed), parent };
  const query = { filter: { [definition.key ?? 'id']: [parsed], ...conditions }, limit: 1 } as ListQuery<AnyTypes>;
  const [view] = (await collection.list(query)).rows;
  if (view === undefined) throw definition.notFound(id);
  return { view, parent };
}

/** The resource whose id stands earlier in the path, if the caller may see it; undefined where there is none. */
export async function findParent(
  { parent }: AnyDefinition,
  store: IntentStore,
  caller: Caller,
  parentId: string | undefined,
): Promise<AnyTypes['view'] | undefined> {
  if (parent === undefined || parentId === undefined) return undefined;
  return (await find(parent.definition, store, caller, { id: parentId })).view;
}

/** The condition that keeps a list to the parts of one parent. */
export function parentCondition(
  { parent }: AnyDefinition,
  found: AnyTypes['view'] | undefined,
): Readonly<Record<string, readonly string[]>> {
  return parent === undefined || found === undefined ? {} : { [parent.field]: [found.id] };
}

/** What being a part of that parent means for a new resource. */
export function parentInput(
  { parent }: AnyDefinition,
  found: AnyTypes['view'] | undefined,
): Readonly<Record<string, string>> {
  return parent === undefined || found === undefined ? {} : { [parent.field]: found.id };
}
