/** How ports can be attached on hosts that they are not bound to (yet). What a port is bound to stands in its own row. */
export const portBindingSchema = `
create table inactive_bindings (
  port_id uuid not null constraint inactive_bindings_port_fkey references ports on delete cascade,
  host_id text not null,
  vnic_type text not null,
  profile jsonb not null,
  constraint inactive_bindings_pkey primary key (port_id, host_id)
);
create view port_bindings as
  select id || ' ' || host_id as id, id as port_id, host_id, vnic_type, binding_profile as profile, 'ACTIVE' as status
  from ports where host_id is not null
  union all
  select port_id || ' ' || host_id, port_id, host_id, vnic_type, profile, 'INACTIVE' from inactive_bindings;
`;
