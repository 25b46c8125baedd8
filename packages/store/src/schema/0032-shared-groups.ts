/** Groups that every project may use; `rbac_policies` says which others may. */
export const sharedGroupsSchema = `
alter table security_groups add column shared boolean not null default false;
alter table address_groups add column shared boolean not null default false
`;
