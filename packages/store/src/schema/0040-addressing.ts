/**
 * Where subnets' blocks come from, and how their ports come by addresses. `networks.auto_subnets` counts the subnets made on the
 * network in which every port has an address of its own making: a port is only made by someone who knew of all of them.
 */
export const addressingSchema = `
create table address_scopes (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  ip_version smallint not null,
  shared boolean not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index address_scopes_project on address_scopes (project_id, id);

create table subnet_pools (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  ip_version smallint not null,
  prefixes jsonb not null,
  default_prefixlen smallint not null,
  min_prefixlen smallint not null,
  max_prefixlen smallint not null,
  default_quota integer,
  is_default boolean not null,
  shared boolean not null,
  address_scope_id uuid constraint subnet_pools_scope_fkey references address_scopes,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index subnet_pools_project on subnet_pools (project_id, id);
create index subnet_pools_scope on subnet_pools (address_scope_id) where address_scope_id is not null;
create unique index subnet_pools_default_key on subnet_pools (ip_version) where is_default;

alter table subnets
  add column ipv6_ra_mode text,
  add column ipv6_address_mode text,
  add column service_types jsonb not null default '[]',
  add column subnet_pool_id uuid constraint subnets_pool_fkey references subnet_pools;
create index subnets_pool on subnets (subnet_pool_id) where subnet_pool_id is not null;

alter table networks
  add column auto_subnets integer not null default 0,
  add column dns_domain text not null default '';

alter table ports
  add column extra_dhcp_opts jsonb not null default '[]',
  add column dns_name text not null default '',
  add column dns_domain text not null default '',
  add column vnic_type text not null default 'normal',
  add column binding_profile jsonb not null default '{}';
`;
