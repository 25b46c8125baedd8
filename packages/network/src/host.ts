import type { OneOf } from './collection.ts';
import type { Branded, Node } from './nouns.ts';

export type ConfigManagerId = Branded<'ConfigManagerId'>;
export type GatewayId = Branded<'GatewayId'>;

/** What is said of a node besides where it is. */
export interface NodePlacement {
  /** The part of the region that it fails with. */
  readonly availabilityZone: string;
  readonly configManagerId: ConfigManagerId | null;
  readonly gatewayId: GatewayId | null;
  /** True: it holds its share of the VPCs that are told on demand, and forwards what other hosts have no neighbour for. */
  readonly gateway: boolean;
  /** True: no more ports are bound to it; those that are stay until they are moved or deleted. As a gateway it has no share. */
  readonly draining: boolean;
  /** Ports that may be bound to it at once; null: any number. Fewer than there are: none is added. */
  readonly maxPorts: number | null;
  /** Its bridges to physical networks, by the networks' names. */
  readonly bridgeMappings: Readonly<Record<string, string>>;
}

export interface NodeView extends Omit<Node, keyof NodePlacement | 'lost'>, NodePlacement {
  /** It is a gateway and has not answered for some seconds: others have its share until it does. */
  readonly lost: boolean;
  /** When its agent was last heard of; null: never. */
  readonly heartbeatAt: Date | null;
  /** It was heard of in the last 75 seconds. */
  readonly alive: boolean;
}

/** Who drives a group of hosts. */
export interface ConfigManager {
  readonly id: ConfigManagerId;
  readonly name: string;
  readonly description: string;
  /** Where it listens: `host:port` or `unix:/path`; empty: not said. */
  readonly address: string;
  /** How many nodes name it. */
  readonly nodes: number;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Where traffic of a group of hosts leaves the region. */
export interface Gateway {
  readonly id: GatewayId;
  readonly name: string;
  readonly description: string;
  readonly ip: string | null;
  /** How many nodes name it. */
  readonly nodes: number;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface Described {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
}

type GroupSortKey = 'id' | 'name' | 'description' | 'revision' | 'createdAt' | 'updatedAt';

interface GroupFilter<Id> {
  readonly id?: OneOf<Id>;
  readonly name?: OneOf<string>;
  readonly description?: OneOf<string>;
  readonly revision?: OneOf<number>;
}

export interface ConfigManagerTypes {
  readonly id: ConfigManagerId;
  readonly view: ConfigManager;
  readonly create: Described & { readonly address?: string | undefined };
  readonly update: Described & { readonly address?: string | undefined };
  readonly filter: GroupFilter<ConfigManagerId> & { readonly address?: OneOf<string> };
  readonly sortKey: GroupSortKey | 'address';
}

export interface GatewayTypes {
  readonly id: GatewayId;
  readonly view: Gateway;
  readonly create: Described & { readonly ip?: string | null | undefined };
  readonly update: Described & { readonly ip?: string | null | undefined };
  readonly filter: GroupFilter<GatewayId> & { readonly ip?: OneOf<string> };
  readonly sortKey: GroupSortKey | 'ip';
}

/** A part of the region that fails by itself, as far as one kind of resource is concerned. */
export interface AvailabilityZone {
  readonly id: string;
  readonly name: string;
  readonly resource: 'network' | 'router';
  readonly state: 'available' | 'unavailable';
}

export interface AvailabilityZoneTypes {
  readonly id: string;
  readonly view: AvailabilityZone;
  /** Zones are those of the nodes, and the one of nodes that name none. */
  readonly create: object;
  readonly update: object;
  readonly filter: {
    readonly name?: OneOf<string>;
    readonly resource?: OneOf<AvailabilityZone['resource']>;
    readonly state?: OneOf<AvailabilityZone['state']>;
  };
  readonly sortKey: 'id' | 'name' | 'resource' | 'state';
}

/** The zone of nodes that name none. */
export const defaultZone = 'nova';
