/** What a table of the pipeline is, and which there are. */
import type { Field } from './fields.ts';

export interface Table {
  readonly id: number;
  readonly purpose: string;
  readonly matches: readonly Field[];
  /** Fields that actions of this table may write. */
  readonly writes: readonly Field[];
  /** `in_port`: also by a call of `back`. */
  readonly outputs: 'none' | 'in_port' | 'register' | 'port';
  /** Beside `outputs`: back to where the packet came from. */
  readonly turns?: true;
  readonly next: readonly TableName[];
  /** Tables that a packet passes through on the way and comes back from. */
  readonly calls?: readonly TableName[];
  /** Tables that a packet begins anew from; it has come through `routing`, which no packet does more often than it has hops to live. */
  readonly again?: readonly TableName[];
  /** Flows may give packets to the agent. */
  readonly toAgent?: true;
  /** Flows may end packets that are more than a meter allows. */
  readonly metered?: true;
  /** What the connection tracker is used for: to know the connection, or to remember it. */
  readonly conntrack?: 'track' | 'commit' | 'forget';
  /** Where packets go that no resource's flow takes. */
  readonly miss: 'drop' | TableName;
}

/** Some of the pipeline's tables. */
export type Tables<Name extends TableName> = { readonly [N in Name]: Table };

export type TableName =
  | 'classify'
  | 'policing'
  | 'antispoof'
  | 'localIp'
  | 'localIpOpened'
  | 'leavingSubnet'
  | 'leavingBorder'
  | 'leavingAcl'
  | 'leaving'
  | 'leavingTrack'
  | 'leavingState'
  | 'leavingVerdict'
  | 'gateway'
  | 'arriving'
  | 'returned'
  | 'arrivingReply'
  | 'services'
  | 'ndReply'
  | 'routers'
  | 'routing'
  | 'nextHop'
  | 'departing'
  | 'translation'
  | 'translated'
  | 'outward'
  | 'outsideHop'
  | 'neighbour'
  | 'wire'
  | 'tunnel'
  | 'toGateway'
  | 'delivery'
  | 'enteringSubnet'
  | 'enteringBorder'
  | 'enteringAcl'
  | 'entering'
  | 'enteringTrack'
  | 'enteringState'
  | 'enteringVerdict'
  | 'localIpAnswer'
  | 'output'
  | 'back'
  | 'policy'
  | 'members'
  | 'rules';
