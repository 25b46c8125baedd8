import { everyProject, refusal } from '@alcor/network';
import type { CollectionTypes, GrantAction, SharedObjectType } from '@alcor/network';
import type { Queryable } from './database.ts';
import type { Resource } from './resource.ts';
import { jsonRows } from './sql.ts';

/** How a kind of resource is shared with other projects. */
export interface Sharing {
  readonly objectType: SharedObjectType;
  /** What grants there are, by what they let others do. */
  readonly grants: Readonly<Partial<Record<GrantAction, GrantKind>>>;
  /** Who may not be granted it: SQL that finds a row for the object and the target at the placeholders; and why. */
  readonly barred?: { readonly when: (object: string, target: string) => string; readonly reason: string };
}

/** Grants of one action on one kind of resource. All SQL has the object's id at the placeholder. */
export interface GrantKind {
  /** The field (and column of that name) that says whether every project has the grant. */
  readonly flag: string;
  /** True: the flag says whether any project has it. */
  readonly anyTarget?: true;
  /** Whose use of the object rests on the grant: SQL that selects `project_id`. */
  readonly users: (object: string) => string;
  /** True: what the owner's own project uses of it counts as well. */
  readonly ownUse?: true;
  /** SQL that finds a row where the grant to every project must stay. */
  readonly kept?: (object: string) => string;
}

/**
 * The row's own project, and those with a grant of any sort, to every project or to this one. For `visibleTo`: the grants are read
 * into an array first, so that the indexes of both sides of the `or` serve it.
 */
export function visibleByGrant(project: string): string {
  return `(t.project_id = ${project} or t.id = any(array(
    select r.object_id from rbac_policies r where r.target_project in ('*', ${project}))))`;
}

/** Projects that have a grant of their own to use the row. For `viewed`. */
export const granteesView = `(select coalesce(json_agg(r.target_project), '[]') from rbac_policies r
  where r.object_id = t.id and r.action = 'access_as_shared' and r.target_project <> '*')`;

type Conditions = Readonly<Record<string, (projects: string) => string>>;

/** Conditions of what is shared: every project has a grant to use it, or one of these has. `object` is the id of what is granted. */
export function sharingOf(object: string): Conditions {
  const usable = (projects: string): string => `${object} in (select r.object_id from rbac_policies r
    where r.action = 'access_as_shared' and (r.target_project = '*' or r.target_project = any(${projects})))`;
  return { sharedWith: usable, notSharedWith: (projects) => `not ${usable(projects)}` };
}

/** Of resources that are shared themselves. */
export const grantFilters = sharingOf('t.id');

interface Owned {
  readonly id: string;
  readonly projectId?: string;
}

/** The wildcard grants of new rows. */
export async function grantNew<T extends CollectionTypes>(
  tx: Queryable,
  { sharing }: Resource<T>,
  rows: readonly object[],
  now: Date,
): Promise<void> {
  if (sharing === undefined) return;
  for (const [action, { flag }] of kindsOf(sharing)) {
    const shared = (rows as readonly (Owned & Readonly<Record<string, unknown>>)[]).filter((row) => row[flag] === true);
    await grantAll(tx, sharing, { action, rows: shared, now });
  }
}

/** Makes the grants follow a change of the row's flags; refuses to take away what others use. */
export async function changeGrants<T extends CollectionTypes>(
  tx: Queryable,
  { sharing }: Resource<T>,
  row: Owned,
  { fields, now }: { readonly fields: Readonly<Record<string, unknown>>; readonly now: Date },
): Promise<void> {
  if (sharing === undefined) return;
  for (const [action, kind] of kindsOf(sharing)) {
    if (fields[kind.flag] === true) await grantAll(tx, sharing, { action, rows: [row], now });
    if (fields[kind.flag] !== false) continue;
    if (await isUsed(tx, kind, { ...row, action, targetProject: everyProject })) {
      throw refusal('InvalidSharedSetting', { object: row.id });
    }
    await tx.query(
      'delete from rbac_policies where object_id = $1 and action = $2 and ($3::boolean or target_project = $4)',
      [row.id, action, kind.anyTarget === true, everyProject],
    );
  }
}

function kindsOf({ grants }: Sharing): readonly (readonly [GrantAction, GrantKind])[] {
  return Object.entries(grants) as [GrantAction, GrantKind][];
}

/** Grants go with what they are on. */
export async function dropGrants<T extends CollectionTypes>(
  tx: Queryable,
  { sharing }: Resource<T>,
  objectId: string,
): Promise<void> {
  if (sharing !== undefined) await tx.query('delete from rbac_policies where object_id = $1', [objectId]);
}

/** A grant that is to go. */
interface Leaving extends Owned {
  readonly action: GrantAction;
  readonly targetProject: string;
  /** Who is granted it instead. */
  readonly instead?: string | undefined;
}

/** Whether a project other than the owner uses the object and could not without this grant. */
export async function isUsed(tx: Queryable, { users, ownUse }: GrantKind, grant: Leaving): Promise<boolean> {
  const found = await tx.query(
    `select 1 from (${users('$1::uuid')}) u
     where ($5::boolean or u.project_id <> $2) and $3::text in ('*', u.project_id) and $6::text not in ('*', u.project_id)
       and not exists (select from rbac_policies r where r.object_id = $1::uuid and r.action = $4
         and r.target_project <> $3 and r.target_project in ('*', u.project_id))
     limit 1`,
    [grant.id, grant.projectId ?? '', grant.targetProject, grant.action, ownUse === true, grant.instead ?? ''],
  );
  return found.length > 0;
}

/** Whether anyone at all uses the object: without any grant, not even its owner can. */
export async function hasUsers(tx: Queryable, { users }: GrantKind, objectId: string): Promise<boolean> {
  return (await tx.query(`${users('$1::uuid')} limit 1`, [objectId])).length > 0;
}

async function grantAll(
  tx: Queryable,
  { objectType }: Sharing,
  { action, rows, now }: { readonly action: GrantAction; readonly rows: readonly Owned[]; readonly now: Date },
): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `insert into rbac_policies (id, project_id, object_type, object_id, target_project, action, revision, created_at, updated_at)
     select gen_random_uuid(), x."projectId", $2, x.id, $3, $4, 1, $5::timestamptz, $5::timestamptz
     from jsonb_to_recordset($1::text::jsonb) as x(id uuid, "projectId" text)
     on conflict on constraint rbac_policies_key do nothing`,
    [
      jsonRows(rows.map(({ id, projectId }) => ({ id, projectId }))),
      objectType,
      everyProject,
      action,
      now.toISOString(),
    ],
  );
}
