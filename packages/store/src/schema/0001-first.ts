/**
 * The intent of a region. Names of constraints are part of the program: refusals are told from them (`port-conflicts.ts` and
 * others). Ids grow with time, so new rows land on the same few index pages.
 */
export const firstSchema = `
create table networks (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  admin_state_up boolean not null,
  shared boolean not null,
  mtu integer not null,
  vni integer not null constraint networks_vni_key unique check (vni between 1 and 16777215),
  port_security_enabled boolean not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index networks_project on networks (project_id, id);
create index networks_name on networks (name);
create index networks_shared on networks (id) where shared;

create table subnets (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  network_id uuid not null constraint subnets_network_fkey references networks,
  ip_version smallint not null,
  cidr cidr not null,
  gateway_ip inet,
  enable_dhcp boolean not null,
  allocation_pools jsonb not null,
  dns_nameservers jsonb not null,
  host_routes jsonb not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index subnets_network on subnets (network_id, id);
create index subnets_project on subnets (project_id, id);
create index subnets_name on subnets (name);

create table ports (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  network_id uuid not null constraint ports_network_fkey references networks,
  admin_state_up boolean not null,
  mac macaddr not null,
  host_id text,
  device_id text not null,
  device_owner text not null,
  port_security_enabled boolean not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint ports_network_mac_key unique (network_id, mac)
);
create index ports_network on ports (network_id, id);
create index ports_project on ports (project_id, id);
create index ports_host on ports (host_id, id) where host_id is not null;
create index ports_device on ports (device_id) where device_id <> '';
create index ports_name on ports (name) where name <> '';
create index ports_mac on ports (mac);

create table ip_allocations (
  subnet_id uuid not null constraint ip_allocations_subnet_fkey references subnets,
  ip inet not null,
  port_id uuid constraint ip_allocations_port_fkey references ports on delete cascade,
  ordinal smallint not null,
  constraint ip_allocations_pkey primary key (subnet_id, ip)
);
create index ip_allocations_port on ip_allocations (port_id) where port_id is not null;
create index ip_allocations_ip on ip_allocations (ip);

create table port_status (
  port_id uuid primary key constraint port_status_port_fkey references ports on delete cascade,
  status text not null,
  reason text not null
);

create table nodes (
  id text constraint nodes_pkey primary key,
  name text not null,
  ip inet not null constraint nodes_ip_key unique,
  agent_address text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create table retired_nodes (
  id text primary key,
  revision integer not null
);

create table changes (
  seq bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  kind text not null,
  id text not null,
  revision integer not null,
  deleted boolean not null,
  at timestamptz not null
);
create index changes_xid on changes (xid);
create table changes_trimmed (
  singleton boolean primary key default true check (singleton),
  xid xid8 not null
);
insert into changes_trimmed (xid) values ('0');
`;
