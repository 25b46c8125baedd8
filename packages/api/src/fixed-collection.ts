import { AlcorError, type Collection, type CollectionTypes, type ListQuery, type SortBy } from '@alcor/network';

/** The types of a resource that is part of the program. */
interface FixedTypes extends CollectionTypes {
  readonly view: { readonly id: string };
}

/** What a collection reads of rows that never change; nothing is written. */
export function fixedCollection<T extends FixedTypes>(
  rows: readonly T['view'][],
  notFound: (id: string) => AlcorError,
): Collection<T> {
  const position = (list: readonly T['view'][], id: string): number => {
    const index = list.findIndex((row) => row.id === id);
    if (index === -1) throw notFound(id);
    return index;
  };
  return {
    get: async (id) => rows[position(rows, id)] as T['view'],
    list: async ({ filter = {}, sort = [], marker, limit = rows.length, direction }: ListQuery<T>) => {
      const sorted = rows.toSorted((one, other) => compare(one, other, sort));
      const at = marker === undefined ? null : position(sorted, marker);
      const rest =
        direction === 'backward' ? sorted.slice(0, at ?? sorted.length) : sorted.slice(at === null ? 0 : at + 1);
      const found = rest.filter((row) => matches(row, filter));
      const page = direction === 'backward' ? found.slice(-limit) : found.slice(0, limit);
      return { rows: page, more: page.length < found.length };
    },
    create: readOnly,
    update: readOnly,
    delete: readOnly,
  };
}

async function readOnly(): Promise<never> {
  throw new AlcorError('Internal', 'The collection is read-only.');
}

function matches(row: object, filter: object): boolean {
  const values = row as Readonly<Record<string, unknown>>;
  return Object.entries(filter).every(
    ([field, wanted]) => !Array.isArray(wanted) || wanted.some((value) => value === values[field]),
  );
}

function compare(one: object, other: object, sort: readonly SortBy<string>[]): number {
  const [left, right] = [one, other] as Readonly<Record<string, unknown>>[];
  for (const { key, direction } of [...sort, { key: 'id', direction: 'asc' } as const]) {
    const [a, b] = [String(left?.[key]), String(right?.[key])];
    if (a !== b) return a < b === (direction === 'asc') ? -1 : 1;
  }
  return 0;
}
