import type { AgentActions, AgentTypes, Collection, NodeId } from '@alcor/network';
import { createCollection } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { aliveCondition, agentResource } from './resources/host.ts';
import { jsonRows } from './sql.ts';

/** The agents of the registered nodes. */
export function createAgentCollection(context: StoreContext): Collection<AgentTypes> & AgentActions {
  return {
    ...createCollection(context, agentResource, { defaults: {} }),
    async heard(nodeIds) {
      await context.database.write(
        `${insertText} on conflict (node_id) do update set heartbeat_at = now(),
           started_at = case when ${aliveCondition('t')} then t.started_at else now() end`,
        [...rowsOf(context, nodeIds), true],
      );
    },
  };
}

/** The agents of new nodes; nothing was heard of them yet. */
export async function insertAgents(context: StoreContext, tx: Queryable, nodeIds: readonly NodeId[]): Promise<void> {
  await tx.query(insertText, [...rowsOf(context, nodeIds), false]);
}

/** `$1`: rows, `$2`: when, `$3`: whether they were heard of. In the order of the key, so that two such statements do not deadlock. */
const insertText = `
  insert into agents as t (id, node_id, admin_state_up, description, started_at, heartbeat_at, revision, created_at, updated_at)
  select x.id, n.id, true, '', case when $3::boolean then now() end, case when $3::boolean then now() end, 1, $2::timestamptz, $2::timestamptz
  from jsonb_to_recordset($1::text::jsonb) as x(id uuid, "nodeId" text) join nodes n on n.id = x."nodeId" order by n.id`;

function rowsOf(context: StoreContext, nodeIds: readonly NodeId[]): readonly [string, string] {
  const rows = [...new Set(nodeIds)].map((nodeId) => ({ id: context.newId(), nodeId }));
  return [jsonRows(rows), nowOf(context).toISOString()];
}
