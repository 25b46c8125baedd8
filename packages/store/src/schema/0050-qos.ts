/**
 * Quality of service. The rules of all kinds are one table, so that a policy's rules are one index range and the unique
 * constraint holds whatever writes; each kind is a view of it with the columns that the kind has.
 */
export const qosSchema = `
create table qos_policies (
  id uuid primary key,
  project_id text not null,
  name text not null,
  description text not null,
  shared boolean not null,
  is_default boolean not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index qos_policies_project on qos_policies (project_id, id);
create index qos_policies_name on qos_policies (name);
create unique index qos_policies_default_key on qos_policies (project_id) where is_default;

create table qos_rules (
  id uuid primary key,
  policy_id uuid not null constraint qos_rules_policy_fkey references qos_policies on delete cascade,
  type text not null,
  direction text not null default 'any',
  max_kbps integer,
  max_burst_kbps integer,
  max_kpps integer,
  max_burst_kpps integer,
  dscp_mark integer,
  min_kbps integer,
  min_kpps integer,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint qos_rules_key unique (policy_id, type, direction)
);

create view qos_bandwidth_limit_rules as
  select id, policy_id, type, direction, max_kbps, max_burst_kbps, revision, created_at, updated_at
  from qos_rules where type = 'bandwidth_limit';
create view qos_packet_rate_limit_rules as
  select id, policy_id, type, direction, max_kpps, max_burst_kpps, revision, created_at, updated_at
  from qos_rules where type = 'packet_rate_limit';
create view qos_dscp_marking_rules as
  select id, policy_id, type, dscp_mark, revision, created_at, updated_at
  from qos_rules where type = 'dscp_marking';
create view qos_minimum_bandwidth_rules as
  select id, policy_id, type, direction, min_kbps, revision, created_at, updated_at
  from qos_rules where type = 'minimum_bandwidth';
create view qos_minimum_packet_rate_rules as
  select id, policy_id, type, direction, min_kpps, revision, created_at, updated_at
  from qos_rules where type = 'minimum_packet_rate';
`;
