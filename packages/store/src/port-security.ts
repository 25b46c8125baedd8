import { everyProject, refusal } from '@alcor/network';
import type {
  AddressPair,
  AddressPairRequest,
  CreatePort,
  NetworkId,
  Port,
  SecurityGroupId,
  UpdatePort,
} from '@alcor/network';
import { forEachItem } from './collection.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { ensureDefaultGroups } from './default-groups.ts';
import type { PortNetwork } from './port-addresses.ts';
import { insertMembers } from './port-insert.ts';
import { arrayLiteral } from './sql.ts';
import { isUuid } from './uuid7.ts';

/** How a port to be is protected. */
export interface PlannedSecurity {
  readonly enabled: boolean;
  readonly groups: readonly SecurityGroupId[];
}

/** What each port is protected by: the groups asked for, or its project's default one. */
export async function planSecurity(
  context: StoreContext,
  inputs: readonly CreatePort[],
  networks: ReadonlyMap<NetworkId, PortNetwork>,
): Promise<readonly PlannedSecurity[]> {
  const enabled = inputs.map((input) => isProtected(input, networks.get(input.networkId)));
  forEachItem(inputs, (input, item) => checkAsked(input, enabled[item] === true));
  const defaults = await ensureDefaultGroups(
    context,
    inputs.filter((input, item) => enabled[item] === true && isOpen(input)).map(({ projectId }) => projectId),
  );
  const known = await readGroups(
    context.database,
    inputs.flatMap(({ securityGroupIds }) => securityGroupIds ?? []),
  );
  return forEachItem(inputs, (input, item) => {
    if (enabled[item] !== true) return { enabled: false, groups: [] };
    const own = defaults.get(input.projectId);
    if (isOpen(input)) return { enabled: true, groups: own === undefined ? [] : [own] };
    return { enabled: true, groups: usableGroups(known, input.securityGroupIds ?? [], input.projectId) };
  });
}

/** The pairs, each with a MAC; the same one twice is refused. */
export function pairsOf(mac: string, pairs: readonly AddressPairRequest[]): readonly AddressPair[] {
  const seen = new Set<string>();
  return pairs.map(({ ip, mac: given }) => {
    const pair = { ip, mac: given ?? mac };
    const key = `${pair.mac} ${ip}`;
    if (seen.has(key)) throw refusal('DuplicateAddressPairInRequest', { mac: pair.mac, ip });
    seen.add(key);
    return pair;
  });
}

/** What a patch makes of a locked port's pairs; its groups are written, and it is told whether they are others now. */
export async function changeSecurity(
  tx: Queryable,
  row: Port,
  wanted: Omit<UpdatePort, 'mac'> & { readonly mac?: string | undefined },
): Promise<{ readonly pairs: readonly AddressPair[]; readonly regrouped: boolean }> {
  const { mac = row.mac, portSecurityEnabled: enabled = row.portSecurityEnabled } = wanted;
  const asked = wanted.securityGroupIds === undefined ? undefined : (wanted.securityGroupIds ?? []);
  const pairs =
    wanted.allowedAddressPairs === undefined ? row.allowedAddressPairs : pairsOf(mac, wanted.allowedAddressPairs);
  if (!enabled && pairs.length > 0) throw refusal('AddressPairAndPortSecurityRequired', {});
  if (!enabled && asked !== undefined && asked.length > 0) {
    throw refusal('PortSecurityAndIPRequiredForSecurityGroups', {});
  }
  if (asked === undefined && enabled) return { pairs, regrouped: false };
  const present = row.securityGroupIds;
  if (asked === undefined) {
    if (present.length > 0) throw refusal('PortSecurityPortHasSecurityGroup', {});
    return { pairs, regrouped: false };
  }
  const groups = usableGroups(await readGroups(tx, asked), asked, row.projectId);
  if (groups.join(' ') === present.join(' ')) return { pairs, regrouped: false };
  await tx.query('delete from port_security_groups where port_id = $1', [row.id]);
  await insertMembers(tx, { id: row.id, securityGroupIds: groups });
  return { pairs, regrouped: true };
}

/** A port that a service of the region owns is that service's to protect. */
function isProtected(input: CreatePort, network: PortNetwork | undefined): boolean {
  if (input.deviceOwner?.startsWith('network:') === true) return false;
  return input.portSecurityEnabled ?? network?.portSecurityEnabled ?? true;
}

/** No groups were named, nor none. */
function isOpen({ securityGroupIds }: CreatePort): boolean {
  return securityGroupIds === undefined || securityGroupIds === null;
}

function checkAsked({ mac, allowedAddressPairs = [], securityGroupIds }: CreatePort, enabled: boolean): void {
  pairsOf(mac ?? '', allowedAddressPairs);
  if (enabled) return;
  if (allowedAddressPairs.length > 0) throw refusal('AddressPairAndPortSecurityRequired', {});
  if ((securityGroupIds ?? []).length > 0) throw refusal('PortSecurityAndIPRequiredForSecurityGroups', {});
}

/** The projects that may use each group: its own, and those that have a grant. */
type KnownGroups = ReadonlyMap<SecurityGroupId, ReadonlySet<string>>;

async function readGroups(on: Queryable, ids: readonly SecurityGroupId[]): Promise<KnownGroups> {
  const wanted = [...new Set(ids)].filter(isUuid);
  if (wanted.length === 0) return new Map();
  const rows = await on.query<{ id: SecurityGroupId; projects: readonly string[] }>(
    `select t.id, (select json_agg(u.project) from (select t.project_id as project union all
       select r.target_project from rbac_policies r where r.object_id = t.id and r.action = 'access_as_shared') u) as projects
     from security_groups t where t.id = any($1::uuid[])`,
    [arrayLiteral(wanted)],
  );
  return new Map(rows.map(({ id, projects }) => [id, new Set(projects)]));
}

/** In the order in which they are read again; the project must be one that may use all of them. */
function usableGroups(
  known: KnownGroups,
  asked: readonly SecurityGroupId[],
  projectId: string,
): readonly SecurityGroupId[] {
  const unusable = asked.filter((id) => {
    const users = known.get(id);
    return users?.has(projectId) !== true && users?.has(everyProject) !== true;
  });
  if (unusable.length > 0) throw refusal('SecurityGroupNotFound', { securityGroupId: unusable.join(', ') });
  return [...new Set(asked)].toSorted();
}
