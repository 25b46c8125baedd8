/**
 * The pipeline: the life of a packet on one host, as one declaration. Every flow is asserted against it in tests and by
 * the in-memory switch. Table ids leave room for what later stands between (network ACL, connection tracking, security
 * groups, routing, address translation), so that growing renumbers nothing.
 *
 *   VM port ─▶ classify ─▶ antispoof ─▶ leaving… ─▶ services ─▶ neighbour ─▶ delivery ─▶ entering… ─▶ output ─▶ VM port
 *                 │                                    │            └──────▶ tunnel ─▶ other host
 *                 │                                    └─▶ ndReply ─▶ back to the VM
 *   tunnel port ──┴─────────────────────────────────────────────────────▶ delivery
 *
 * What came out of a tunnel enters at delivery, from where no table leads back to the tunnel: a host never relays.
 *
 * Security groups are asked where a packet leaves its VM and where it enters one (… above), each in four steps:
 *
 *   leaving ─▶ leavingTrack ─ct─▶ leavingState ─▶ leavingVerdict      and the same for entering;
 *      └── calls ──▶ policy ◀── calls ──┘
 *                      ├── calls ─▶ members   is the remote address in this set?
 *                      └── calls ─▶ rules     does a rule of this group allow it?
 *
 *   metadata  the VNI
 *   reg0      key of the VM port that the packet came from (its OpenFlow port number); 0 when it came from a tunnel
 *   reg1      OpenFlow port to deliver to
 *   reg2      1 once a rule has allowed the packet
 *   reg3      1 when the remote address is in the set asked for
 *   reg4, reg8-11  the remote address, IPv4 or IPv6, where a set is asked for it
 *   reg6-7    which group, set or rules are asked
 */
import { CT_STATE, fields, spec, type Field } from './fields.ts';
import {
  flowKey,
  IN_PORT,
  maskOf,
  matchFields,
  valueOf,
  type Action,
  type CtAction,
  type Flow,
  type Match,
} from './flow.ts';
import { meters } from './meters.ts';

export interface Table {
  readonly id: number;
  readonly purpose: string;
  readonly matches: readonly Field[];
  /** Fields that actions of this table may write. */
  readonly writes: readonly Field[];
  readonly outputs: 'none' | 'in_port' | 'register' | 'port';
  readonly next: readonly TableName[];
  /** Tables that a packet passes through on the way and comes back from. */
  readonly calls?: readonly TableName[];
  /** Flows may give packets to the agent. */
  readonly toAgent?: true;
  /** What the connection tracker is used for: to know the connection, or to remember it. */
  readonly conntrack?: 'track' | 'commit';
  /** Where packets go that no resource's flow takes. */
  readonly miss: 'drop' | TableName;
}

export type TableName =
  | 'classify'
  | 'antispoof'
  | 'leaving'
  | 'leavingTrack'
  | 'leavingState'
  | 'leavingVerdict'
  | 'services'
  | 'ndReply'
  | 'neighbour'
  | 'tunnel'
  | 'delivery'
  | 'entering'
  | 'enteringTrack'
  | 'enteringState'
  | 'enteringVerdict'
  | 'output'
  | 'policy'
  | 'members'
  | 'rules';

const arpFields = ['arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha'] as const;
const ndFields = ['nd_target', 'nd_sll', 'nd_tll', 'nd_options_type'] as const;
const udpFields = ['udp_src', 'udp_dst'] as const;
const remoteFields = ['reg4', 'reg8', 'reg9', 'reg10', 'reg11'] as const;
const connectionFields = [
  'ct_state', 'ct_nw_proto', 'ct_nw_src', 'ct_nw_dst', 'ct_ipv6_src', 'ct_ipv6_dst', 'ct_tp_src', 'ct_tp_dst',
] as const; // prettier-ignore
const ipFields = ['eth_type', 'ip_proto', 'ipv4_src', 'ipv6_src', 'icmpv6_type', 'icmpv6_code'] as const;

export const pipeline: { readonly [Name in TableName]: Table } = {
  classify: {
    id: 0,
    purpose: 'which VM or tunnel a packet comes from, and so which network it is in',
    matches: ['in_port'],
    writes: ['metadata', 'reg0'],
    outputs: 'none',
    next: ['antispoof', 'delivery'],
    miss: 'drop',
  },
  antispoof: {
    id: 10,
    purpose: 'a VM sends from its own addresses only',
    matches: ['reg0', 'eth_src', ...ipFields, ...udpFields, ...arpFields, ...ndFields],
    writes: [],
    outputs: 'none',
    next: ['leaving'],
    miss: 'drop',
  },
  leaving: {
    id: 20,
    purpose: 'whether security groups judge what the VM sends: not what every network needs',
    matches: ['reg0', 'eth_type', 'ip_proto', 'icmpv6_type', 'icmpv6_code', ...udpFields],
    writes: ['reg2', 'reg6', 'reg7'],
    outputs: 'none',
    next: ['leavingTrack', 'services'],
    calls: ['policy'],
    miss: 'drop',
  },
  leavingTrack: {
    id: 21,
    purpose: 'what no stateless group has allowed is asked for its connection',
    matches: ['reg0', 'reg2', 'eth_type'],
    writes: [],
    outputs: 'none',
    next: ['leavingState', 'services'],
    conntrack: 'track',
    miss: 'drop',
  },
  leavingState: {
    id: 22,
    purpose: 'the rules of the direction in which the connection was opened; what is invalid ends here',
    matches: ['reg0', 'ct_state', 'ct_mark'],
    writes: ['reg6', 'reg7'],
    outputs: 'none',
    next: ['leavingVerdict'],
    calls: ['policy'],
    miss: 'drop',
  },
  leavingVerdict: {
    id: 23,
    purpose: "what a rule allows goes on, and a new connection is remembered as this port's",
    matches: ['reg0', 'reg2', 'eth_type', 'ct_state', 'ct_mark'],
    writes: [],
    outputs: 'none',
    next: ['services'],
    conntrack: 'commit',
    miss: 'drop',
  },
  services: {
    id: 50,
    purpose: 'ARP and neighbour discovery answered on the host',
    matches: ['metadata', 'reg0', ...ipFields, ...arpFields, ...ndFields],
    writes: [
      'eth_src', 'eth_dst', ...arpFields, 'ipv6_src', 'ipv6_dst', 'icmpv6_type', 'nd_options_type', 'nd_reserved',
    ], // prettier-ignore
    outputs: 'in_port',
    next: ['ndReply', 'neighbour'],
    toAgent: true,
    miss: 'neighbour',
  },
  ndReply: {
    id: 51,
    purpose: 'ends the advertisement that services began: its target address may only be written once it is one',
    matches: [...ipFields, ...ndFields],
    writes: ['nd_tll'],
    outputs: 'in_port',
    next: [],
    miss: 'drop',
  },
  neighbour: {
    id: 70,
    purpose: 'where in the network the destination is: this host or which other',
    matches: ['metadata', 'eth_dst'],
    writes: ['tun_dst'],
    outputs: 'none',
    next: ['tunnel', 'delivery'],
    toAgent: true,
    miss: 'drop',
  },
  tunnel: {
    id: 75,
    purpose: 'to the host in tun_dst, with the VNI as the only thing that crosses',
    matches: [],
    writes: ['tunnel_id'],
    outputs: 'port',
    next: [],
    miss: 'drop',
  },
  delivery: {
    id: 80,
    purpose: 'which VM port of this host has the destination',
    matches: ['metadata', 'eth_dst'],
    writes: ['reg1'],
    outputs: 'none',
    next: ['entering'],
    miss: 'drop',
  },
  entering: {
    id: 81,
    purpose: 'whether security groups judge what the VM gets: not what every network needs',
    matches: ['reg1', 'eth_type', 'ip_proto', 'icmpv6_type', 'icmpv6_code', ...udpFields],
    writes: ['reg2', 'reg6', 'reg7'],
    outputs: 'none',
    next: ['enteringTrack', 'output'],
    calls: ['policy'],
    miss: 'drop',
  },
  enteringTrack: {
    id: 82,
    purpose: 'what no stateless group has allowed is asked for its connection',
    matches: ['reg1', 'reg2', 'eth_type'],
    writes: [],
    outputs: 'none',
    next: ['enteringState', 'output'],
    conntrack: 'track',
    miss: 'drop',
  },
  enteringState: {
    id: 83,
    purpose: 'the rules of the direction in which the connection was opened; what is invalid ends here',
    matches: ['reg1', 'ct_state', 'ct_mark'],
    writes: ['reg6', 'reg7'],
    outputs: 'none',
    next: ['enteringVerdict'],
    calls: ['policy'],
    miss: 'drop',
  },
  enteringVerdict: {
    id: 84,
    purpose: "what a rule allows goes on, and a new connection is remembered as this port's",
    matches: ['reg1', 'reg2', 'eth_type', 'ct_state', 'ct_mark'],
    writes: [],
    outputs: 'none',
    next: ['output'],
    conntrack: 'commit',
    miss: 'drop',
  },
  output: {
    id: 90,
    purpose: 'the one way to a VM',
    matches: [],
    writes: [],
    outputs: 'register',
    next: [],
    miss: 'drop',
  },
  policy: {
    id: 100,
    purpose: 'what has to be asked of one security group in one direction',
    matches: ['reg6', 'reg7', 'eth_type', 'ct_state'],
    writes: ['reg3', 'reg6', 'reg7', ...remoteFields],
    outputs: 'none',
    next: [],
    calls: ['members', 'rules'],
    miss: 'drop',
  },
  members: {
    id: 101,
    purpose: 'the addresses of a set: the members of a security group, or an address group',
    matches: ['metadata', 'reg6', 'reg7', 'eth_type', ...remoteFields],
    writes: ['reg3'],
    outputs: 'none',
    next: [],
    miss: 'drop',
  },
  rules: {
    id: 102,
    purpose: 'what the rules of one group, direction and set allow',
    matches: [
      'reg3', 'reg6', 'reg7', ...connectionFields,
      'eth_type', 'ip_proto', 'ipv4_src', 'ipv4_dst', 'ipv6_src', 'ipv6_dst',
      'tcp_dst', 'udp_dst', 'sctp_dst', 'icmpv4_type', 'icmpv4_code', 'icmpv6_type', 'icmpv6_code',
    ], // prettier-ignore
    writes: ['reg2'],
    outputs: 'none',
    next: [],
    miss: 'drop',
  },
};

/** All tables in the order of a packet's way, then those that are called. */
export const tables: readonly TableName[] = Object.keys(pipeline) as TableName[];

const nameById = new Map(tables.map((name) => [pipeline[name].id, name]));

/** The table of this id. */
export function namedTable(id: number): TableName | undefined {
  return nameById.get(id);
}

/** The name that the pipeline gives to a table id; for people. */
export function tableName(id: number): string {
  return nameById.get(id) ?? String(id);
}

export class FlowError extends Error {
  override readonly name = 'FlowError';
}

/** Throws what a reviewer or a switch would refuse in `flow`: anything that the declaration does not allow. */
export function checkFlow(flow: Flow): void {
  const name = nameById.get(flow.table);
  if (name === undefined) throw refuse(flow, `there is no table ${flow.table}`);
  const table = pipeline[name];
  if (flow.priority < 0 || flow.priority > 0xffff) throw refuse(flow, `priority ${flow.priority} is out of range`);
  for (const field of matchFields(flow.match)) checkMatch(flow, table, field);
  let left = false;
  for (const instruction of flow.instructions) {
    if (left) throw refuse(flow, 'goto_table is not the last instruction');
    switch (instruction.type) {
      case 'apply_actions':
        for (const action of instruction.actions) checkAction(flow, table, action);
        break;
      case 'write_metadata':
        checkWrite(flow, table, 'metadata');
        break;
      case 'goto_table':
        checkGoto(flow, table, instruction.table);
        left = true;
        break;
      default:
        throw refuse(flow, `instruction ${(instruction as { type: string }).type} is unknown`);
    }
  }
}

function checkMatch(flow: Flow, table: Table, field: Field): void {
  if (fields[field] === undefined) throw refuse(flow, `field ${field} is unknown`);
  if (!table.matches.includes(field)) throw refuse(flow, `table does not match on ${field}`);
  checkNeeds(flow, field);
}

function checkNeeds(flow: Flow, field: Field): void {
  if (spec(field).tracked && !isTracked(flow.match)) throw refuse(flow, `${field} needs a tracked packet in the match`);
  for (const [needed, values] of Object.entries(spec(field).needs ?? {})) {
    const given = flow.match[needed as keyof Match];
    if (given === undefined || maskOf(given) !== null || !values.includes(Number(valueOf(given)))) {
      throw refuse(flow, `${field} needs ${needed}=${values.join(' or ')} in the match`);
    }
  }
}

/** Says that the packet is tracked and not invalid. */
function isTracked({ ct_state }: Match): boolean {
  if (ct_state === undefined) return false;
  const [value, mask] = [Number(valueOf(ct_state)), Number(maskOf(ct_state) ?? 0xffff_ffff)];
  const asked = CT_STATE.tracked | CT_STATE.invalid;
  return (mask & asked) === asked && (value & asked) === CT_STATE.tracked;
}

function checkAction(flow: Flow, table: Table, action: Action): void {
  switch (action.type) {
    case 'set_field':
      return checkWrite(flow, table, action.field);
    case 'move':
      checkNeeds(flow, action.from.field);
      return checkWrite(flow, table, action.to.field);
    case 'output':
      return checkOutput(flow, table, action.port === IN_PORT ? 'in_port' : 'port');
    case 'output_reg':
      return checkOutput(flow, table, 'register');
    case 'controller':
      return checkToAgent(flow, table, action.meter);
    case 'resubmit':
      return checkCall(flow, table, action.table);
    case 'ct':
      return checkCt(flow, table, action);
    default:
      throw refuse(flow, `action ${(action as { type: string }).type} is unknown`);
  }
}

function checkWrite(flow: Flow, table: Table, field: Field): void {
  if (!table.writes.includes(field)) throw refuse(flow, `table does not write ${field}`);
  checkNeeds(flow, field);
}

function checkOutput(flow: Flow, table: Table, to: Table['outputs']): void {
  if (table.outputs !== to) throw refuse(flow, `table does not output to ${to}`);
}

function checkToAgent(flow: Flow, table: Table, meter: number): void {
  if (table.toAgent !== true) throw refuse(flow, 'table gives no packets to the agent');
  if (!meters.some(({ id }) => id === meter)) throw refuse(flow, `there is no meter ${meter}`);
}

function checkCall(flow: Flow, table: Table, called: number): void {
  if (!table.calls?.some((name) => pipeline[name].id === called)) throw refuse(flow, `table does not call ${called}`);
}

function checkCt(flow: Flow, table: Table, action: CtAction): void {
  if (table.conntrack !== (action.commit ? 'commit' : 'track')) throw refuse(flow, 'table does not use ct like this');
  const family = flow.match.eth_type;
  if (family === undefined || ![0x0800, 0x86dd].includes(Number(family))) throw refuse(flow, 'ct needs an IP packet');
  if (action.table !== undefined) checkGoto(flow, table, action.table);
  for (const { field } of action.actions ?? [])
    if (field !== 'ct_mark') throw refuse(flow, `ct does not write ${field}`);
}

function checkGoto(flow: Flow, table: Table, next: number): void {
  if (next <= table.id) throw refuse(flow, `goto_table ${next} does not go forward`);
  if (!table.next.some((name) => pipeline[name].id === next)) throw refuse(flow, `table does not lead to ${next}`);
}

function refuse(flow: Flow, why: string): FlowError {
  return new FlowError(`flow ${flowKey(flow)} in ${tableName(flow.table)}: ${why}`);
}
