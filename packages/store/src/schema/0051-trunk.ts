/**
 * Trunks. Every port that has to do with a trunk, as its parent or as one of its sub-ports, has one row in `trunk_ports`, so that no
 * port can be in two trunks, or be both in one; the parent's row has no segmentation.
 */
export const trunkSchema = `
create table trunks (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  port_id uuid not null constraint trunks_port_key unique,
  admin_state_up boolean not null,
  status text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index trunks_project on trunks (project_id, id);
create index trunks_name on trunks (name);

create table trunk_ports (
  port_id uuid constraint trunk_ports_pkey primary key constraint trunk_ports_port_fkey references ports,
  trunk_id uuid not null constraint trunk_ports_trunk_fkey references trunks on delete cascade,
  segmentation_type text,
  segmentation_id integer,
  ordinal bigint generated always as identity,
  constraint trunk_ports_segmentation_key unique (trunk_id, segmentation_type, segmentation_id)
);
`;
