import type { AlcorError, Collection, CollectionTypes, IntentStore } from '@alcor/network';
import type { Attribute } from './attribute.ts';

/** A resource of the API: all that routes, validation, lists and documents are made of. */
export interface Definition<T extends CollectionTypes> {
  /** `network`: the root key of one. */
  readonly singular: string;
  /** `networks`: the root key of several, and the last part of the path. */
  readonly plural: string;
  /** `/v2.0` */
  readonly prefix: string;
  readonly about: string;
  /** In the order in which answers show them. */
  readonly attributes: Readonly<Record<string, Attribute<T['view']>>>;
  /** Resources of a tenant belong to the caller's project unless the request says another. */
  readonly tenancy: 'project' | 'region';
  readonly collection: (store: IntentStore) => Collection<T>;
  /** The id that a path's last part spells; null: nothing can have that id. */
  readonly parseId: (text: string) => T['id'] | null;
  readonly notFound: (id: string) => AlcorError;
  /** Fills in what follows from other attributes of a new resource, before required ones are missed. */
  readonly complete?: (body: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

/** The types of any resource. */
export interface AnyTypes extends CollectionTypes {
  readonly view: { readonly id: string };
}

/** A definition of any resource, for code that treats all alike. */
export type AnyDefinition = Definition<AnyTypes>;

/**
 * States a definition. It is checked against the store's types here; what goes through the generic code afterwards are values that
 * its own kinds have parsed, so the types may be forgotten.
 */
export function define<T extends CollectionTypes>(definition: Definition<T>): AnyDefinition {
  return definition as unknown as AnyDefinition;
}
