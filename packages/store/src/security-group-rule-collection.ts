import { refusal } from '@alcor/network';
import type { AlcorError, Collection, DefaultSecurityGroupRuleTypes, SecurityGroupRuleTypes } from '@alcor/network';
import { createCollection, forEachItem } from './collection.ts';
import type { Row } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { ensureDefaultGroups, parentGroup } from './default-groups.ts';
import {
  defaultSecurityGroupRuleResource,
  securityGroupResource,
  securityGroupRuleResource,
} from './resources/security.ts';
import { projectsOf } from './security-group-collection.ts';
import { anyTraffic, completeRule, keepPresent, knownGroupId, samenessIn } from './security-rows.ts';
import { arrayLiteral } from './sql.ts';
import { growRevisions } from './writer.ts';

type RuleRow = Row<SecurityGroupRuleTypes>;

export function createSecurityGroupRuleCollection(context: StoreContext): Collection<SecurityGroupRuleTypes> {
  const grow = (tx: Queryable, rules: readonly RuleRow[]): Promise<void> =>
    growRevisions(
      tx,
      securityGroupResource,
      rules.map(({ securityGroupId }) => securityGroupId),
      nowOf(context),
    );
  const plain = createCollection(context, securityGroupRuleResource, {
    defaults: { ...anyTraffic, description: '', remoteGroupId: null, remoteAddressGroupId: null },
    complete: (row) => {
      knownGroupId(row.securityGroupId);
      if (row.remoteGroupId !== null) knownGroupId(row.remoteGroupId);
      return completeRule(row);
    },
    async beforeInsert(tx, rows) {
      await lockGroup(tx, rows);
      await checkRemotes(tx, rows);
      await checkNoTwins(tx, rows);
      return rows;
    },
    afterInsert: grow,
    afterDelete: (tx, row) => grow(tx, [row]),
  });
  return {
    ...plain,
    create(inputs) {
      if (new Set(inputs.map(({ securityGroupId }) => securityGroupId)).size > 1) {
        return Promise.reject(refusal('SecurityGroupNotSingleGroupRules', {}));
      }
      return plain.create(inputs);
    },
    async list(query) {
      await ensureDefaultGroups(context, projectsOf(query.filter ?? {}));
      return plain.list(query);
    },
  };
}

const templateHas = (): AlcorError => refusal('DefaultSecurityGroupRuleExists', {});

/** The template of new groups. */
export function createDefaultSecurityGroupRuleCollection(
  context: StoreContext,
): Collection<DefaultSecurityGroupRuleTypes> {
  return createCollection(context, defaultSecurityGroupRuleResource, {
    defaults: {
      ...anyTraffic,
      description: '',
      remoteGroupId: null,
      remoteAddressGroupId: null,
      usedInDefaultSg: false,
      usedInNonDefaultSg: true,
    },
    complete: (row) => {
      if (row.remoteGroupId !== null && row.remoteGroupId !== parentGroup) knownGroupId(row.remoteGroupId);
      return completeRule(row);
    },
    async beforeInsert(tx, rows) {
      await checkRemotes(tx, rows);
      return rows;
    },
    conflicts: {
      default_security_group_rules_default_key: templateHas,
      default_security_group_rules_other_key: templateHas,
    },
  });
}

/** The group that all the rules are for, kept from going and from being given other rules. */
async function lockGroup(tx: Queryable, rows: readonly RuleRow[]): Promise<void> {
  const id = rows[0]?.securityGroupId ?? '';
  const found = await tx.query('select id from security_groups where id = $1 for no key update', [id]);
  if (found.length === 0) throw refusal('SecurityGroupNotFound', { securityGroupId: id });
}

async function checkRemotes(
  tx: Queryable,
  rows: readonly { readonly remoteGroupId: string | null; readonly remoteAddressGroupId: string | null }[],
): Promise<void> {
  const named = rows.map(({ remoteGroupId: id }) => (id === parentGroup ? null : id));
  const groups = await keepPresent(tx, 'security_groups', named);
  const addressGroups = await keepPresent(
    tx,
    'address_groups',
    rows.map(({ remoteAddressGroupId }) => remoteAddressGroupId),
  );
  forEachItem(rows, ({ remoteAddressGroupId }, item) => {
    const group = named[item] ?? null;
    if (group !== null && !groups.has(group)) throw refusal('SecurityGroupNotFound', { securityGroupId: group });
    if (remoteAddressGroupId !== null && !addressGroups.has(remoteAddressGroupId)) {
      throw refusal('AddressGroupNotFound', { addressGroupId: remoteAddressGroupId });
    }
  });
}

/** No two of the rules, and none of them and one that the locked group has, say the same. */
async function checkNoTwins(tx: Queryable, rows: readonly RuleRow[]): Promise<void> {
  const asked = new Map<string, number>();
  for (const [item, row] of rows.entries()) {
    if (asked.has(samenessIn(row))) throw refusal('DuplicateSecurityGroupRuleInPost', {}, { item });
    asked.set(samenessIn(row), item);
  }
  const [twin] = await tx.query<{ id: string; sameness: string }>(
    'select id, sameness from security_group_rules where security_group_id = $1 and sameness = any($2::text[]) limit 1',
    [rows[0]?.securityGroupId ?? '', arrayLiteral([...asked.keys()])],
  );
  if (twin !== undefined) {
    throw refusal('SecurityGroupRuleExists', { ruleId: twin.id }, { item: asked.get(twin.sameness) });
  }
}
