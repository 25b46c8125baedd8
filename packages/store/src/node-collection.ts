import { canonicalIp, refusal } from '@alcor/network';
import type { Collection, CreateNode, Node, NodeId, NodeTypes } from '@alcor/network';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import { DatabaseError } from './database-error.ts';
import type { Queryable } from './database.ts';
import { lockRow, readPage, readView } from './reader.ts';
import { nodeResource } from './resources.ts';
import { arrayLiteral } from './sql.ts';
import { changedFields, deleteRow, insertAll, updateRow } from './writer.ts';

export function createNodeCollection(context: StoreContext): Collection<NodeTypes> {
  const { database } = context;
  return {
    create: (inputs) => createNodes(context, inputs),
    get: (id) => readView(database, nodeResource, id),
    list: (query) => readPage(database, nodeResource, query),
    async update(id, patch, options = {}) {
      const wanted = patch.ip === undefined ? patch : { ...patch, ip: checkedIp(patch.ip) };
      const view = await database
        .transaction(async (tx) => {
          // Keeps ports from being bound meanwhile: their makers lock the row for share.
          const row = await lockRow(tx, nodeResource, id, { ...options, strength: 'for update' });
          const fields = changedFields(row, wanted);
          if ('ip' in fields) await checkUnbound(tx, id);
          if (Object.keys(fields).length > 0) await updateRow(tx, nodeResource, row, { fields, now: nowOf(context) });
          return readView(tx, nodeResource, id);
        })
        .catch((error: unknown) => {
          throw asExists(error, [{ id, ip: wanted.ip ?? '' }]);
        });
      context.committed();
      return view;
    },
    async delete(id, options = {}) {
      await database.transaction(async (tx) => {
        await lockIds(tx, [id]);
        const row = await lockRow(tx, nodeResource, id, { ...options, strength: 'for update' });
        await checkUnbound(tx, id);
        await deleteRow(tx, nodeResource, row, nowOf(context));
        await tx.query(
          `insert into retired_nodes (id, revision) values ($1, $2)
           on conflict (id) do update set revision = excluded.revision`,
          [id, row.revision + 1],
        );
      });
      context.committed();
    },
  };
}

async function createNodes(context: StoreContext, inputs: readonly CreateNode[]): Promise<readonly Node[]> {
  const now = nowOf(context);
  const checked = inputs.map((input, item) => ({ ...input, ip: checkedIp(input.ip, item) }));
  for (const [item, { id }] of checked.entries()) {
    if (id === '') throw refusal('InvalidInput', { reason: 'the id of a node is empty' }, { item });
  }
  const ids = checked.map(({ id }) => id);
  const rows = await context.database
    .transaction(async (tx) => {
      await lockIds(tx, ids);
      const retired = await tx.query<{ id: string; revision: number }>(
        'select id, revision from retired_nodes where id = any($1::text[])',
        [arrayLiteral(ids)],
      );
      const revisions = new Map(retired.map(({ id, revision }) => [id, revision]));
      const made = checked.map(({ id, name, ip, agentAddress }) => {
        const revision = (revisions.get(id) ?? 0) + 1;
        return { id, name: name ?? id, ip, agentAddress, revision, createdAt: now, updatedAt: now };
      });
      await insertAll(tx, nodeResource, made, now);
      return made;
    })
    .catch((error: unknown) => {
      throw asExists(error, checked);
    });
  context.committed();
  return rows;
}

/** One at a time per id: a node that comes again must see the revision it went with. */
async function lockIds(tx: Queryable, ids: readonly NodeId[]): Promise<void> {
  await tx.query(
    `select pg_advisory_xact_lock(hashtextextended(id, 0))
     from (select id from unnest($1::text[]) as id order by hashtextextended(id, 0)) as ids`,
    [arrayLiteral(ids)],
  );
}

async function checkUnbound(tx: Queryable, id: NodeId): Promise<void> {
  const bound = await tx.query('select 1 from ports where host_id = $1 limit 1', [id]);
  if (bound.length > 0) throw refusal('NodeInUse', { nodeId: id });
}

function asExists(error: unknown, wanted: readonly { readonly id: string; readonly ip: string }[]): unknown {
  if (!(error instanceof DatabaseError) || error.state !== '23505') return error;
  const [value = ''] = error.key;
  const field = error.constraint === 'nodes_ip_key' ? 'ip' : 'id';
  const key = field === 'ip' ? (canonicalIp(value) ?? value) : value;
  const item = wanted.findLastIndex((row) => row[field] === key);
  return refusal('NodeExists', { field, value: key }, { cause: error, item: item === -1 ? undefined : item });
}

function checkedIp(text: string, item?: number): string {
  const ip = canonicalIp(text);
  if (ip === null) throw refusal('InvalidInput', { reason: `ip '${text}' is not a valid IP address` }, { item });
  return ip;
}
