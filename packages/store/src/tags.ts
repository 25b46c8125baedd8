import { AlcorError } from '@alcor/network';
import type { CollectionTypes, TagChange } from '@alcor/network';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { lockRow } from './reader.ts';
import type { Resource } from './resource.ts';
import { arrayLiteral } from './sql.ts';
import { updateRow } from './writer.ts';

/** The most labels that one resource has. */
const maxTags = 50;

/** Changes the labels of a resource, which is a change of the resource; gives what they are then. */
export async function retag<T extends CollectionTypes>(
  context: StoreContext,
  resource: Resource<T>,
  id: T['id'],
  change: TagChange,
): Promise<readonly string[]> {
  const tags = await context.database.transaction(async (tx) => {
    const row = await lockRow(tx, resource, id, { strength: 'for no key update' });
    const before = await tagsOf(tx, id);
    const after = wanted(before, change);
    if (after.length > maxTags) throw new AlcorError('InvalidInput', `At most ${maxTags} tags may be on one resource.`);
    if (after.join('\0') === before.join('\0')) return before;
    await tx.query('delete from tags where object_id = $1', [id]);
    await tx.query('insert into tags (object_id, tag) select $1, unnest($2::text[])', [id, arrayLiteral(after)]);
    await updateRow(tx, resource, row as { id: string; revision: number }, { fields: {}, now: nowOf(context) });
    return after;
  });
  context.committed();
  return tags;
}

async function tagsOf(tx: Queryable, id: string): Promise<readonly string[]> {
  const rows = await tx.query<{ tag: string }>('select tag from tags where object_id = $1 order by tag', [id]);
  return rows.map(({ tag }) => tag);
}

function wanted(before: readonly string[], change: TagChange): readonly string[] {
  switch (change.how) {
    case 'replace':
      return [...new Set(change.tags)].toSorted();
    case 'add':
      return [...new Set([...before, change.tag])].toSorted();
    case 'remove':
      return before.filter((tag) => tag !== change.tag);
    default:
      return change satisfies never;
  }
}
