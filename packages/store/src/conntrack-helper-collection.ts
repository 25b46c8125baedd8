import { checkConntrackHelper, refusal } from '@alcor/network';
import type { Collection, ConntrackHelperTypes, RouterId } from '@alcor/network';
import { createCollection } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { conntrackHelperResource } from './resources/router-services.ts';
import { routerResource } from './resources/router.ts';
import { lockRouter } from './router-attachments.ts';
import { updateRow } from './writer.ts';

/** A change of a helper is one of its router, as the router shows it. */
export function createConntrackHelperCollection(context: StoreContext): Collection<ConntrackHelperTypes> {
  const revise = async (tx: Queryable, { routerId }: { readonly routerId: RouterId }): Promise<void> => {
    await updateRow(tx, routerResource, await lockRouter(tx, routerId), { fields: {}, now: nowOf(context) });
  };
  return createCollection(context, conntrackHelperResource, {
    defaults: {},
    complete: (row) => {
      checkConntrackHelper(row);
      return row;
    },
    beforeInsert: async (tx, rows) => {
      const routers = [...new Set(rows.map(({ routerId }) => routerId))].toSorted();
      for (const routerId of routers) await revise(tx, { routerId });
      return rows;
    },
    change: async (_tx, row, { protocol = row.protocol, port = row.port, helper = row.helper }) => {
      checkConntrackHelper({ protocol, port, helper });
      return { protocol, port, helper };
    },
    afterUpdate: revise,
    afterDelete: revise,
    conflicts: {
      conntrack_helpers_key: ([routerId = '', protocol = '', port = '']) =>
        refusal('ConntrackHelperExists', { routerId, protocol, port }),
    },
  });
}
