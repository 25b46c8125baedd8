/** The types one kind of resource is handled with. */
export interface CollectionTypes {
  readonly id: string;
  /** What is read: the row and what is kept beside it. */
  readonly view: object;
  readonly create: object;
  readonly update: object;
  readonly filter: object;
  readonly sortKey: string;
}

/** The operations on one kind of resource. */
export interface Collection<T extends CollectionTypes> {
  /** Creates all of them in one transaction, or none; the error's `item` then names the one at fault. Views in input order. */
  create(inputs: readonly T['create'][]): Promise<readonly T['view'][]>;
  /** Rejects with `…NotFound`. */
  get(id: T['id']): Promise<T['view']>;
  list(query: ListQuery<T>): Promise<Page<T['view']>>;
  /** Absent (or undefined) fields stay as they are. A patch that changes nothing does not grow the revision. */
  update(id: T['id'], patch: T['update'], options?: WriteOptions): Promise<T['view']>;
  delete(id: T['id'], options?: WriteOptions): Promise<void>;
  /** Changes the labels; gives what they are then. Absent: there are none. */
  readonly retag?: (id: T['id'], change: TagChange) => Promise<readonly string[]>;
}

export type TagChange =
  | { readonly how: 'replace'; readonly tags: readonly string[] }
  | { readonly how: 'add' | 'remove'; readonly tag: string };

export interface WriteOptions {
  /** Refuse with RevisionNumberConstraintFailed unless the row has this revision. */
  readonly ifRevision?: number | undefined;
}

export interface ListQuery<T extends CollectionTypes> {
  /** All given conditions must hold. */
  readonly filter?: T['filter'] | undefined;
  /** Default: by id (ids grow with time). The id is always the last key, so that the order is total. */
  readonly sort?: readonly SortBy<T['sortKey']>[] | undefined;
  /** At most so many rows; absent: all. */
  readonly limit?: number | undefined;
  /** Start after this resource (`…NotFound` if there is none such). */
  readonly marker?: T['id'] | undefined;
  /** `backward`: the rows before the marker (or the last ones), still in the order of `sort`. Default: forward. */
  readonly direction?: 'forward' | 'backward' | undefined;
}

export interface SortBy<Key extends string> {
  readonly key: Key;
  readonly direction: 'asc' | 'desc';
}

export interface Page<View> {
  readonly rows: readonly View[];
  /** There are further rows in the direction asked for. */
  readonly more: boolean;
}

/** A condition: the field has one of these values. An empty list matches nothing. */
export type OneOf<T> = readonly T[] | undefined;

export interface TenantFilter<Id> {
  readonly id?: OneOf<Id>;
  readonly name?: OneOf<string>;
  readonly description?: OneOf<string>;
  readonly projectId?: OneOf<string>;
  readonly revision?: OneOf<number>;
  /**
   * Only what this project may see: its own resources; networks that are shared, and their subnets; and ports of others
   * on networks of its own.
   */
  readonly visibleTo?: string | undefined;
}

export type TenantSortKey = 'id' | 'name' | 'description' | 'projectId' | 'createdAt' | 'updatedAt' | 'revision';

export interface TenantInput {
  readonly projectId: string;
  /** Default: empty. */
  readonly name?: string | undefined;
  /** Default: empty. */
  readonly description?: string | undefined;
}

export interface TenantPatch {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
}

/** Where a new resource shall be available; AvailabilityZoneNotFound. */
export interface ZoneHints {
  /** Default: none. */
  readonly availabilityZoneHints?: readonly string[] | undefined;
}

/** Where a resource is available. */
export interface Zoned {
  readonly availabilityZoneHints: readonly string[];
  /** All of the region, in order: it is on every host that needs it. */
  readonly availabilityZones: readonly string[];
}
