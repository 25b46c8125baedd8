/**
 * The flows of one table, found by tuple-space search: flows are grouped by which bits they match on, and each group is
 * one hash table. A lookup costs one hash per group, whatever the number of flows.
 */
import { allOnes, fields, masked, normalise, type Field, type FieldValue } from '../fields.ts';
import { flowKey, maskOf, matchFields, valueOf, type Flow, type Match } from '../flow.ts';
import type { Packet } from './packet.ts';

export interface Entry {
  readonly flow: Flow;
  packets: number;
}

interface MaskedField {
  readonly field: Field;
  /** Null: the whole field. */
  readonly mask: FieldValue | null;
}

interface Tuple {
  readonly shape: readonly MaskedField[];
  /** By masked values; within a bucket by descending priority. */
  readonly buckets: Map<string, Entry[]>;
}

export class FlowTable {
  readonly #byKey = new Map<string, Entry>();
  readonly #tuples = new Map<string, Tuple>();

  get size(): number {
    return this.#byKey.size;
  }

  entries(): IterableIterator<Entry> {
    return this.#byKey.values();
  }

  get(key: string): Entry | undefined {
    return this.#byKey.get(key);
  }

  /** Replaces whatever has the flow's place, and counts on from there, as OpenFlow has it (1.5, section 6.4). */
  write(flow: Flow): void {
    const packets = this.#byKey.get(flowKey(flow))?.packets ?? 0;
    this.delete(flowKey(flow));
    const entry: Entry = { flow, packets };
    this.#byKey.set(flowKey(flow), entry);
    const shape = shapeOf(flow.match);
    const name = shape.map(({ field, mask }) => `${field}/${mask}`).join(',');
    const tuple = this.#tuples.get(name) ?? { shape, buckets: new Map<string, Entry[]>() };
    this.#tuples.set(name, tuple);
    const at = bucketOf(tuple, matchValues(flow.match))!;
    const bucket = [...(tuple.buckets.get(at) ?? []), entry];
    tuple.buckets.set(
      at,
      bucket.sort((a, b) => b.flow.priority - a.flow.priority),
    );
  }

  delete(key: string): void {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return;
    this.#byKey.delete(key);
    const name = shapeOf(entry.flow.match)
      .map(({ field, mask }) => `${field}/${mask}`)
      .join(',');
    const tuple = this.#tuples.get(name)!;
    const at = bucketOf(tuple, matchValues(entry.flow.match))!;
    const rest = tuple.buckets.get(at)!.filter((other) => other !== entry);
    if (rest.length > 0) tuple.buckets.set(at, rest);
    else tuple.buckets.delete(at);
    if (tuple.buckets.size === 0) this.#tuples.delete(name);
  }

  /** The flow of highest priority that covers the packet; of equal ones, the one whose place sorts first. */
  lookup(packet: Packet): Entry | undefined {
    let best: Entry | undefined;
    for (const tuple of this.#tuples.values()) {
      const at = bucketOf(tuple, packet);
      const found = at === null ? undefined : tuple.buckets.get(at)?.[0];
      if (found !== undefined && (best === undefined || beats(found, best))) best = found;
    }
    return best;
  }
}

function beats(a: Entry, b: Entry): boolean {
  if (a.flow.priority !== b.flow.priority) return a.flow.priority > b.flow.priority;
  // OpenFlow leaves this undefined; a simulation must not.
  return flowKey(a.flow) < flowKey(b.flow);
}

function shapeOf(match: Match): MaskedField[] {
  return matchFields(match).map((field) => {
    const mask = maskOf(match[field]!);
    const exact = mask === null || BigInt(mask) === allOnes(fields[field].bits);
    return { field, mask: exact ? null : normalise(field, mask) };
  });
}

function matchValues(match: Match): Packet {
  return Object.fromEntries(matchFields(match).map((field) => [field, normalise(field, valueOf(match[field]!))]));
}

/** The hash key of the packet in this group; null if the packet does not have one of the fields. */
function bucketOf(tuple: Tuple, packet: Packet): string | null {
  let key = '';
  for (const { field, mask } of tuple.shape) {
    const value = packet[field];
    if (value === undefined) return null;
    key += `${mask === null ? value : masked(field, value, mask)},`;
  }
  return key;
}
