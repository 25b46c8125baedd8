/** For lists of very many ports: each order and filter that tools use has an index, and every port has a status that one can be on. */
export const listIndexesSchema = `
insert into port_status (port_id, status, reason)
  select p.id, 'DOWN', '' from ports p where not exists (select 1 from port_status u where u.port_id = p.id);
create index port_status_status on port_status (status, port_id);
drop index ports_name;
create index ports_name on ports (name, id);
create index ports_network_name on ports (network_id, name, id);
create index ports_created on ports (created_at, id);
`;
