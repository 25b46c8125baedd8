/** Sorts of traffic, as rules of groups, of their template and of network ACLs have them. */
export const trafficColumns = `
  direction text not null check (direction in ('ingress', 'egress')),
  ethertype text not null check (ethertype in ('IPv4', 'IPv6')),
  protocol text,
  port_range_min integer,
  port_range_max integer,
  remote_ip_prefix text,`;

/**
 * Security groups, their rules and what new ones begin with, address groups, and what ports have of all these. `sameness` is equal
 * for rules that say the same, so that no group has one twice.
 */
export const securitySchema = `
create table security_groups (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  stateful boolean not null,
  is_default boolean not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create unique index security_groups_default_key on security_groups (project_id) where is_default;
create index security_groups_project on security_groups (project_id, id);
create index security_groups_name on security_groups (name);

create table address_groups (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  addresses jsonb not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index address_groups_project on address_groups (project_id, id);

create table security_group_rules (
  id uuid primary key,
  project_id text not null,
  description text not null,
  security_group_id uuid not null constraint security_group_rules_group_fkey references security_groups on delete cascade,
  ${trafficColumns}
  normalized_cidr cidr,
  remote_group_id uuid constraint security_group_rules_remote_group_fkey references security_groups on delete cascade,
  remote_address_group_id uuid constraint security_group_rules_address_group_fkey references address_groups,
  sameness text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint security_group_rules_same_key unique (security_group_id, sameness)
);
create index security_group_rules_project on security_group_rules (project_id, id);
create index security_group_rules_remote_group on security_group_rules (remote_group_id) where remote_group_id is not null;
create index security_group_rules_address_group on security_group_rules (remote_address_group_id)
  where remote_address_group_id is not null;

create table default_security_group_rules (
  id uuid primary key,
  description text not null,
  ${trafficColumns}
  remote_group_id text,
  remote_address_group_id uuid constraint default_security_group_rules_address_group_fkey references address_groups,
  used_in_default_sg boolean not null,
  used_in_non_default_sg boolean not null,
  sameness text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create unique index default_security_group_rules_default_key on default_security_group_rules (sameness)
  where used_in_default_sg;
create unique index default_security_group_rules_other_key on default_security_group_rules (sameness)
  where used_in_non_default_sg;
insert into default_security_group_rules
  (id, description, direction, ethertype, remote_group_id, used_in_default_sg, used_in_non_default_sg, sameness, revision,
   created_at, updated_at)
  values
  ('00000000-0000-7000-8000-000000000001', 'Legacy default SG rule for egress traffic', 'egress', 'IPv4', null, true, true,
   'egress|IPv4||||||', 1, now(), now()),
  ('00000000-0000-7000-8000-000000000002', 'Legacy default SG rule for egress traffic', 'egress', 'IPv6', null, true, true,
   'egress|IPv6||||||', 1, now(), now()),
  ('00000000-0000-7000-8000-000000000003', 'Legacy default SG rule for ingress traffic', 'ingress', 'IPv4', 'PARENT', true, false,
   'ingress|IPv4|||||PARENT|', 1, now(), now()),
  ('00000000-0000-7000-8000-000000000004', 'Legacy default SG rule for ingress traffic', 'ingress', 'IPv6', 'PARENT', true, false,
   'ingress|IPv6|||||PARENT|', 1, now(), now());

create table port_security_groups (
  port_id uuid not null constraint port_security_groups_port_fkey references ports on delete cascade,
  security_group_id uuid not null constraint port_security_groups_group_fkey references security_groups,
  constraint port_security_groups_pkey primary key (port_id, security_group_id)
);
create index port_security_groups_group on port_security_groups (security_group_id, port_id);

alter table ports add column allowed_address_pairs jsonb not null default '[]'
`;
