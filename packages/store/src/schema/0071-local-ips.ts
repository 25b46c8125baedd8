import { tagsGoWith } from './0062-tags-go.ts';

/** Local IPs refer to the port that holds their address without a cascade: it cannot go before them. */
export const localIpsSchema = `
create table local_ips (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  local_port_id uuid not null constraint local_ips_port_fkey references ports,
  network_id uuid not null constraint local_ips_network_fkey references networks,
  ip inet not null,
  mode text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index local_ips_project on local_ips (project_id, id);
create index local_ips_port on local_ips (local_port_id);
create index local_ips_network on local_ips (network_id);
${tagsGoWith('local_ips')}

create table local_ip_associations (
  id uuid primary key,
  local_ip_id uuid not null constraint local_ip_associations_local_ip_fkey references local_ips,
  fixed_port_id uuid not null constraint local_ip_associations_port_fkey references ports,
  fixed_ip inet not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint local_ip_associations_key unique (local_ip_id, fixed_port_id)
);
create index local_ip_associations_port on local_ip_associations (fixed_port_id)
`;
