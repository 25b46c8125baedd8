import { canonicalIp, defaultZone, refusal } from '@alcor/network';
import type { Collection, NodeId, NodeTypes, NodeView } from '@alcor/network';
import { insertAgents } from './agent-collection.ts';
import { createCollection } from './collection.ts';
import type { Conflict } from './collection.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { nodeResource } from './resources/node.ts';
import { arrayLiteral } from './sql.ts';

/** Rows are plain, but a node that comes again goes on from the revision it went with (`retired_nodes`). */
export function createNodeCollection(context: StoreContext): Collection<NodeTypes> {
  return createCollection(context, nodeResource, {
    defaults: {
      availabilityZone: defaultZone,
      configManagerId: null,
      gatewayId: null,
      gateway: false,
      lost: false,
      draining: false,
      maxPorts: null,
      bridgeMappings: {},
    },
    complete: (row, input) => {
      if (input.id === '') throw refusal('InvalidInput', { reason: 'the id of a node is empty' });
      return { ...row, name: input.name ?? input.id, ip: checkedIp(input.ip) };
    },
    beforeInsert: withPastRevisions,
    afterInsert: (tx, rows) =>
      insertAgents(
        context,
        tx,
        rows.map(({ id }) => id),
      ),
    checkPatch: (patch) => (patch.ip === undefined ? patch : { ...patch, ip: checkedIp(patch.ip) }),
    change: async (tx, row, patch) => {
      if (patch.ip !== undefined && patch.ip !== row.ip) await checkUnbound(tx, row.id);
      return patch as Partial<NodeView>;
    },
    beforeDelete: async (tx, { id }) => {
      await lockIds(tx, [id]);
      await checkUnbound(tx, id);
    },
    afterDelete: async (tx, { id, revision }) => {
      await tx.query(
        `insert into retired_nodes (id, revision) values ($1, $2)
         on conflict (id) do update set revision = excluded.revision`,
        [id, revision + 1],
      );
    },
    conflicts: {
      nodes_pkey: exists('id'),
      nodes_ip_key: exists('ip'),
      nodes_config_manager_fkey: ([configManagerId = '']) => refusal('ConfigManagerNotFound', { configManagerId }),
      nodes_gateway_fkey: ([gatewayId = '']) => refusal('GatewayNotFound', { gatewayId }),
    },
  });
}

async function withPastRevisions(tx: Queryable, rows: readonly NodeView[]): Promise<readonly NodeView[]> {
  const ids = rows.map(({ id }) => id);
  await lockIds(tx, ids);
  const retired = await tx.query<{ id: string; revision: number }>(
    'select id, revision from retired_nodes where id = any($1::text[])',
    [arrayLiteral(ids)],
  );
  const revisions = new Map(retired.map(({ id, revision }) => [id, revision]));
  return rows.map((row) => ({ ...row, revision: (revisions.get(row.id) ?? 0) + 1 }));
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

function exists(field: 'id' | 'ip'): Conflict {
  return ([value = ''], rows) => {
    const key = field === 'ip' ? (canonicalIp(value) ?? value) : value;
    const item = (rows as readonly Partial<NodeView>[]).findLastIndex((row) => row[field] === key);
    return refusal('NodeExists', { field, value: key }, { item: item === -1 ? undefined : item });
  };
}

function checkedIp(text: string): string {
  const ip = canonicalIp(text);
  if (ip === null) throw refusal('InvalidInput', { reason: `ip '${text}' is not a valid IP address` });
  return ip;
}
