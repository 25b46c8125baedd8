/**
 * External networks, routers, floating IPs and port forwarding. Ports that these stand on are referred to without a cascade:
 * nothing that deletes ports can leave a router or an address without its port.
 */
export const routingSchema = `
alter table networks add column external boolean not null default false;
alter table networks add column is_default boolean not null default false;
create index networks_external on networks (id) where external;
create unique index networks_default_key on networks (is_default) where is_default;

create table routers (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  admin_state_up boolean not null,
  gateway_port_id uuid
    constraint routers_gateway_port_fkey references ports
    constraint routers_gateway_port_key unique,
  enable_snat boolean not null,
  distributed boolean not null,
  ha boolean not null,
  routes jsonb not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index routers_project on routers (project_id, id);
create index routers_name on routers (name);

create table router_interfaces (
  port_id uuid primary key constraint router_interfaces_port_fkey references ports,
  router_id uuid not null constraint router_interfaces_router_fkey references routers
);
create index router_interfaces_router on router_interfaces (router_id);

create table floating_ips (
  id uuid primary key,
  project_id text not null,
  description text not null,
  network_id uuid not null constraint floating_ips_network_fkey references networks,
  ip inet not null,
  external_port_id uuid not null
    constraint floating_ips_external_port_fkey references ports
    constraint floating_ips_external_port_key unique,
  port_id uuid constraint floating_ips_port_fkey references ports,
  fixed_ip inet,
  router_id uuid constraint floating_ips_router_fkey references routers,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint floating_ips_fixed_ip_key unique (port_id, fixed_ip, network_id),
  constraint floating_ips_whole check ((port_id is null) = (fixed_ip is null))
);
create index floating_ips_project on floating_ips (project_id, id);
create index floating_ips_network on floating_ips (network_id);
create index floating_ips_router on floating_ips (router_id) where router_id is not null;
create index floating_ips_ip on floating_ips (ip);

create table port_forwardings (
  id uuid primary key,
  floating_ip_id uuid not null constraint port_forwardings_floating_ip_fkey references floating_ips,
  port_id uuid not null constraint port_forwardings_port_fkey references ports,
  fixed_ip inet not null,
  protocol text not null,
  external_ports text not null,
  internal_ports text not null,
  external_first integer not null generated always as (split_part(external_ports, ':', 1)::integer) stored,
  external_last integer not null generated always as (split_part(external_ports, ':', 2)::integer) stored,
  internal_first integer not null generated always as (split_part(internal_ports, ':', 1)::integer) stored,
  internal_last integer not null generated always as (split_part(internal_ports, ':', 2)::integer) stored,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint port_forwardings_external_key unique (floating_ip_id, protocol, external_first),
  constraint port_forwardings_internal_key unique (port_id, fixed_ip, protocol, internal_first)
);

create view floating_ip_pools as
select s.id, s.name, n.project_id, n.id as network_id, s.cidr
from subnets s join networks n on n.id = s.network_id where n.external and s.ip_version = 4
`;
