import { type PortId, type SubPort, type Trunk, type TrunkId, type TrunkTypes, refusal } from '@alcor/network';
import { action } from '../action.ts';
import { attributesOf, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { type Kind, flag, integer, isUuid, listOf, oneOf, record, refined, uuid } from '../kinds.ts';
import { checkReference } from '../judge.ts';
import { identity, records } from './common.ts';
import { port } from './port.ts';

const { field } = attributesOf<TrunkTypes>();

/** As many as there are tags. */
const maxSubPorts = 4094;

const subPort: Kind<SubPort> = refined(
  record({ port_id: uuid<PortId>(), segmentation_type: oneOf('vlan'), segmentation_id: integer(1, maxSubPorts) }, {}),
  ({ port_id: portId, segmentation_type: segmentationType, segmentation_id: segmentationId }) => ({
    portId,
    segmentationType,
    segmentationId,
  }),
);

/** Neither a port nor a tag twice. */
const subPorts: Kind<readonly SubPort[]> = refined(
  listOf(subPort, maxSubPorts, ({ portId }) => portId),
  (items) => listOf(anySubPort, maxSubPorts, ({ segmentationId }) => `vlan ${segmentationId}`).parse(items),
);
const anySubPort: Kind<SubPort> = { schema: subPort.schema, parse: (value) => value as SubPort };

const removed = listOf(
  record({ port_id: uuid<PortId>() }, { segmentation_type: oneOf('vlan'), segmentation_id: integer(1, maxSubPorts) }),
  maxSubPorts,
);

function wireSubPorts(held: Trunk['subPorts']): readonly object[] {
  return held.map(({ portId, segmentationType, segmentationId }) => ({
    port_id: portId,
    segmentation_type: segmentationType,
    segmentation_id: segmentationId,
  }));
}

export const trunk = define<TrunkTypes>({
  singular: 'trunk',
  plural: 'trunks',
  prefix: '/v2.0',
  about: 'A port by which a guest reaches the networks of other ports too, by VLAN tags',
  tenancy: 'project',
  collection: (store) => store.trunks,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as TrunkId) : null),
  notFound: (trunkId) => refusal('TrunkNotFound', { trunkId }),
  attributes: {
    ...identity<TrunkTypes>(),
    port_id: field('portId', uuid(), 'The parent: the untagged traffic', {
      post: required,
      ...listed,
      refers: [{ to: () => port }],
    }),
    admin_state_up: field('adminStateUp', flag, 'False: its sub-ports cannot be changed', {
      post: initially(true),
      put: true,
      ...listed,
    }),
    status: field('status', oneOf('ACTIVE', 'DOWN', 'BUILD', 'DEGRADED', 'ERROR'), 'What its host says of it', listed),
    sub_ports: field('subPorts', subPorts, 'The ports reached by tags, oldest first', {
      post: initially([]),
      refers: [{ to: () => port, at: 'port_id' }],
      wire: wireSubPorts,
    }),
    ...records<TrunkTypes>(),
  },
  actions: {
    add_subports: action({
      about: 'Gives it further sub-ports',
      required: { sub_ports: subPorts },
      answers: 'bare',
      run: async ({ store, caller, id, body }) => {
        await checkReference({ to: () => port, at: 'portId' }, [body.sub_ports], store, caller);
        return store.trunks.addSubPorts(id as TrunkId, body.sub_ports);
      },
    }),
    remove_subports: action({
      about: 'Takes sub-ports from it',
      required: { sub_ports: removed },
      answers: 'bare',
      run: ({ store, id, body }) =>
        store.trunks.removeSubPorts(
          id as TrunkId,
          body.sub_ports.map((item) => item.port_id),
        ),
    }),
    get_subports: action({
      about: 'Its sub-ports',
      method: 'GET',
      run: async ({ store, id }) => {
        const { subPorts: held } = await store.trunks.get(id as TrunkId);
        return { sub_ports: wireSubPorts(held) };
      },
    }),
  },
});
