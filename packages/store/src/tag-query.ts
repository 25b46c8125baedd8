import type { CollectionTypes } from '@alcor/network';
import type { Resource } from './resource.ts';

/** The labels of a row, in their order. */
export const tagsView = `(select coalesce(json_agg(g.tag order by g.tag), '[]') from tags g where g.object_id = t.id)`;

const withAny = (values: string): string => `t.id in (select g.object_id from tags g where g.tag = any(${values}))`;
const withAll = (values: string): string =>
  `t.id in (select g.object_id from tags g where g.tag = any(${values}) group by 1 having count(*) = cardinality(${values}))`;

/** Conditions that every resource with labels and a history has. */
export const commonFilters: Readonly<Record<string, (values: string) => string>> = {
  tags: withAll,
  tagsAny: withAny,
  notTags: (values) => `not ${withAll(values)}`,
  notTagsAny: (values) => `not ${withAny(values)}`,
  changedSince: (values) => `t.updated_at >= (${values})[1]::timestamptz`,
};

/** Whether resources of the kind have labels: those of projects that people describe. */
export function isTagged<T extends CollectionTypes>({ columns }: Resource<T>): boolean {
  return 'projectId' in columns && 'description' in columns && columns['id']?.type === 'uuid';
}
