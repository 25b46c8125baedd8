import type { OneOf } from './collection.ts';
import type { Branded, NodeId } from './nouns.ts';

export type AgentId = Branded<'AgentId'>;

/** The agent of a host, as the region knows it. Registering a node makes one. */
export interface Agent {
  readonly id: AgentId;
  readonly host: NodeId;
  readonly adminStateUp: boolean;
  readonly description: string;
  readonly createdAt: Date;
  /** Null while it has never been heard of. */
  readonly startedAt: Date | null;
  readonly heartbeatAt: Date | null;
  /** It was heard of in the last 75 seconds. */
  readonly alive: boolean;
  /** Where other hosts send tunnels to. */
  readonly tunnelIp: string;
  /** Its node's. */
  readonly availabilityZone: string;
  /** Ports bound to the host. */
  readonly ports: number;
}

export interface AgentTypes {
  readonly id: AgentId;
  readonly view: Agent;
  /** Agents are made by registering nodes. */
  readonly create: object;
  readonly update: UpdateAgent;
  readonly filter: AgentFilter;
  readonly sortKey: 'id' | 'host' | 'adminStateUp' | 'description' | 'alive' | 'availabilityZone' | 'createdAt';
}

export interface UpdateAgent {
  readonly adminStateUp?: boolean | undefined;
  readonly description?: string | undefined;
}

export interface AgentFilter {
  readonly id?: OneOf<AgentId>;
  readonly host?: OneOf<NodeId>;
  readonly adminStateUp?: OneOf<boolean>;
  readonly description?: OneOf<string>;
  readonly alive?: OneOf<boolean>;
  readonly availabilityZone?: OneOf<string>;
}

/** Who speaks for hosts. */
export interface AgentActions {
  /** Notes that the agents of these nodes were heard of now; one that was deleted is there again. Others are passed over. */
  heard(nodeIds: readonly NodeId[]): Promise<void>;
}
