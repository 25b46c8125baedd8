import type { OneOf } from './collection.ts';
import type { Branded } from './nouns.ts';

export type RbacPolicyId = Branded<'RbacPolicyId'>;

/** What can be shared with other projects. */
export const sharedObjectTypes = [
  'network',
  'subnetpool',
  'address_scope',
  'security_group',
  'address_group',
  'qos_policy',
] as const;
export type SharedObjectType = (typeof sharedObjectTypes)[number];

/** What a grant lets the other project do: use the object as its own, or reach the outside through it (networks). */
export const grantActions = ['access_as_shared', 'access_as_external'] as const;
export type GrantAction = (typeof grantActions)[number];

/** Stands for every project. */
export const everyProject = '*';

/** A grant to use an object of another project. A wildcard grant and the object's `shared` (or `external`) are the same thing. */
export interface RbacPolicy {
  readonly id: RbacPolicyId;
  readonly projectId: string;
  readonly objectType: SharedObjectType;
  readonly objectId: string;
  /** A project's id, or `*`. */
  readonly targetProject: string;
  readonly action: GrantAction;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface RbacPolicyTypes {
  readonly id: RbacPolicyId;
  readonly view: RbacPolicy;
  readonly create: Pick<RbacPolicy, 'projectId' | 'objectType' | 'objectId' | 'targetProject' | 'action'>;
  readonly update: { readonly targetProject?: string | undefined };
  readonly filter: {
    readonly [Field in 'id' | 'projectId' | 'objectType' | 'objectId' | 'targetProject' | 'action']?: OneOf<string>;
  } & { readonly visibleTo?: string | undefined };
  readonly sortKey: 'id' | 'projectId' | 'objectType' | 'objectId' | 'targetProject' | 'action';
}
