import type { Random } from '@alcor/runtime';
import type { Queryable } from './database.ts';
import { FreeIndexes } from './free-indexes.ts';

/** VNIs from `first` to `last`. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/**
 * Which VNIs are free, as far as this process knows (`FreeIndexes`); the database's unique constraint is the truth. Who may choose
 * out of which spans is the caller's affair.
 */
export interface VniBook {
  /** Takes a free VNI out of the spans (in order, without overlap); null where there is none. */
  take(spans: readonly Span[]): Promise<number | null>;
  settle(vni: number): void;
  release(vni: number): void;
  conflict(vni: number): void;
}

interface Page {
  readonly spans: readonly Span[];
  readonly free: FreeIndexes;
}

/** Sets of spans remembered; beyond it the ones not used for longest are forgotten. */
const rememberedPages = 256;

export function createVniBook(parts: { readonly database: Queryable; readonly random: Random }): VniBook {
  const pages = new Map<string, Page>();

  const pageOf = (spans: readonly Span[]): Page => {
    const key = JSON.stringify(spans);
    const page = pages.get(key) ?? makePage(spans, parts);
    // Moved to the end: the order of the map is that of use.
    pages.delete(key);
    pages.set(key, page);
    if (pages.size > rememberedPages) forgetOldest(pages);
    return page;
  };
  const everywhere = (vni: number, act: (free: FreeIndexes, index: number) => void): void => {
    for (const { spans, free } of pages.values()) {
      const index = indexOf(spans, vni);
      if (index !== null) act(free, index);
    }
  };

  return {
    async take(spans) {
      if (spans.length === 0) return null;
      const { free } = pageOf(spans);
      let index = await free.take();
      if (index === null) {
        free.reload();
        index = await free.take();
      }
      return index === null ? null : vniAt(spans, index);
    },
    settle: (vni) => everywhere(vni, (free, index) => free.settle(index)),
    release: (vni) => everywhere(vni, (free, index) => free.release(index)),
    conflict: (vni) => everywhere(vni, (free, index) => free.conflict(index)),
  };
}

/** The spans without what is in `others`; both in any order. */
export function without(spans: readonly Span[], others: readonly Span[]): readonly Span[] {
  let left = joined(spans);
  for (const other of others) {
    left = left.flatMap((span) => {
      if (other.last < span.first || other.first > span.last) return [span];
      const before = { first: span.first, last: other.first - 1 };
      const after = { first: other.last + 1, last: span.last };
      return [before, after].filter(({ first, last }) => first <= last);
    });
  }
  return left;
}

/** In order, those that overlap or touch as one. */
export function joined(spans: readonly Span[]): readonly Span[] {
  const result: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.first - b.first)) {
    const previous = result.at(-1);
    if (previous === undefined || span.first > previous.last + 1) result.push(span);
    else result[result.length - 1] = { first: previous.first, last: Math.max(previous.last, span.last) };
  }
  return result;
}

function makePage(spans: readonly Span[], parts: { readonly database: Queryable; readonly random: Random }): Page {
  const size = spans.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const loadTaken = async (first: number, last: number): Promise<readonly number[]> => {
    // What lies between two spans has no index.
    const rows = await parts.database.query<{ vni: number }>('select vni from networks where vni between $1 and $2', [
      vniAt(spans, first),
      vniAt(spans, last),
    ]);
    return rows.flatMap(({ vni }) => indexOf(spans, vni) ?? []);
  };
  return { spans, free: new FreeIndexes({ size, loadTaken, random: parts.random, order: 'rotating' }) };
}

function indexOf(spans: readonly Span[], vni: number): number | null {
  let offset = 0;
  for (const { first, last } of spans) {
    if (vni >= first && vni <= last) return offset + vni - first;
    offset += last - first + 1;
  }
  return null;
}

function vniAt(spans: readonly Span[], index: number): number {
  let offset = index;
  for (const { first, last } of spans) {
    if (offset <= last - first) return first + offset;
    offset -= last - first + 1;
  }
  throw new Error(`no span has index ${index}`);
}

function forgetOldest(pages: Map<string, Page>): void {
  for (const [key, { free }] of pages) {
    if (!free.idle) continue;
    pages.delete(key);
    return;
  }
}
