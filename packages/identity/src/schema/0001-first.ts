/** Everything lies in a schema of its own, so that the region's tables and these never meet. */
export const firstSchema = `
create table identity.domains (
  id text primary key,
  name text not null constraint domains_name unique,
  description text default '',
  enabled boolean not null default true,
  tags jsonb not null default '[]',
  extra jsonb not null default '{}'
);

create table identity.projects (
  id text primary key,
  domain_id text not null constraint projects_domain references identity.domains on delete cascade,
  parent_id text constraint projects_parent references identity.projects,
  name text not null,
  description text default '',
  enabled boolean not null default true,
  tags jsonb not null default '[]',
  extra jsonb not null default '{}',
  constraint projects_name unique (domain_id, name)
);
create index projects_parent_index on identity.projects (parent_id);

create table identity.users (
  id text primary key,
  domain_id text not null constraint users_domain references identity.domains on delete cascade,
  name text not null,
  enabled boolean not null default true,
  default_project_id text,
  password_hash text,
  password_version integer not null default 0,
  extra jsonb not null default '{}',
  constraint users_name unique (domain_id, name)
);

create table identity.groups (
  id text primary key,
  domain_id text not null constraint groups_domain references identity.domains on delete cascade,
  name text not null,
  description text default '',
  extra jsonb not null default '{}',
  constraint groups_name unique (domain_id, name)
);

create table identity.group_members (
  group_id text not null references identity.groups on delete cascade,
  user_id text not null references identity.users on delete cascade,
  primary key (group_id, user_id)
);
create index group_members_user on identity.group_members (user_id);

create table identity.roles (
  id text primary key,
  name text not null constraint roles_name unique,
  description text,
  extra jsonb not null default '{}'
);

create table identity.implied_roles (
  prior_id text not null references identity.roles on delete cascade,
  implied_id text not null references identity.roles on delete cascade,
  primary key (prior_id, implied_id)
);

create table identity.assignments (
  id bigint generated always as identity primary key,
  role_id text not null references identity.roles on delete cascade,
  user_id text references identity.users on delete cascade,
  group_id text references identity.groups on delete cascade,
  project_id text references identity.projects on delete cascade,
  domain_id text references identity.domains on delete cascade,
  inherited boolean not null default false,
  constraint assignments_actor check (num_nonnulls(user_id, group_id) = 1),
  constraint assignments_target check (num_nonnulls(project_id, domain_id) <= 1),
  constraint assignments_inheritable check (not inherited or num_nonnulls(project_id, domain_id) = 1),
  constraint assignments_once unique nulls not distinct (user_id, group_id, project_id, domain_id, role_id, inherited)
);
create index assignments_group on identity.assignments (group_id);
create index assignments_project on identity.assignments (project_id);
create index assignments_domain on identity.assignments (domain_id);
create index assignments_role on identity.assignments (role_id);

create table identity.regions (
  id text primary key,
  description text default '',
  parent_region_id text constraint regions_parent references identity.regions,
  extra jsonb not null default '{}'
);

create table identity.services (
  id text primary key,
  type text not null,
  name text default '',
  description text,
  enabled boolean not null default true,
  extra jsonb not null default '{}'
);

create table identity.endpoints (
  id text primary key,
  service_id text not null constraint endpoints_service references identity.services on delete cascade,
  region_id text constraint endpoints_region references identity.regions,
  interface text not null,
  url text not null,
  enabled boolean not null default true,
  extra jsonb not null default '{}'
);

create table identity.tokens (
  hash text primary key,
  user_id text not null references identity.users on delete cascade,
  password_version integer not null,
  scope text not null,
  project_id text references identity.projects on delete cascade,
  domain_id text references identity.domains on delete cascade,
  methods text not null,
  audit_ids text not null,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  constraint tokens_scope check (scope in ('unscoped', 'system')
    or (scope = 'project' and project_id is not null) or (scope = 'domain' and domain_id is not null))
);
create index tokens_user on identity.tokens (user_id);
create index tokens_project on identity.tokens (project_id);
create index tokens_domain on identity.tokens (domain_id);
create index tokens_expiry on identity.tokens (expires_at)
`;
