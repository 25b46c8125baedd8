import {
  type NodeId,
  type PortBinding,
  type PortBindingId,
  type PortBindingTypes,
  type PortId,
  refusal,
} from '@alcor/network';
import { action } from '../action.ts';
import { attributesOf, initially, listed, required } from '../attribute.ts';
import { define } from '../definition.ts';
import { Refusal, dictionary, oneOf, refined, text } from '../kinds.ts';
import { bindingProfile, vifDetails, vifType, vifTypes, vnicType } from './port-extras.ts';
import { port } from './port.ts';

const { field, computed } = attributesOf<PortBindingTypes>();

const host = refined(text(255), (name) => (name === '' ? new Refusal('a host has a name') : (name as NodeId)));

const attached = ({ host: hostId, vnicType: kind }: PortBinding) => ({ hostId, vnicType: kind });

/** While a guest moves from one host to another, its port is bound to both: one binding is active, the other will be. */
export const portBinding = define<PortBindingTypes>({
  singular: 'binding',
  plural: 'bindings',
  prefix: '/v2.0',
  parent: { definition: port, field: 'portId' },
  about: 'How a port is, or can be, attached on one host',
  tenancy: 'region',
  policy: { create: 'service', get: 'service', update: 'service', delete: 'service' },
  collection: (store) => store.portBindings,
  key: 'host',
  parseId: (name) => (name.length <= 255 ? (name as PortBindingId) : null),
  notFound: (name) => {
    const [portId, hostName] = name.includes(' ') ? name.split(' ', 2) : ['', name];
    return refusal('PortBindingNotFound', { portId: (portId ?? '') as PortId, host: hostName ?? '' });
  },
  attributes: {
    host: field('host', host, 'The host', { post: required, put: true, ...listed }),
    status: field('status', oneOf('ACTIVE', 'INACTIVE'), 'ACTIVE: what the port itself says', listed),
    vnic_type: field('vnicType', vnicType, 'How its guest is attached', {
      post: initially('normal'),
      put: true,
      ...listed,
    }),
    profile: field('profile', bindingProfile, 'For the machinery of the guest’s host', {
      post: initially({}),
      put: true,
    }),
    vif_type: computed(vifTypes, 'How the interface is attached', (view) => vifType(attached(view))),
    vif_details: computed(dictionary, 'What the attachment can do', (view) => vifDetails(attached(view))),
  },
  actions: {
    activate: action({
      about: 'Moves the port to this host; the binding it had becomes inactive',
      answers: 'view',
      run: ({ store, id }) => store.portBindings.activate(id as PortBindingId),
    }),
  },
});
