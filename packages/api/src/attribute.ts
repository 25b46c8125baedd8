import type { Caller } from '@alcor/identity';
import type { AlcorError, CollectionTypes } from '@alcor/network';
import type { AnyDefinition } from './definition.ts';
import { type Kind, text } from './kinds.ts';
import type { Access } from './policy.ts';

/**
 * What a client may do with an attribute when it creates a resource: must give it, may give it (`chosen`: otherwise the store
 * chooses; `initial`: otherwise it is that value), or may not.
 */
export type Post =
  | { readonly rule: 'never' }
  | { readonly rule: 'required' }
  | { readonly rule: 'chosen' }
  | { readonly rule: 'initial'; readonly value: unknown };

/**
 * Where an attribute's value lives.
 * - `field`: in the store's row, under that name in views, inputs, patches, filters and sort keys alike;
 * - `computed`: follows from the row;
 * - `constant`: the same for every row. A client that gives another value is refused with `because`: nothing would honour it.
 */
type Source<View> =
  | { readonly from: 'field'; readonly field: string; readonly wire: Wire<View> }
  | { readonly from: 'computed'; readonly wire: Wire<View> }
  | { readonly from: 'constant'; readonly value: unknown; readonly because: string };

/** What an answer shows of a row; some of it depends on who asks. */
type Wire<View> = (view: View, caller: Caller) => unknown;

/** Ids in a value refer to other resources, which the caller must be able to see. */
export interface Reference {
  readonly to: () => AnyDefinition;
  /** Where the value is an object, or a list of them: the member that holds the id. Default: the value, or each of the list. */
  readonly at?: string;
  /** What those are told who take the reference away and cannot see what it is to. Absent: nothing; they may. */
  readonly release?: (id: string) => AlcorError;
}

/** How a query string's values become a condition of the store's; null: what was asked for can match nothing. */
export type FilterRule = (
  values: readonly string[],
  caller: Caller,
) => Readonly<Record<string, readonly unknown[]>> | null;

/** All that is said of one attribute of a resource. */
export interface Attribute<View> {
  readonly about: string;
  readonly kind: Kind<unknown>;
  readonly source: Source<View>;
  readonly post: Post;
  readonly put: boolean;
  /** `own`: by the kind, on the field (or the constant); a function where the query has a form of its own. */
  readonly filter: 'own' | FilterRule | null;
  /** The store's sort key. */
  readonly sort: string | null;
  /** False: taken in requests, left out of answers. */
  readonly visible: boolean;
  readonly access?: Access | undefined;
  readonly refers?: readonly Reference[] | undefined;
}

/** The attribute is part of the view but no client writes it. */
const never: Post = { rule: 'never' };
/** A client must give it. */
export const required: Post = { rule: 'required' };
/** Where a client gives none, the store chooses. */
export const chosen: Post = { rule: 'chosen' };
/** Where a client gives none, it is `value`. */
export function initially(value: unknown): Post {
  return { rule: 'initial', value };
}

/** Lists can be filtered and sorted by it. */
export const listed = { filter: true, sort: true } as const;

type FieldOf<T extends CollectionTypes> = string & keyof T['view'];
type Written<T extends CollectionTypes, F> = F extends keyof T['create']
  ? Exclude<T['create'][F], undefined>
  : F extends keyof T['view']
    ? T['view'][F]
    : never;

/** What may be asked of a field: only what the store has for it. */
interface FieldUse<T extends CollectionTypes, F extends FieldOf<T>> {
  readonly post?: F extends keyof T['create'] ? Post : never;
  readonly put?: F extends keyof T['update'] ? true : never;
  readonly filter?: FilterRule | (F extends keyof T['filter'] ? true : never);
  readonly sort?: F extends T['sortKey'] ? true : never;
  /** How the row's value looks in an answer; default: as it is. */
  readonly wire?: (value: T['view'][F], view: T['view'], caller: Caller) => unknown;
  readonly access?: Access;
  readonly refers?: readonly Reference[];
}

/** The three sorts of attribute, for resources of type `T`. */
export interface AttributeMakers<T extends CollectionTypes> {
  /** A field of the store's row; the compiler checks the kind and the uses against the store's types. */
  readonly field: <F extends FieldOf<T>>(
    name: F,
    kind: Kind<NoInfer<Written<T, F>>>,
    about: string,
    use?: FieldUse<T, F>,
  ) => Attribute<T['view']>;
  /** Taken when a resource is made, and no part of it afterwards. */
  readonly wish: <F extends string & Exclude<keyof T['create'], symbol | number>>(
    name: F,
    kind: Kind<NoInfer<Exclude<T['create'][F], undefined>>>,
    about: string,
  ) => Attribute<T['view']>;
  /** Read-only, worked out from the row. */
  readonly computed: (
    kind: Kind<unknown>,
    about: string,
    wire: Wire<T['view']>,
    use?: ComputedUse,
  ) => Attribute<T['view']>;
  /** Nothing but a way to filter lists. */
  readonly condition: (about: string, filter: FilterRule) => Attribute<T['view']>;
  /** The same for all and read-only. */
  readonly constant: (kind: Kind<unknown>, about: string, value: unknown) => Attribute<T['view']>;
  /** Known to Neutron's clients, not enforced by this region: only the value that means "without it" is taken. */
  readonly unenforced: (
    kind: Kind<unknown>,
    value: unknown,
    because: string,
    use?: ConstantUse,
  ) => Attribute<T['view']>;
}

interface ConstantUse {
  readonly visible?: false;
  readonly put?: false;
  readonly access?: Access;
}

interface ComputedUse {
  readonly filter?: FilterRule;
  readonly access?: Access;
}

/** Attribute makers for the resources of one collection. */
export function attributesOf<T extends CollectionTypes>(): AttributeMakers<T> {
  return { condition, field, wish, computed, constant, unenforced };
}

function field<T extends CollectionTypes, F extends FieldOf<T>>(
  name: F,
  kind: Kind<unknown>,
  about: string,
  use: FieldUse<T, F> = {},
): Attribute<T['view']> {
  const { wire = (value: T['view'][F]): unknown => value } = use;
  return {
    about,
    kind,
    source: { from: 'field', field: name, wire: (view, caller) => wire((view as T['view'])[name], view, caller) },
    post: use.post ?? never,
    put: use.put ?? false,
    filter: use.filter === true ? 'own' : (use.filter ?? null),
    sort: use.sort === true ? name : null,
    visible: true,
    access: use.access,
    refers: use.refers,
  };
}

function wish<View>(name: string, kind: Kind<unknown>, about: string): Attribute<View> {
  const source = { from: 'field', field: name, wire: () => null } as const;
  return { about, kind, source, post: chosen, put: false, filter: null, sort: null, visible: false };
}

function computed<View>(kind: Kind<unknown>, about: string, wire: Wire<View>, use: ComputedUse = {}): Attribute<View> {
  return {
    about,
    kind,
    source: { from: 'computed', wire },
    post: never,
    put: false,
    filter: use.filter ?? null,
    sort: null,
    visible: true,
    access: use.access,
  };
}

function condition<View>(about: string, filter: FilterRule): Attribute<View> {
  const source = { from: 'constant', value: null, because: 'lists are filtered by it' } as const;
  return { about, kind: text(255), source, post: never, put: false, filter, sort: null, visible: false };
}

function constant<View>(kind: Kind<unknown>, about: string, value: unknown): Attribute<View> {
  const source = { from: 'constant', value, because: 'the attribute is read-only' } as const;
  return { about, kind, source, post: never, put: false, filter: 'own', sort: null, visible: true };
}

function unenforced<View>(
  kind: Kind<unknown>,
  value: unknown,
  because: string,
  use: ConstantUse = {},
): Attribute<View> {
  return {
    about: `Always ${JSON.stringify(value)}: ${because}.`,
    kind,
    source: { from: 'constant', value, because },
    post: initially(value),
    put: use.put ?? true,
    filter: 'own',
    sort: null,
    visible: use.visible ?? true,
    access: use.access,
  };
}
