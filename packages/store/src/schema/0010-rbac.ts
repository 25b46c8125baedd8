/** Grants to use objects of other projects. A wildcard grant exists exactly where the object's own column says so. */
export const rbacSchema = `
create table rbac_policies (
  id uuid primary key,
  project_id text not null,
  object_type text not null,
  object_id uuid not null,
  target_project text not null,
  action text not null,
  revision integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint rbac_policies_key unique (object_id, action, target_project, object_type)
);
create index rbac_policies_target on rbac_policies (target_project, object_id);
create index rbac_policies_project on rbac_policies (project_id, id);
insert into rbac_policies
  select gen_random_uuid(), project_id, 'network', id, '*', 'access_as_shared', 1, created_at, created_at
  from networks where shared;
`;
