import type { Caller } from '@alcor/identity';
import type { CollectionTypes, NetworkTypes, Resource, Zoned } from '@alcor/network';
import { type Attribute, type FilterRule, attributesOf, chosen, initially, listed } from '../attribute.ts';
import { invalid } from '../body.ts';
import { Refusal, flag, integer, listOf, nullMeans, shown, text, timestamp, uuid } from '../kinds.ts';

/** The resources that belong to a project; all of them have the attributes of this file. */
interface TenantTypes extends CollectionTypes {
  readonly view: Omit<Resource<string>, 'name'>;
}
type Attributes<T extends TenantTypes> = Readonly<Record<string, Attribute<T['view']>>>;

/** An instant to the second, as Neutron writes it. */
export function wireTime(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

/** Whether the caller's project may use it: every project may, or it has a grant. */
export function sharedWith(
  shared: boolean,
  { grantees }: { readonly grantees: readonly string[] },
  { projectId }: Caller,
): boolean {
  return shared || grantees.includes(projectId);
}

/** By what answers show (`sharedWith`). */
export const bySharing: FilterRule = (values, { projectId }) => {
  const wanted = values.map((value) => {
    const parsed = flag.parse(value);
    if (parsed instanceof Refusal) throw invalid('shared', parsed.reason);
    return parsed;
  });
  if (new Set(wanted).size !== 1) return {};
  return wanted[0] === true ? { sharedWith: [projectId] } : { notSharedWith: [projectId] };
};

const common = attributesOf<NetworkTypes>();

const zones = listOf(text(255), 64, String);

/** Where something that is not bound to a host is available. */
const zoned = {
  availability_zone_hints: common.field(
    'availabilityZoneHints',
    nullMeans(zones, []),
    'Zones where it shall be available',
    {
      post: initially([]),
    },
  ),
  availability_zones: common.field(
    'availabilityZones',
    zones,
    'Those of the region: it is on every host that needs it',
  ),
};

/** The attributes that say in which zones it is. */
export function inZones<T extends TenantTypes & { readonly view: Zoned }>(): Attributes<T> {
  return zoned as unknown as Attributes<T>;
}
const project = common.field('projectId', text(255), 'The project it belongs to', {
  post: chosen,
  ...listed,
});

const first = {
  id: common.field('id', uuid(), 'Given by the region', listed),
  name: common.field('name', text(255), 'For people; need not be unique', {
    post: initially(''),
    put: true,
    ...listed,
  }),
  tenant_id: { ...project, about: 'Older name of project_id' },
  project_id: project,
  description: common.field('description', text(255), 'For people', { post: initially(''), put: true, ...listed }),
};

const label = text(60);

/** `tags=a,b`: a resource has all (or any) of these labels. */
const byTags =
  (field: string): FilterRule =>
  (values) => ({ [field]: [...new Set(values.flatMap((value) => value.split(',')))] });

/** `changed_since=2026-01-01T00:00:00Z`. */
const sinceThen: FilterRule = (values) => {
  const [value = ''] = values.toSorted().slice(-1);
  if (timestamp.parse(value) instanceof Refusal || !/^\d{4}-\d\d-\d\dT/.test(value)) {
    throw invalid('changed_since', `${shown(value)} is not a timestamp`);
  }
  return { changedSince: [new Date(value).toISOString()] };
};

/** Labels of what may be made with them. */
export const labelled = {
  kind: listOf(label, 50, String),
  about: 'Labels; once it is made, written at their own path',
  use: { post: initially([]), filter: byTags('tags') },
};

const labels = {
  tags: common.computed(listOf(label, 50), 'Labels; written at their own path', (view) => view.tags ?? [], {
    filter: byTags('tags'),
  }),
  'tags-any': common.condition('Has one of these labels', byTags('tagsAny')),
  'not-tags': common.condition('Has not all of these labels', byTags('notTags')),
  'not-tags-any': common.condition('Has none of these labels', byTags('notTagsAny')),
  changed_since: common.condition('Has changed at that time or later', sinceThen),
};

const last = {
  ...labels,
  revision_number: common.field('revision', integer(0, Number.MAX_SAFE_INTEGER), 'Grows with every change', listed),
  created_at: common.field('createdAt', timestamp, 'When it was made', { sort: true, wire: wireTime }),
  updated_at: common.field('updatedAt', timestamp, 'When it last changed', { sort: true, wire: wireTime }),
};

/** What every tenant's resource starts with. They are stated once, on networks: the store has them alike for all. */
export function identity<T extends TenantTypes>(): Attributes<T> {
  return first as unknown as Attributes<T>;
}

/** What every tenant's resource ends with. */
export function records<T extends TenantTypes>(): Attributes<T> {
  return last as unknown as Attributes<T>;
}

/** The same for the few resources that have no name. */
export function nameless<T extends CollectionTypes & { readonly view: Omit<Resource<string>, 'name'> }>(): Readonly<
  Record<string, Attribute<T['view']>>
> {
  const { id, tenant_id: tenant, project_id: owner, description } = first;
  return { id, tenant_id: tenant, project_id: owner, description } as unknown as ReturnType<typeof nameless<T>>;
}
