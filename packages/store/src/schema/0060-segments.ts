/**
 * The segment of each network, and the ranges that VNIs are taken out of. What is taken is told by `networks (vni)` alone; ranges
 * only say who may choose what. The default range is written when a store is opened (`segment-ranges.ts`).
 */
export const segmentSchema = `
create table segments (
  id uuid primary key,
  network_id uuid not null constraint segments_network_key unique
    constraint segments_network_fkey references networks on delete cascade,
  name text,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
insert into segments (id, network_id, name, description, revision, created_at, updated_at)
  select gen_random_uuid(), id, null, '', 1, created_at, created_at from networks;

create table network_segment_ranges (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  is_default boolean not null,
  shared boolean not null,
  minimum integer not null,
  maximum integer not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint network_segment_ranges_bounds check (1 <= minimum and minimum <= maximum and maximum <= 16777215),
  constraint network_segment_ranges_overlap exclude using gist (int4range(minimum, maximum, '[]') with &&)
    where (not is_default)
);
create unique index network_segment_ranges_default_key on network_segment_ranges (is_default) where is_default;
create index network_segment_ranges_project on network_segment_ranges (project_id, id);
`;
