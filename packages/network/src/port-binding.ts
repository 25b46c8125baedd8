import type { OneOf } from './collection.ts';
import type { Branded, NodeId, PortId } from './nouns.ts';
import type { VnicType } from './port-extras.ts';

/** The port and the host, with a blank between them. */
export type PortBindingId = Branded<'PortBindingId'>;

/** How a port is, or can be, attached on one host. The active one is what the port itself says. */
export interface PortBinding {
  readonly id: PortBindingId;
  readonly portId: PortId;
  readonly host: NodeId;
  readonly vnicType: VnicType;
  readonly profile: Readonly<Record<string, unknown>>;
  readonly status: 'ACTIVE' | 'INACTIVE';
}

export interface PortBindingTypes {
  readonly id: PortBindingId;
  readonly view: PortBinding;
  readonly create: CreatePortBinding;
  readonly update: UpdatePortBinding;
  readonly filter: PortBindingFilter;
  readonly sortKey: 'id' | 'host' | 'vnicType' | 'status';
}

/** Active where the port is bound to no host. UnsupportedPortDeviceOwner unless a guest owns the port; PortBindingAlreadyExists. */
export interface CreatePortBinding {
  readonly portId: PortId;
  readonly host: NodeId;
  /** Default: `normal`. */
  readonly vnicType?: VnicType | undefined;
  /** Default: empty. */
  readonly profile?: Readonly<Record<string, unknown>> | undefined;
}

export interface UpdatePortBinding {
  readonly host?: NodeId | undefined;
  readonly vnicType?: VnicType | undefined;
  readonly profile?: Readonly<Record<string, unknown>> | undefined;
}

export interface PortBindingFilter {
  readonly portId?: OneOf<PortId>;
  readonly host?: OneOf<NodeId>;
  readonly vnicType?: OneOf<VnicType>;
  readonly status?: OneOf<PortBinding['status']>;
}

export interface PortBindingActions {
  /** The port moves to this binding's host, and the binding it had until now becomes inactive. PortBindingAlreadyActive. */
  activate(id: PortBindingId): Promise<PortBinding>;
}
