import { refusal } from '@alcor/network';
import type { NodeId, PortBindingId, PortBindingTypes, PortId } from '@alcor/network';
import { sortKeysOf } from '../resource.ts';
import type { Column, Resource } from '../resource.ts';

const bindingColumns = {
  id: { name: 'id', type: 'text' },
  portId: { name: 'port_id', type: 'uuid' },
  host: { name: 'host_id', type: 'text' },
  vnicType: { name: 'vnic_type', type: 'text' },
  profile: { name: 'profile', type: 'jsonb' },
  status: { name: 'status', type: 'text' },
} as const satisfies Record<string, Column>;

/** Read only by port: nothing finds rows of the view by their ids. */
export const portBindingResource: Resource<PortBindingTypes> = {
  kind: null,
  table: 'port_bindings',
  columns: bindingColumns,
  composed: {},
  viewed: {},
  join: '',
  filters: {},
  sortKeys: sortKeysOf(bindingColumns, ['id', 'host', 'vnicType', 'status']),
  visibleTo: null,
  notFound: (id) => bindingNotFound(placeOf(id)),
  canonical: (row) => row,
};

/** A port and a host. */
export interface Place {
  readonly portId: PortId;
  readonly host: NodeId;
}

export function placeOf(id: PortBindingId): Place {
  const blank = id.indexOf(' ');
  return { portId: id.slice(0, blank) as PortId, host: id.slice(blank + 1) as NodeId };
}

export function bindingNotFound({ portId, host }: Place): Error & ReturnType<typeof refusal> {
  return refusal('PortBindingNotFound', { portId, host });
}
