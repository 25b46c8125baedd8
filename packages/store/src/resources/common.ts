import { canonicalIp } from '@alcor/network';
import type { Column } from '../resource.ts';

/** The columns that every resource of a tenant begins with. */
export const identity = {
  id: { name: 'id', type: 'uuid' },
  projectId: { name: 'project_id', type: 'text' },
  name: { name: 'name', type: 'text' },
  description: { name: 'description', type: 'text' },
} as const satisfies Record<string, Column>;

/** The columns that every row ends with. */
export const history = {
  revision: { name: 'revision', type: 'integer' },
  createdAt: { name: 'created_at', type: 'timestamptz' },
  updatedAt: { name: 'updated_at', type: 'timestamptz' },
} as const satisfies Record<string, Column>;

/** What every resource of a tenant sorts by. */
export const tenantKeys = ['id', 'projectId', 'name', 'description', 'revision', 'createdAt', 'updatedAt'] as const;

/** PostgreSQL writes some IPv6 addresses with a dotted quad where RFC 5952 does not. */
export function canonicalAddress(ip: string): string {
  return ip.includes(':') ? (canonicalIp(ip) ?? ip) : ip;
}
