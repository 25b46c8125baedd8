import type { Item } from './held-vpc.ts';
import type { Offers } from './offers.ts';

/** A stream from a config manager: tells of many VPCs, each from nothing once it has begun it. */
export interface StreamSource {
  readonly kind: 'stream';
  readonly generation: number;
  /** Generations of the VPCs that it has begun since. */
  readonly begun: Map<string, number>;
  /** Of those, the ones of whose neighbours it tells only those that are asked for. */
  readonly onDemand: Set<string>;
  readonly offers: Offers;
}

/** One reading of a VPC's topic, from its beginning. */
export interface TopicSource {
  readonly kind: 'topic';
  readonly generation: number;
  readonly vpcId: string;
}

export type Source = StreamSource | TopicSource;

/** Which telling of the VPC it is that the source is at. */
export function generationOf(source: Source, vpcId: string): number {
  return source.kind === 'topic' ? source.generation : (source.begun.get(vpcId) ?? source.generation);
}

export function other(kind: Source['kind']): Source['kind'] {
  return kind === 'stream' ? 'topic' : 'stream';
}

/** The source has named the item. */
export function note(item: Item, source: Source, generation: number, now: number): void {
  item[source.kind] = Math.max(item[source.kind], generation);
  item.heardAt = now;
}
