/** Addresses that mean, on each host, a port of that host; and the ports they mean. */
export const localIpSchema = `
create table local_ips (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  local_port_id uuid not null constraint local_ips_port_fkey references ports,
  network_id uuid not null constraint local_ips_network_fkey references networks,
  local_ip_address inet not null,
  ip_mode text not null,
  owns_port boolean not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index local_ips_project on local_ips (project_id, id);
create index local_ips_name on local_ips (name);
create index local_ips_port on local_ips (local_port_id);
create index local_ips_network on local_ips (network_id);

create table local_ip_associations (
  local_ip_id uuid not null constraint local_ip_associations_local_ip_fkey references local_ips,
  fixed_port_id uuid not null constraint local_ip_associations_port_fkey references ports on delete cascade,
  fixed_ip inet not null,
  constraint local_ip_associations_pkey primary key (local_ip_id, fixed_port_id)
);
create index local_ip_associations_port on local_ip_associations (fixed_port_id);
`;
