import { trafficColumns } from './0030-security.ts';

/** Network ACLs: that a subnet has one at most is the primary key of `network_acl_subnets`. */
export const networkAclSchema = `
create table network_acls (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index network_acls_project on network_acls (project_id, id);

create table network_acl_subnets (
  subnet_id uuid constraint network_acl_subnets_pkey primary key
    constraint network_acl_subnets_subnet_fkey references subnets on delete cascade,
  network_acl_id uuid not null constraint network_acl_subnets_acl_fkey references network_acls
);
create index network_acl_subnets_acl on network_acl_subnets (network_acl_id);

create table network_acl_rules (
  id uuid primary key,
  project_id text not null,
  description text not null,
  network_acl_id uuid not null constraint network_acl_rules_acl_fkey references network_acls on delete cascade,
  number integer not null,
  action text not null check (action in ('allow', 'deny')),
  ${trafficColumns}
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint network_acl_rules_number_key unique (network_acl_id, direction, number)
);
create index network_acl_rules_project on network_acl_rules (project_id, id)
`;
