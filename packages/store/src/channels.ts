import { refusal } from '@alcor/network';
import type { Channel, ChannelStore, NetworkId } from '@alcor/network';
import { nowOf, recordChanges } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { keepLease } from './leases.ts';
import { rowFields } from './resource.ts';
import { channelResource } from './resources/channel.ts';
import { networkResource } from './resources/network.ts';
import { lockRow } from './reader.ts';
import { isUuid } from './uuid7.ts';

export function createChannelStore(context: StoreContext): ChannelStore {
  const { database } = context;
  return {
    async setChannel(networkId, channel, lease) {
      await database.transaction(async (tx) => {
        await keepLease(tx, lease);
        // Keeps the network from going meanwhile; one that is gone has no channel.
        const [network] = await tx.query('select 1 from networks where id = $1 for key share', [networkId]);
        if (network !== undefined) await write(context, tx, networkId, { field: 'channel', value: channel });
      });
      context.committed();
    },
    async setChannelOverride(networkId, override) {
      const row = await database.transaction(async (tx) => {
        if (!isUuid(networkId)) throw refusal('NetworkNotFound', { networkId });
        await lockRow(tx, networkResource, networkId, { strength: 'for no key update' });
        await write(context, tx, networkId, { field: 'override', value: override });
        return readChannel(tx, networkId);
      });
      context.committed();
      return row;
    },
  };
}

/** The channel goes with its network. */
export async function deleteChannelOf(tx: Queryable, networkId: NetworkId, now: Date): Promise<void> {
  const gone = await tx.query<{ revision: number }>('delete from vpc_channels where id = $1 returning revision', [
    networkId,
  ]);
  const records = gone.map(
    ({ revision }) => ({ kind: 'channel', id: networkId, revision: revision + 1, deleted: true }) as const,
  );
  await recordChanges(tx, now, records);
}

type Field =
  | { readonly field: 'channel'; readonly value: Channel['channel'] }
  | { readonly field: 'override'; readonly value: Channel['override'] };

/** Writes the field, and a change if that is one. */
async function write(
  context: StoreContext,
  tx: Queryable,
  networkId: NetworkId,
  { field, value }: Field,
): Promise<void> {
  const initial = field === 'channel' ? `$2, null` : `'grpc', $2`;
  const [written] = await tx.query<{ revision: number }>(
    `insert into vpc_channels (id, channel, override, revision) values ($1, ${initial}, 1)
     on conflict on constraint vpc_channels_pkey do update set ${field} = excluded.${field}, revision = vpc_channels.revision + 1
       where vpc_channels.${field} is distinct from excluded.${field}
     returning revision`,
    [networkId, value],
  );
  if (written === undefined) return;
  await recordChanges(tx, nowOf(context), [
    { kind: 'channel', id: networkId, revision: written.revision, deleted: false },
  ]);
}

async function readChannel(tx: Queryable, networkId: NetworkId): Promise<Channel> {
  const text = `select ${rowFields(channelResource)} from vpc_channels t where t.id = $1`;
  const [row] = await tx.query<Channel>(text, [networkId]);
  if (row === undefined) throw refusal('NetworkNotFound', { networkId });
  return row;
}
