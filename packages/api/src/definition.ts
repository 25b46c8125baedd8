import type { Caller } from '@alcor/identity';
import type { AlcorError, Collection, CollectionTypes, IntentStore } from '@alcor/network';
import type { Action } from './action.ts';
import type { Attribute } from './attribute.ts';
import type { ResourcePolicy } from './policy.ts';

/** What can be done with a resource, by the route that does it. */
export type Operation = 'create' | 'list' | 'show' | 'update' | 'delete';

/** What is done to one that exists. */
export type Alteration = 'update' | 'delete' | 'label' | { readonly action: string };

/** A resource of the API: all that routes, validation, lists and documents are made of. */
export interface Definition<T extends CollectionTypes> {
  /** `network`: the root key of one. */
  readonly singular: string;
  /** `networks`: the root key of several. */
  readonly plural: string;
  /** `/v2.0` */
  readonly prefix: string;
  /** What follows the prefix (or the parent's id) where it is not the plural: `qos/policies`, `security-groups`. */
  readonly path?: string;
  /** Where its labels are found as well, beside its own path: `policies`. */
  readonly labelPath?: string;
  /** The resource that this one is a part of: its path and id stand before this one's. */
  readonly parent?: Parent<T>;
  readonly about: string;
  /** In the order in which answers show them. */
  readonly attributes: Readonly<Record<string, Attribute<T['view']>>>;
  /** Default: all of them. */
  readonly operations?: readonly Operation[];
  /** The attributes that lists show; default: all. */
  readonly inLists?: ReadonlySet<string>;
  /** True: many of them may be made of a file, a CSV table or a bare JSON list. */
  readonly files?: true;
  /** What else can be done with one: `PUT …/{id}/add_router_interface` by the last part of the path. */
  readonly actions?: Readonly<Record<string, Action>>;
  /** Resources of a tenant belong to the caller's project unless the request says another. */
  readonly tenancy: 'project' | 'region';
  /** Who may do what, where it is not as usual: writers of the project that owns it, or of the region the administrator. */
  readonly policy?: ResourcePolicy;
  readonly collection: (store: IntentStore) => Collection<T>;
  /** The field that a path's last part names it by, among those of its parent. Default: the id. */
  readonly key?: string & keyof T['view'] & keyof T['filter'];
  /** The id that a path's last part spells; null: nothing can have that id. */
  readonly parseId: (text: string) => T['id'] | null;
  readonly notFound: (id: string) => AlcorError;
  /** What only this resource asks of a new one, before policy's answer is final; `inputs` are as the store will get them. */
  readonly judge?: (store: IntentStore, caller: Caller, inputs: readonly T['create'][]) => Promise<void>;
  /** What only this resource asks before one is changed or goes, of those whom policy lets. */
  readonly judgeAlteration?: (request: {
    readonly store: IntentStore;
    readonly caller: Caller;
    readonly operation: Alteration;
    readonly view: T['view'];
    /** What an update says, as the store will get it; of anything else nothing. */
    readonly input: T['update'];
  }) => Promise<void>;
  /** Fills in what follows from other attributes of a new resource, before required ones are missed. */
  readonly complete?: (body: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

export interface Parent<T extends CollectionTypes> {
  readonly definition: AnyDefinition;
  /** The field of the row that holds the parent's id; the store takes it in inputs and filters. */
  readonly field: string & keyof T['view'] & keyof T['create'] & keyof T['filter'];
}

/** The types of any resource. */
export interface AnyTypes extends CollectionTypes {
  readonly view: { readonly id: string; readonly projectId?: string };
}

/** A definition of any resource, for code that treats all alike. */
export type AnyDefinition = Omit<Definition<AnyTypes>, 'parent'> & {
  readonly parent?: { readonly definition: AnyDefinition; readonly field: string };
};

/**
 * States a definition. It is checked against the store's types here; what goes through the generic code afterwards are values that
 * its own kinds have parsed, so the types may be forgotten.
 */
export function define<T extends CollectionTypes>(definition: Definition<T>): AnyDefinition {
  return definition as unknown as AnyDefinition;
}

/** Every operation, in the order of their routes. */
export const allOperations: readonly Operation[] = ['create', 'list', 'show', 'update', 'delete'];

export function allows({ operations = allOperations }: AnyDefinition, operation: Operation): boolean {
  return operations.includes(operation);
}

/** `/v2.0/networks`; with a parent `/v2.0/floatingips/:parentId/port_forwardings`. */
export function pathOf({ prefix, plural, path = plural, parent }: AnyDefinition): string {
  return parent === undefined ? `${prefix}/${path}` : `${pathOf(parent.definition)}/:parentId/${path}`;
}
