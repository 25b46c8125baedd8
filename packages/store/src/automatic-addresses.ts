import { isAutoAddressed, refusal } from '@alcor/network';
import type { Subnet } from '@alcor/network';
import type { Queryable } from './database.ts';
import { routerInterfaces } from './port-addresses.ts';
import { growRoutersWithGatewayIn } from './router-attachments.ts';
import { arrayLiteral } from './sql.ts';

/**
 * The address that a guest with the MAC of `p` gives itself in the /64 of `s`, as `eui64Address` has it: the two halves of the
 * MAC round ff:fe, with the universal/local bit turned (an exclusive or, which PostgreSQL lacks for MACs).
 */
const flipped = `((p.mac::macaddr8 | '02:00:00:00:00:00:00:00') & ~(p.mac::macaddr8 & '02:00:00:00:00:00:00:00'))`;
const eui64 = `set_masklen(network(s.cidr)::inet, 128)
  | regexp_replace(replace(${flipped}::text, ':', ''), '(....)(....)(....)(....)', '::\\1:\\2:\\3:\\4')::inet`;

const serves = `(s.service_types = '[]' or s.service_types ? p.device_owner or (s.enable_dhcp and p.device_owner = 'network:dhcp'))`;

/**
 * Gives the ports of the networks their addresses in new subnets in which guests address themselves. The networks must be locked
 * `for update`: nobody makes ports on them meanwhile, and whoever planned one must plan again.
 */
export async function addAutomaticAddresses(tx: Queryable, subnets: readonly Subnet[], now: Date): Promise<void> {
  for (const subnet of subnets.filter(isAutoAddressed)) {
    await tx.query('update networks set auto_subnets = auto_subnets + 1 where id = $1', [subnet.networkId]);
    await tx.query(
      `with port as (
         update ports p set revision = p.revision + 1, updated_at = $2::timestamptz from subnets s
         where s.id = $1 and p.network_id = s.network_id and p.device_owner <> all($3::text[]) and ${serves}
         returning p.id, p.revision, ${eui64} as ip),
       address as (
         insert into ip_allocations (subnet_id, ip, port_id, ordinal)
         select $1, ip, id, (select coalesce(max(a.ordinal) + 1, 0) from ip_allocations a where a.port_id = port.id)
         from port order by ip)
       insert into changes (kind, id, revision, deleted, at) select 'port', id, revision, false, $2::timestamptz from port`,
      [subnet.id, now.toISOString(), arrayLiteral(routerInterfaces)],
    );
    await growRoutersWithGatewayIn(tx, subnet.id, now);
  }
}

/** Takes the ports' addresses from a subnet that is to go; refuses where a router is attached. */
export async function dropAutomaticAddresses(tx: Queryable, subnet: Subnet, now: Date): Promise<void> {
  if (!isAutoAddressed(subnet)) return;
  const attached = await tx.query(
    `select 1 from ip_allocations a join ports p on p.id = a.port_id
     where a.subnet_id = $1 and p.device_owner = any($2::text[]) limit 1`,
    [subnet.id, arrayLiteral(routerInterfaces)],
  );
  if (attached.length > 0) throw refusal('SubnetInUse', { subnetId: subnet.id });
  await growRoutersWithGatewayIn(tx, subnet.id, now);
  await tx.query(
    `with gone as (delete from ip_allocations where subnet_id = $1 and port_id is not null returning port_id),
     port as (
       update ports p set revision = p.revision + 1, updated_at = $2::timestamptz
       where p.id in (select port_id from gone) returning p.id, p.revision)
     insert into changes (kind, id, revision, deleted, at) select 'port', id, revision, false, $2::timestamptz from port`,
    [subnet.id, now.toISOString()],
  );
}
