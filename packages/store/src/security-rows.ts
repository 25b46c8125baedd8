import { checkTraffic, normalizedCidr, refusal, samenessOf } from '@alcor/network';
import type { Traffic } from '@alcor/network';
import type { Queryable } from './database.ts';
import { arrayLiteral } from './sql.ts';
import { isUuid } from './uuid7.ts';

/** What a rule that names no more of its traffic speaks of. */
export const anyTraffic = {
  ethertype: 'IPv4',
  protocol: null,
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
} as const satisfies Omit<Traffic, 'direction'>;

interface RemoteRule extends Traffic {
  readonly remoteGroupId: string | null;
  readonly remoteAddressGroupId: string | null;
}

/** A rule as it is kept, with what tells it from others, or the refusal of what makes no sense. */
export function completeRule<Rule extends RemoteRule>(rule: Rule): Rule {
  const complete = { ...rule, ...checkTraffic(rule) };
  const { remoteIpPrefix, remoteGroupId, remoteAddressGroupId } = complete;
  if ([remoteIpPrefix, remoteGroupId, remoteAddressGroupId].filter((remote) => remote !== null).length > 1) {
    throw refusal('SecurityGroupMultipleRemoteEntites', {});
  }
  const derived = {
    normalizedCidr: remoteIpPrefix === null ? null : normalizedCidr(remoteIpPrefix),
    sameness: samenessOf(complete, [remoteGroupId, remoteAddressGroupId]),
  };
  return { ...complete, ...derived };
}

/** What `completeRule` worked out. */
export function samenessIn(rule: object): string {
  return (rule as { readonly sameness: string }).sameness;
}

/** What is no id is the id of no group. */
export function knownGroupId(id: string): string {
  if (!isUuid(id)) throw refusal('SecurityGroupNotFound', { securityGroupId: id });
  return id.toLowerCase();
}

/** Those of `ids` that the table has, kept from going until the transaction ends. */
export async function keepPresent(
  tx: Queryable,
  table: 'security_groups' | 'address_groups',
  ids: readonly (string | null)[],
): Promise<ReadonlySet<string>> {
  const wanted = ids.filter((id) => id !== null);
  if (wanted.length === 0) return new Set();
  const text = `select id from ${table} where id = any($1::uuid[]) order by id for key share`;
  return new Set((await tx.query<{ id: string }>(text, [arrayLiteral(wanted)])).map(({ id }) => id));
}
