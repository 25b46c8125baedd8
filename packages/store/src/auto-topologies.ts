import { AlcorError, refusal } from '@alcor/network';
import type { AutoTopologies, IntentStore, NetworkId, RouterId, SubnetId, SubnetPoolId } from '@alcor/network';
import type { StoreContext } from './context.ts';

type Parts = Pick<IntentStore, 'networks' | 'subnets' | 'routers'>;

interface Topology {
  readonly networkId: NetworkId;
  readonly routerId: RouterId;
}

/** What a topology is made of while it is made, so that it can be unmade. */
interface Draft {
  networkId?: NetworkId;
  routerId?: RouterId;
  readonly attached: SubnetId[];
}

/**
 * Each part is made by its own collection, in a transaction of its own: whoever asks twice at once makes two, of which the one
 * that is recorded stays and the other is removed.
 */
export function createAutoTopologies(context: StoreContext, parts: Parts): AutoTopologies {
  return {
    async ensure(projectId) {
      const present = await topologyOf(context, projectId);
      if (present !== null) return present.networkId;
      const external = await defaultExternal(context);
      const pools = await defaultPools(context);
      const draft: Draft = { attached: [] };
      try {
        const made = await build(parts, draft, { projectId, external, pools });
        if (await record(context, projectId, made)) return made.networkId;
      } catch (error) {
        await unmake(parts, draft);
        throw asFailure(error);
      }
      await unmake(parts, draft);
      const winner = await topologyOf(context, projectId);
      if (winner === null) throw failure('Unable to provide tenant private network');
      return winner.networkId;
    },
    async check() {
      await defaultExternal(context);
      await defaultPools(context);
    },
    async remove(projectId) {
      const present = await topologyOf(context, projectId);
      if (present === null) return;
      const { rows } = await parts.subnets.list({ filter: { networkId: [present.networkId] } });
      await unmake(parts, { ...present, attached: rows.map(({ id }) => id) });
    },
  };
}

async function topologyOf({ database }: StoreContext, projectId: string): Promise<Topology | null> {
  const [found] = await database.query<Topology>(
    'select network_id as "networkId", router_id as "routerId" from auto_topologies where project_id = $1',
    [projectId],
  );
  return found ?? null;
}

async function defaultExternal({ database }: StoreContext): Promise<NetworkId> {
  const [found] = await database.query<{ id: NetworkId }>('select id from networks where external and is_default');
  if (found === undefined) throw failure('No default router:external network');
  return found.id;
}

interface Pool {
  readonly id: SubnetPoolId;
  readonly ipVersion: 4 | 6;
}

async function defaultPools({ database }: StoreContext): Promise<readonly Pool[]> {
  const pools = await database.query<Pool>(
    'select id, ip_version as "ipVersion" from subnet_pools where is_default order by ip_version',
  );
  if (pools.length === 0) throw failure('No default subnetpools defined');
  return pools;
}

async function build(
  { networks, subnets, routers }: Parts,
  draft: Draft,
  wanted: { readonly projectId: string; readonly external: NetworkId; readonly pools: readonly Pool[] },
): Promise<Topology> {
  const { projectId, external, pools } = wanted;
  const [network] = await networks.create([{ projectId, name: 'auto_allocated_network' }]);
  if (network === undefined) throw failure('Unable to provide tenant private network');
  const { id: networkId } = network;
  draft.networkId = networkId;
  const made = await subnets.create(
    pools.map(({ id: subnetPoolId, ipVersion }) => {
      const name = `auto_allocated_subnet_v${ipVersion}`;
      return { projectId, networkId, name, ipVersion, subnetPoolId };
    }),
  );
  const gateway = { networkId: external };
  const [router] = await routers.create([{ projectId, name: 'auto_allocated_router', gateway }]);
  if (router === undefined) throw failure('Unable to provide external connectivity');
  draft.routerId = router.id;
  for (const { id: subnetId } of made) {
    await routers.addInterface(router.id, { subnetId });
    draft.attached.push(subnetId);
  }
  return { networkId, routerId: router.id };
}

/** Whether it is the project's: another may have been recorded before. */
async function record(
  { database }: StoreContext,
  projectId: string,
  { networkId, routerId }: Topology,
): Promise<boolean> {
  const done = await database.write(
    `insert into auto_topologies (project_id, network_id, router_id) values ($1, $2, $3)
     on conflict (project_id) do nothing returning project_id`,
    [projectId, networkId, routerId],
  );
  return done.length > 0;
}

async function unmake({ networks, routers }: Parts, { networkId, routerId, attached }: Draft): Promise<void> {
  if (routerId !== undefined) {
    for (const subnetId of attached) await goneOr(routers.removeInterface(routerId, { subnetId }));
    await goneOr(routers.delete(routerId));
  }
  if (networkId !== undefined) await goneOr(networks.delete(networkId));
}

/** Someone else may be removing it as well. */
async function goneOr(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof AlcorError && error.status === 404)) throw error;
  });
}

function asFailure(error: unknown): unknown {
  const isTheirs = error instanceof AlcorError && (error.status === 400 || error.code === 'SubnetAllocationError');
  return isTheirs ? failure('Unable to provide tenant private network') : error;
}

function failure(reason: string): AlcorError {
  return refusal('AutoAllocationFailure', { reason });
}
