import { refusal } from '@alcor/network';
import type { RbacPolicyTypes } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';
import { history } from './common.ts';

const columns = {
  id: { name: 'id', type: 'uuid' },
  projectId: { name: 'project_id', type: 'text' },
  objectType: { name: 'object_type', type: 'text' },
  objectId: { name: 'object_id', type: 'uuid' },
  targetProject: { name: 'target_project', type: 'text' },
  action: { name: 'action', type: 'text' },
  ...history,
} as const satisfies Record<string, Column>;

export const rbacPolicyResource: Resource<RbacPolicyTypes> = {
  kind: null,
  table: 'rbac_policies',
  columns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(columns, ['id', 'projectId', 'objectType', 'objectId', 'targetProject', 'action']),
  visibleTo: (project) => `t.project_id = ${project}`,
  notFound: (policyId) => refusal('RbacPolicyNotFound', { policyId }),
  canonical: (row) => row,
};
