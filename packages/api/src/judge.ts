import type { Caller } from '@alcor/identity';
import { AlcorError, type IntentStore, type ListQuery, type NetworkId } from '@alcor/network';
import type { Reference } from './attribute.ts';
import type { Input, Wish } from './body.ts';
import type { Alteration, AnyDefinition, AnyTypes } from './definition.ts';
import { type Located, scopeOf } from './finder.ts';
import { isRecord } from './kinds.ts';
import { type Policy, type Target, holds, refuse } from './policy.ts';

/** A request to write, as policy looks at it. */
export interface Case {
  readonly definition: AnyDefinition;
  readonly policy: Policy;
  readonly store: IntentStore;
  readonly caller: Caller;
}

type Owned = Readonly<Record<string, unknown>>;

/** Refuses with 404 where a new resource refers to what the caller cannot see, and with 403 what the caller may not make. */
export async function judgeCreate(request: Case, wishes: readonly Wish[], parent: object | undefined): Promise<void> {
  const { caller, policy, definition } = request;
  await checkReferences(request, wishes);
  const owners = await networkOwners(
    request,
    wishes.map(({ input }) => input),
  );
  for (const [item, { input, given }] of wishes.entries()) {
    const target = targetOf(definition, { ...parent, ...input }, owners);
    const names = [`create_${definition.singular}`];
    if (!holds(policy.of('create'), caller, target)) refuse(names);
    try {
      judgeAttributes(request, 'create', given, target);
    } catch (error) {
      throw error instanceof AlcorError ? error.forItem(item) : error;
    }
  }
  await definition.judge?.(
    request.store,
    caller,
    wishes.map(({ input }) => input),
  );
}

/** The same for a change of a resource that the caller can see. */
export async function judgeUpdate(request: Case, wish: Wish, located: Located): Promise<void> {
  const target = await judge(request, 'update', located, wish.input);
  judgeAttributes(request, 'update', wish.given, target);
  await checkReferences(request, [wish]);
  await checkReleases(request, wish, located.view);
}

/** Refuses with 403 what the caller may not do to a resource that it can see. */
export async function judge(
  request: Case,
  operation: Alteration,
  { view, parent }: Located,
  input: Input = {},
): Promise<Target> {
  const { definition, policy, caller } = request;
  const target = targetOf(definition, { ...parent, ...view }, await networkOwners(request, [{ ...view }]));
  if (!holds(policy.of(operation), caller, target)) {
    if (definition.policy?.refusal === 'not found') throw definition.notFound(view.id);
    refuse([ruleOf(definition, operation)]);
  }
  await definition.judgeAlteration?.({ store: request.store, caller, operation, view, input });
  return target;
}

function ruleOf({ singular }: AnyDefinition, operation: Alteration): string {
  if (typeof operation === 'object') return operation.action;
  return operation === 'label' ? `update_${singular}_tags` : `${operation}_${singular}`;
}

function judgeAttributes(
  { definition: { singular }, policy, caller }: Case,
  use: 'create' | 'update',
  given: ReadonlyMap<string, unknown>,
  target: Target,
): void {
  const disallowed = [...given].flatMap(([name, value]) => {
    const key = `${use}_${singular}:${name}`;
    if (!holds(policy.attribute(use, name), caller, target)) return [key];
    return membersOf(value)
      .filter((member) => !holds(policy.attribute(use, name, member), caller, target))
      .map((member) => `${key}:${member}`);
  });
  if (disallowed.length > 0) refuse([`${use}_${singular}`, ...disallowed]);
}

function membersOf(value: unknown): readonly string[] {
  // `network:dhcp` is of the sort `network:`, too.
  if (typeof value === 'string') return [value, value.slice(0, value.indexOf(':') + 1)];
  const records = (Array.isArray(value) ? value : [value]).filter((one) => isRecord(one));
  return [...new Set(records.flatMap((record) => Object.keys(record)))];
}

function targetOf({ policy }: AnyDefinition, owned: Owned, owners: ReadonlyMap<unknown, string>): Target {
  const field = policy?.networkField;
  const { projectId } = owned as { readonly projectId?: string };
  return { projectId, networkProjectId: field === undefined ? undefined : owners.get(owned[field]) };
}

/** Whose the networks are that rules may speak of; nobody asks for the administrator. */
async function networkOwners(
  { definition, store, caller }: Case,
  rows: readonly Owned[],
): Promise<ReadonlyMap<unknown, string>> {
  const field = definition.policy?.networkField;
  if (caller.isAdmin || field === undefined) return new Map();
  const ids = [...new Set(rows.flatMap((row) => (typeof row[field] === 'string' ? [row[field] as NetworkId] : [])))];
  const { rows: networks } = await store.networks.list({ filter: { id: ids } });
  return new Map(networks.map(({ id, projectId }) => [id, projectId]));
}

/** What a request refers to must be within sight: one query for each kind of resource. */
async function checkReferences({ definition, store, caller }: Case, wishes: readonly Wish[]): Promise<void> {
  if (caller.isAdmin) return;
  for (const [name, { refers = [] }] of Object.entries(definition.attributes)) {
    for (const reference of refers) {
      const values = wishes.map(({ given }) => given.get(name));
      await checkReference(reference, values, store, caller);
    }
  }
}

/** Refuses with 404 where one of the values (a list's items among them) refers to what the caller cannot see. */
export async function checkReference(
  { to, at }: Reference,
  values: readonly unknown[],
  store: IntentStore,
  caller: Caller,
): Promise<void> {
  const definition = to();
  const idsOf = values.map((value) => referred(value, at).flatMap((id) => definition.parseId(id) ?? []));
  const ids = [...new Set(idsOf.flat())];
  if (ids.length === 0) return;
  const visible = await visibleAmong(definition, ids, { store, caller });
  for (const [item, wanted] of idsOf.entries()) {
    const missing = wanted.find((id) => !visible.has(id));
    if (missing !== undefined) throw definition.notFound(missing).forItem(item);
  }
}

/** What is out of the caller's sight may have to stay referred to. */
async function checkReleases(
  { definition, store, caller }: Case,
  { given }: Wish,
  view: AnyTypes['view'],
): Promise<void> {
  if (caller.isAdmin) return;
  for (const [name, { refers = [], source }] of Object.entries(definition.attributes)) {
    if (!given.has(name) || source.from === 'constant') continue;
    for (const { to, at, release } of refers) {
      if (release === undefined) continue;
      const target = to();
      const idsIn = (value: unknown): readonly string[] =>
        referred(value, at).flatMap((id) => target.parseId(id) ?? []);
      const kept = new Set(idsIn(given.get(name)));
      const left = idsIn(source.wire(view, caller)).filter((id) => !kept.has(id));
      const visible = await visibleAmong(target, left, { store, caller });
      const hidden = left.find((id) => !visible.has(id));
      if (hidden !== undefined) throw release(hidden);
    }
  }
}

async function visibleAmong(
  definition: AnyDefinition,
  ids: readonly string[],
  { store, caller }: Pick<Case, 'store' | 'caller'>,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const filter = { id: ids, ...scopeOf(definition, caller) };
  const { rows } = await definition.collection(store).list({ filter } as ListQuery<AnyTypes>);
  return new Set(rows.map(({ id }) => id));
}

function referred(value: unknown, at: string | undefined): readonly string[] {
  return (Array.isArray(value) ? (value as readonly unknown[]) : [value]).flatMap((one) => {
    const id = at !== undefined && isRecord(one) ? one[at] : one;
    return typeof id === 'string' ? [id] : [];
  });
}
