import { refusal } from '@alcor/network';
import type { MeteringLabelRuleTypes, MeteringLabelTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history, identity, tenantKeys } from './common.ts';

const labelColumns = {
  ...identity,
  shared: { name: 'shared', type: 'boolean' },
  ...history,
} as const satisfies Record<string, Column>;

export const meteringLabelResource: Resource<MeteringLabelTypes> = {
  kind: null,
  table: 'metering_labels',
  columns: labelColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(labelColumns, [...tenantKeys, 'shared']),
  visibleTo: (project) => `(t.project_id = ${project} or t.shared)`,
  notFound: (labelId) => refusal('MeteringLabelNotFound', { labelId }),
  canonical: (row) => row,
};

const anywhere = `'0.0.0.0/0'::cidr`;

const ruleColumns = {
  id: identity.id,
  labelId: { name: 'label_id', type: 'uuid' },
  direction: { name: 'direction', type: 'text' },
  excluded: { name: 'excluded', type: 'boolean' },
  remoteIpPrefix: { name: 'remote_ip_prefix', type: 'cidr', nullsAs: anywhere },
  sourceIpPrefix: { name: 'source_ip_prefix', type: 'cidr', nullsAs: anywhere },
  destinationIpPrefix: { name: 'destination_ip_prefix', type: 'cidr', nullsAs: anywhere },
  ...history,
} as const satisfies Record<string, Column>;

export const meteringLabelRuleResource: Resource<MeteringLabelRuleTypes> = {
  kind: null,
  table: 'metering_label_rules',
  columns: ruleColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(ruleColumns, [
    'id',
    'labelId',
    'direction',
    'excluded',
    'remoteIpPrefix',
    'sourceIpPrefix',
    'destinationIpPrefix',
  ]),
  visibleTo: (project) =>
    `t.label_id in (select l.id from metering_labels l where l.project_id = ${project} or l.shared)`,
  notFound: (ruleId) => refusal('MeteringLabelRuleNotFound', { ruleId }),
  canonical: (row) => row,
};
