import { checkQosRule, refusal } from '@alcor/network';
import type {
  Collection,
  QosPolicyId,
  QosPolicyTypes,
  QosRule,
  QosRuleId,
  QosRuleType,
  QosRuleTypes,
} from '@alcor/network';
import { createCollection, forEachItem } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { lockRow } from './reader.ts';
import type { Resource } from './resource.ts';
import { qosPolicyResource, qosUsers, ruleObject } from './resources/qos.ts';
import { arrayLiteral } from './sql.ts';
import { updateRow } from './writer.ts';

export function createQosPolicyCollection(context: StoreContext): Collection<QosPolicyTypes> {
  return createCollection(context, qosPolicyResource, {
    defaults: { name: '', description: '', shared: false, isDefault: false },
    beforeDelete: (tx, row) => checkUnused(tx, row.id),
    conflicts: {
      qos_policies_default_key: ([projectId = '']) => refusal('QoSPolicyDefaultAlreadyExists', { projectId }),
    },
    inUse: (policyId) => refusal('QosPolicyInUse', { policyId, objectType: 'another', objectId: 'resource' }),
  });
}

async function checkUnused(tx: Queryable, policyId: QosPolicyId): Promise<void> {
  for (const [objectType, table] of qosUsers) {
    const [user] = await tx.query<{ id: string }>(`select id from ${table} where qos_policy_id = $1 limit 1`, [
      policyId,
    ]);
    if (user !== undefined) throw refusal('QosPolicyInUse', { policyId, objectType, objectId: user.id });
  }
}

interface PolicyUser {
  readonly projectId: string;
  readonly qosPolicyId: QosPolicyId | null;
}

/** New rows, those that name no policy with the default one of their project. */
export async function withDefaultPolicies<Row extends PolicyUser>(
  on: Queryable,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  const projects = rows.flatMap(({ projectId, qosPolicyId }) => (qosPolicyId === null ? [projectId] : []));
  if (projects.length === 0) return rows;
  const found = await on.query<{ id: QosPolicyId; projectId: string }>(
    'select id, project_id as "projectId" from qos_policies where is_default and project_id = any($1::text[])',
    [arrayLiteral([...new Set(projects)])],
  );
  const defaults = new Map(found.map(({ id, projectId }) => [projectId, id]));
  return rows.map((row) => ({ ...row, qosPolicyId: row.qosPolicyId ?? defaults.get(row.projectId) ?? null }));
}

/** The types of rules of whatever kind. */
interface AnyRuleTypes {
  readonly id: QosRuleId;
  readonly view: QosRule;
  readonly create: object;
  readonly update: object;
  readonly filter: object;
  readonly sortKey: string;
}

/** Rules of one kind. A change of a rule is one of its policy, whose lock keeps two rules from contradicting each other. */
export function createQosRuleCollection<Rule extends QosRule>(
  context: StoreContext,
  resource: Resource<QosRuleTypes<Rule>>,
  kind: { readonly type: QosRuleType; readonly defaults: Partial<Omit<Rule, 'type'>> },
): Collection<QosRuleTypes<Rule>> {
  const { type, defaults } = kind;
  const revise = (tx: Queryable, { policyId }: { readonly policyId: QosPolicyId }): Promise<void> =>
    revisePolicy(context, tx, policyId);
  // What the kinds have in common is all that is needed here.
  const collection = createCollection(context, resource as unknown as Resource<AnyRuleTypes>, {
    defaults: { type, ...defaults } as Partial<QosRule>,
    beforeInsert: async (tx, rows) => {
      for (const policyId of [...new Set(rows.map((row) => row.policyId))].toSorted()) {
        await revise(tx, { policyId });
        const others = [...(await rulesOf(tx, policyId))];
        forEachItem(rows, (row) => {
          if (row.policyId !== policyId) return;
          checkQosRule(row, others);
          others.push(row);
        });
      }
      return rows;
    },
    change: async (tx, row, patch) => {
      await lockRow(tx, qosPolicyResource, row.policyId, { strength: 'for no key update' });
      const others = (await rulesOf(tx, row.policyId)).filter(({ id }) => id !== row.id);
      checkQosRule({ ...row, ...patch }, others);
      return patch;
    },
    afterUpdate: revise,
    afterDelete: revise,
  });
  return collection as unknown as Collection<QosRuleTypes<Rule>>;
}

async function revisePolicy(context: StoreContext, tx: Queryable, id: QosPolicyId): Promise<void> {
  const policy = await lockRow(tx, qosPolicyResource, id, { strength: 'for no key update' });
  await updateRow(tx, qosPolicyResource, policy, { fields: {}, now: nowOf(context) });
}

async function rulesOf(tx: Queryable, policyId: QosPolicyId): Promise<readonly QosRule[]> {
  const rows = await tx.query<{ rule: QosRule }>(
    `select ${ruleObject} as rule from qos_rules r where r.policy_id = $1 order by r.id`,
    [policyId],
  );
  return rows.map(({ rule }) => rule);
}
