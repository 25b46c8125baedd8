/**
 * Leases: which of several processes does a share of the work, without a leader and without two at once.
 *
 * The work is cut into shards; a shard belongs to at most one process, for `ttlMs` from each renewal. The store goes by its own clock, the
 * holder by its own monotonic clock from before it asked, so the holder stops believing first. What a process that was stopped
 * for a while still does is caught by the fence: a number of the shard that grows with every change of hands.
 */

/** `vpc`: publishing and the channels of the VPCs that fall into the shard. `host`: the sessions with its hosts. */
export type ShardKind = 'vpc' | 'host';
export type Shard = `${ShardKind}/${number}`;

const shardKinds: readonly ShardKind[] = ['vpc', 'host'];
export const shardsPerKind = 64;

export interface Lease {
  readonly shard: Shard;
  /** From 1; grows whenever the shard comes into other hands, also those of the same holder's next life. */
  readonly fence: number;
}

/** One life of a process that shares in the work. */
export interface LeaseHolder {
  /** The same over restarts. */
  readonly name: string;
  readonly life: number;
  /** Where other holders reach it, `host:port`; empty: nowhere. */
  readonly address: string;
}

export interface LeaseStore {
  /** Begins the next life of `name`: the one before has lost its leases, and `renew` gives them to this one without a wait. */
  enterLeases(name: string, address?: string): Promise<LeaseHolder>;
  /**
   * Says that the holder lives, and gives it all the leases it holds from now for `ttlMs`: at most its fair share of each kind among the
   * holders alive. Free shards are taken at once. Those above the share are not in the answer any more, and free when they
   * are released or run out. Rejects with LeaseLost when the holder has another life by now.
   */
  renewLeases(holder: LeaseHolder, ttlMs: number): Promise<readonly Lease[]>;
  /** Lets others have the shards that the holder does no work of any more. */
  releaseLeases(holder: LeaseHolder, shards: readonly Shard[]): Promise<void>;
  /** Ends the life: nothing is held, and nobody counts on it. */
  leaveLeases(holder: LeaseHolder): Promise<void>;
}

/** The lease is in other hands: what was to be done under it is not done. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

const shardsOf: { readonly [K in ShardKind]: readonly Shard[] } = { vpc: allOf('vpc'), host: allOf('host') };

function allOf(kind: ShardKind): readonly Shard[] {
  return Array.from({ length: shardsPerKind }, (_, number): Shard => `${kind}/${number}`);
}

/** The shard that a VPC or a host falls into: FNV-1a over the id's characters, the same in every process. */
export function shardOf(kind: ShardKind, id: string): Shard {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193) >>> 0;
  }
  // The low bits of FNV-1a are the least mixed.
  return `${kind}/${((hash ^ (hash >>> 16)) >>> 0) % shardsPerKind}`;
}

/**
 * A shard that has come into somebody's hands, as the feed tells it. Who takes a shard over begins when its own feed says so: it has
 * then seen everything that the holder before can have acted on.
 */
export interface HeldLease {
  readonly id: Shard;
  readonly holder: string;
  /** The holder's; empty: it has none. */
  readonly address: string;
  /** The fence. */
  readonly revision: number;
}

/** A shard as a store keeps it; one that nobody has held yet has no row. */
export interface LeaseRow extends HeldLease {
  readonly life: number;
  /** By the store's clock, or released. */
  readonly free: boolean;
}

/**
 * What the holder has from now: of its own as many as its share allows, the first by number, and then free ones. `alive` counts the
 * holders that live, this one among them. This defines the answer of `renewLeases` for every store.
 */
export function dealLeases(
  rows: readonly Omit<LeaseRow, 'address'>[],
  { name, life }: Pick<LeaseHolder, 'name' | 'life'>,
  alive: number,
): readonly Lease[] {
  const known = new Map(rows.map((row) => [row.id, row]));
  const share = Math.ceil(shardsPerKind / Math.max(1, alive));
  return shardKinds.flatMap((kind) => {
    const ofKind = shardsOf[kind];
    const kept = ofKind.filter((shard) => known.get(shard)?.holder === name).slice(0, share);
    const free = ofKind.filter((shard) => known.get(shard)?.holder !== name && (known.get(shard)?.free ?? true));
    return [...kept, ...free.slice(0, share - kept.length)].map((shard) => {
      const { holder, life: heldIn, revision } = known.get(shard) ?? { holder: '', life: 0, revision: 0 };
      return { shard, fence: holder === name && heldIn === life ? revision : revision + 1 };
    });
  });
}
