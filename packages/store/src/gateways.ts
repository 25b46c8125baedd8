import type { GatewayStore } from '@alcor/network';
import { nowOf, recordChanges, type StoreContext } from './context.ts';
import { keepLease } from './leases.ts';

export function createGatewayStore(context: StoreContext): GatewayStore {
  const { database } = context;
  return {
    async setGatewayLost(nodeId, lost, lease) {
      await database.transaction(async (tx) => {
        await keepLease(tx, lease);
        const now = nowOf(context);
        const [written] = await tx.query<{ revision: number }>(
          `update nodes set lost = $2, revision = revision + 1, updated_at = $3
           where id = $1 and gateway and lost <> $2 returning revision`,
          [nodeId, lost, now.toISOString()],
        );
        if (written === undefined) return;
        await recordChanges(tx, now, [{ kind: 'node', id: nodeId, revision: written.revision, deleted: false }]);
      });
      context.committed();
    },
  };
}
