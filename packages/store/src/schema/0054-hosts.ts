/** What is known of hosts beside where they are: their agents, zones, config managers and gateways. */
export const hostSchema = `
create table config_managers (
  id uuid primary key,
  name text not null,
  description text not null,
  address text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create table gateways (
  id uuid primary key,
  name text not null,
  description text not null,
  ip inet,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
alter table nodes add column availability_zone text not null default 'nova';
alter table nodes add column config_manager_id uuid constraint nodes_config_manager_fkey references config_managers;
alter table nodes add column gateway_id uuid constraint nodes_gateway_fkey references gateways;
create index nodes_availability_zone on nodes (availability_zone);
create index nodes_config_manager on nodes (config_manager_id) where config_manager_id is not null;
create index nodes_gateway on nodes (gateway_id) where gateway_id is not null;

create table agents (
  id uuid primary key,
  node_id text not null constraint agents_node_key unique constraint agents_node_fkey references nodes on delete cascade,
  admin_state_up boolean not null,
  description text not null,
  started_at timestamptz,
  heartbeat_at timestamptz,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
insert into agents (id, node_id, admin_state_up, description, revision, created_at, updated_at)
  select gen_random_uuid(), id, true, '', 1, created_at, created_at from nodes;

create view availability_zones as
  select resource || ' ' || name as id, name, resource, 'available' as state
  from (select distinct availability_zone as name from nodes union select 'nova') zones
  cross join (values ('network'), ('router')) kinds (resource);
`;
