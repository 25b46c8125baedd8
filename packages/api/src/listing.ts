import { AlcorError, type Collection, type ListQuery, type Page } from '@alcor/network';
import type { AnyTypes } from './definition.ts';

/** Rows asked of the store at a time where a client wants them all. */
const pageSize = 2_000;

type Rows = readonly AnyTypes['view'][];

/**
 * The rows that `query` asks for; all of them, without a limit, come page by page, so that a list of any length takes bounded
 * memory. Rows made or deleted meanwhile may or may not appear; every other one appears once.
 */
export async function* pagesOf(collection: Collection<AnyTypes>, query: ListQuery<AnyTypes>): AsyncGenerator<Rows> {
  if (query.limit !== undefined) {
    yield (await collection.list(query)).rows;
    return;
  }
  const paged = { ...query, limit: pageSize };
  let page = await collection.list(paged);
  yield page.rows;
  while (page.more) {
    page = await following(collection, paged, page.rows);
    yield page.rows;
  }
}

/** The page after `rows`. Where the last of them was deleted meanwhile, the one before it marks the place, and so on. */
async function following(
  collection: Collection<AnyTypes>,
  query: ListQuery<AnyTypes>,
  rows: Rows,
): Promise<Page<AnyTypes['view']>> {
  for (const { id } of rows.toReversed()) {
    try {
      return await collection.list({ ...query, marker: id });
    } catch (thrown) {
      if (AlcorError.from(thrown).status !== 404) throw thrown;
    }
  }
  throw new AlcorError('ServiceUnavailable', 'The list changed too fast to be read to its end.');
}
