import {
  type NetworkId,
  type SegmentId,
  type SegmentRangeId,
  type SegmentRangeTypes,
  type SegmentTypes,
  networkTypes,
  refusal,
  shownVnis,
} from '@alcor/network';
import { attributesOf, chosen, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import {
  dictionary,
  flag,
  integer,
  isUuid,
  listOf,
  nullable,
  oneOf,
  refined,
  text,
  timestamp,
  uuid,
} from '../kinds.ts';
import { identity, records, wireTime } from './common.ts';

const vni = integer(1, 16_777_215);
const { field } = attributesOf<SegmentTypes>();

export const segment = define<SegmentTypes>({
  singular: 'segment',
  plural: 'segments',
  prefix: '/v2.0',
  about: 'How a network is realised in the underlay. Every network has one, which comes and goes with it',
  tenancy: 'region',
  collection: (store) => store.segments,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as SegmentId) : null),
  notFound: (segmentId) => refusal('SegmentNotFound', { segmentId }),
  attributes: {
    id: field('id', uuid(), 'Given by the region', listed),
    network_id: field('networkId', uuid<NetworkId>(), 'The network whose segment it is', { post: required, ...listed }),
    name: field('name', nullable(text(255)), 'For people; need not be unique', {
      post: initially(null),
      put: true,
      ...listed,
    }),
    description: field('description', text(255), 'For people', { post: initially(''), put: true, ...listed }),
    network_type: field('networkType', oneOf(...networkTypes), 'That of the network', { post: chosen, filter: true }),
    physical_network: field('physicalNetwork', nullable(text(64)), 'That of the network', {
      post: chosen,
      filter: true,
    }),
    segmentation_id: field('segmentationId', nullable(vni), 'That of the network: its VNI, or its VLAN tag', {
      post: chosen,
      ...listed,
    }),
    revision_number: field('revision', integer(0, Number.MAX_SAFE_INTEGER), 'Grows with every change', listed),
    created_at: field('createdAt', timestamp, 'When it was made', { sort: true, wire: wireTime }),
    updated_at: field('updatedAt', timestamp, 'When it last changed', { sort: true, wire: wireTime }),
  },
});

/** Empty, like null, for none. */
const physicalNetwork = refined(nullable(text(64)), (name) => (name === '' ? null : name));

const range = attributesOf<SegmentRangeTypes>();

/** Nobody's is null. */
const owner = range.field('projectId', text(255), 'The project it is for; null: it is shared', {
  post: chosen,
  ...listed,
  wire: (projectId) => (projectId === '' ? null : projectId),
});

export const networkSegmentRange = define<SegmentRangeTypes>({
  singular: 'network_segment_range',
  plural: 'network_segment_ranges',
  prefix: '/v2.0',
  path: 'network-segment-ranges',
  about: 'VNIs that new networks get theirs out of, for all projects or for one',
  tenancy: 'project',
  policy: { create: 'admin', get: 'admin', update: 'admin', delete: 'admin' },
  collection: (store) => store.segmentRanges,
  parseId: (id) => (isUuid(id) ? (id.toLowerCase() as SegmentRangeId) : null),
  notFound: (rangeId) => refusal('NetworkSegmentRangeNotFound', { rangeId }),
  attributes: {
    ...identity<SegmentRangeTypes>(),
    tenant_id: { ...owner, about: 'Older name of project_id' },
    project_id: owner,
    default: range.field('isDefault', flag, 'The one that the region is configured with', listed),
    shared: range.field('shared', flag, 'False: for its project, and for no other', {
      post: initially(true),
      ...listed,
    }),
    network_type: range.unenforced(
      oneOf('vxlan', 'vlan', 'gre', 'geneve'),
      'vxlan',
      'only VXLANs get their numbers out of ranges',
      { put: false },
    ),
    physical_network: range.unenforced(physicalNetwork, null, 'a VXLAN has no physical network', { put: false }),
    minimum: range.field('minimum', vni, 'The lowest VNI of it', { post: required, put: true, ...listed }),
    maximum: range.field('maximum', vni, 'The highest VNI of it', { post: required, put: true, ...listed }),
    used: range.field('used', dictionary, 'The projects of the networks that have VNIs of it, by VNI'),
    available: range.field(
      'available',
      listOf(vni, shownVnis),
      `VNIs of it that no network has; the lowest ${shownVnis} where there are more`,
    ),
    ...records<SegmentRangeTypes>(),
  },
});
