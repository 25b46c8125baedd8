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

export const shardKinds: readonly ShardKind[] = ['vpc', 'host'];
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
}

export interface LeaseStore {
  /** Begins the next life of `name`: the one before has lost its leases, and `renew` gives them to this one without a wait. */
  enterLeases(name: string): Promise<LeaseHolder>;
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

/** All shards there are. */
export const allShards: readonly Shard[] = shardKinds.flatMap((kind) =>
  Array.from({ length: shardsPerKind }, (_, number): Shard => `${kind}/${number}`),
);

/** The shard that a VPC or a host falls into: FNV-1a over the id's characters, the same in every process. */
export function shardOf(kind: ShardKind, id: string): Shard {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193) >>> 0;
  }
  // The low bits of FNV-1a are the least mixed.
  return `${kind}/${(hash ^ (hash >>> 16)) % shardsPerKind}`;
}

/** A shard as a store keeps it. */
export interface LeaseRow {
  readonly shard: Shard;
  readonly holder: string | null;
  readonly life: number;
  readonly fence: number;
  /** By the store's clock. */
  readonly expired: boolean;
}

/**
 * What the holder has from now: of its own as many as its share allows, the first by number, and then free ones. `alive` counts the
 * holders that live, this one among them. This defines the answer of `renewLeases` for every store.
 */
export function dealLeases(rows: readonly LeaseRow[], { name, life }: LeaseHolder, alive: number): readonly Lease[] {
  const ordered = rows.toSorted((a, b) => numberOf(a.shard) - numberOf(b.shard));
  return shardKinds.flatMap((kind) => {
    const share = Math.ceil(shardsPerKind / Math.max(1, alive));
    const ofKind = ordered.filter(({ shard }) => shard.startsWith(`${kind}/`));
    const mine = ofKind.filter(({ holder }) => holder === name).slice(0, share);
    const free = ofKind.filter(({ holder, expired }) => holder === null || (holder !== name && expired));
    const taken = free.slice(0, share - mine.length);
    return [
      ...mine.map((row) => ({ shard: row.shard, fence: row.life === life ? row.fence : row.fence + 1 })),
      ...taken.map(({ shard, fence }) => ({ shard, fence: fence + 1 })),
    ];
  });
}

function numberOf(shard: Shard): number {
  return Number(shard.slice(shard.indexOf('/') + 1));
}
