/** What was shared before there were grants for it: a wildcard grant exists exactly where the object's own column says so. */
export const poolGrantsSchema = `
insert into rbac_policies
  select gen_random_uuid(), project_id, 'subnetpool', id, '*', 'access_as_shared', 1, created_at, created_at
  from subnet_pools where shared;
insert into rbac_policies
  select gen_random_uuid(), project_id, 'address_scope', id, '*', 'access_as_shared', 1, created_at, created_at
  from address_scopes where shared
`;
