/**
 * The zones that the makers of networks and routers name; and the zones of the region, looked up one by one in the index of nodes, so
 * that it costs no more with more nodes.
 */
export const zoneHintSchema = `
alter table networks add column availability_zone_hints jsonb not null default '[]';
alter table routers add column availability_zone_hints jsonb not null default '[]';
create or replace view availability_zones as
  with recursive named (name) as (
    select min(availability_zone) from nodes
    union all
    select (select min(n.availability_zone) from nodes n where n.availability_zone > named.name)
    from named where named.name is not null)
  select resource || ' ' || name as id, name, resource, 'available' as state
  from (select name from named where name is not null union select 'nova') zones
  cross join (values ('network'), ('router')) kinds (resource);
`;
