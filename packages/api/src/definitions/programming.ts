import { type NodeTypes, type PortTypes, type PortView, refusal } from '@alcor/network';
import { action } from '../action.ts';
import { attributesOf } from '../attribute.ts';
import { type AnyDefinition, define } from '../definition.ts';
import { portCounters } from './port-counters.ts';
import { isUuid, oneOf, text, uuid } from '../kinds.ts';

const port = attributesOf<PortTypes>();

interface Programming {
  readonly port_id: string;
  readonly node_id: string | null;
  readonly status: PortView['status'];
  readonly reason: string;
}

function programmingOf({ id, hostId, status, statusReason }: PortView): Programming {
  return { port_id: id, node_id: hostId, status, reason: statusReason };
}

/** `GET /alcor/v1/ports/{id}/programming`: how far the host has come with a port, in its own words. */
export const portProgramming: AnyDefinition = define<PortTypes>({
  singular: 'port_programming',
  plural: 'port_programmings',
  prefix: '/alcor/v1',
  path: 'ports',
  about: 'How far the host of a port has come with it',
  tenancy: 'project',
  operations: [],
  policy: { actions: { programming: 'reader', counters: 'reader' } },
  collection: (store) => store.ports,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as PortTypes['id']) : null),
  notFound: (portId) => refusal('PortNotFound', { portId }),
  attributes: {
    port_id: port.computed(uuid(), 'The port', ({ id }) => id),
    node_id: port.computed(text(255), 'The host it is bound to; null: none', ({ hostId }) => hostId),
    status: port.computed(oneOf('ACTIVE', 'DOWN', 'ERROR'), 'What its host says of it', ({ status }) => status),
    reason: port.computed(text(4096), 'Why it is not ACTIVE', ({ statusReason }) => statusReason),
  },
  actions: {
    counters: portCounters,
    programming: action({
      about: 'How far the host has come with the port',
      method: 'GET',
      run: async ({ store, id }) => ({ port_programming: programmingOf(await store.ports.get(id as PortTypes['id'])) }),
    }),
  },
});

/** `GET /alcor/v1/nodes/{id}/programming`: how far a host has come with its ports. */
export const nodeProgramming = action({
  about: 'How many of the host’s ports are in which state, and what is the matter with those that are not ACTIVE',
  method: 'GET',
  run: async ({ store, id }) => {
    const { rows } = await store.ports.list({ filter: { hostId: [id as NodeTypes['id']] } });
    const count = (status: PortView['status']): number => rows.filter((row) => row.status === status).length;
    return {
      node_programming: {
        node_id: id,
        ports: rows.length,
        active: count('ACTIVE'),
        down: count('DOWN'),
        error: count('ERROR'),
        not_active: rows.filter(({ status }) => status !== 'ACTIVE').map(programmingOf),
      },
    };
  },
});
