import { tagsGoWith } from './0062-tags-go.ts';

/** What routers do besides routing, what flavor they are of, and what quality their gateways and floating IPs get. */
export const routerServicesSchema = `
alter table routers add column enable_ndp_proxy boolean not null default false;
alter table routers add column flavor_id uuid constraint routers_flavor_fkey references flavors;
create index routers_flavor on routers (flavor_id) where flavor_id is not null;
alter table routers add column qos_policy_id uuid constraint routers_qos_policy_fkey references qos_policies;
create index routers_qos_policy on routers (qos_policy_id) where qos_policy_id is not null;
alter table floating_ips add column qos_policy_id uuid constraint floating_ips_qos_policy_fkey references qos_policies;
create index floating_ips_qos_policy on floating_ips (qos_policy_id) where qos_policy_id is not null;

create table conntrack_helpers (
  id uuid primary key,
  router_id uuid not null constraint conntrack_helpers_router_fkey references routers on delete cascade,
  protocol text not null,
  port integer not null,
  helper text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint conntrack_helpers_key unique (router_id, protocol, port)
);

create table ndp_proxies (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  router_id uuid not null constraint ndp_proxies_router_fkey references routers,
  port_id uuid not null constraint ndp_proxies_port_fkey references ports,
  ip inet not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index ndp_proxies_project on ndp_proxies (project_id, id);
create index ndp_proxies_router on ndp_proxies (router_id);
create index ndp_proxies_port on ndp_proxies (port_id);
${tagsGoWith('ndp_proxies')}
`;
