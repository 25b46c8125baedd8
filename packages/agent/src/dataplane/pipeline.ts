/**
 * The pipeline: the life of a packet on one host, as one declaration. Every flow is asserted against it in tests and by
 * the in-memory switch. Table ids leave room for what later stands between (network ACL, connection tracking, security
 * groups, routing, address translation), so that growing renumbers nothing.
 *
 *   VM port ─▶ classify ─▶ antispoof ─▶ services ─▶ neighbour ─▶ delivery ─▶ output ─▶ VM port
 *                 │                        │            └──────▶ tunnel ─▶ other host
 *                 │                        └─▶ ndReply ─▶ back to the VM
 *   tunnel port ──┴─────────────────────────────────────▶ delivery
 *
 * What came out of a tunnel enters at delivery, from where no table leads back to the tunnel: a host never relays.
 *
 *   metadata  the VNI
 *   reg0      key of the VM port that the packet came from (its OpenFlow port number); 0 when it came from a tunnel
 *   reg1      OpenFlow port to deliver to
 */
import { fields, spec, type Field } from './fields.ts';
import { flowKey, IN_PORT, maskOf, matchFields, valueOf, type Action, type Flow, type Match } from './flow.ts';

export interface Table {
  readonly id: number;
  readonly purpose: string;
  readonly matches: readonly Field[];
  /** Fields that actions of this table may write. */
  readonly writes: readonly Field[];
  readonly outputs: 'none' | 'in_port' | 'register' | 'port';
  readonly next: readonly TableName[];
  /** Where packets go that no resource's flow takes. */
  readonly miss: 'drop' | TableName;
}

export type TableName =
  | 'classify'
  | 'antispoof'
  | 'services'
  | 'ndReply'
  | 'neighbour'
  | 'tunnel'
  | 'delivery'
  | 'output';

const arpFields = ['arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha'] as const;
const ndFields = ['nd_target', 'nd_sll', 'nd_tll', 'nd_options_type'] as const;
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
    matches: ['reg0', 'eth_src', ...ipFields, 'udp_src', 'udp_dst', ...arpFields, ...ndFields],
    writes: [],
    outputs: 'none',
    next: ['services'],
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
    next: ['output'],
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
};

/** All tables in the order of a packet's way. */
export const tables: readonly TableName[] = Object.keys(pipeline) as TableName[];

const nameById = new Map(tables.map((name) => [pipeline[name].id, name]));

/** The name that the pipeline gives to a table id. */
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
  for (const [needed, values] of Object.entries(spec(field).needs ?? {})) {
    const given = flow.match[needed as keyof Match];
    if (given === undefined || maskOf(given) !== null || !values.includes(Number(valueOf(given)))) {
      throw refuse(flow, `${field} needs ${needed}=${values.join(' or ')} in the match`);
    }
  }
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

function checkGoto(flow: Flow, table: Table, next: number): void {
  if (next <= table.id) throw refuse(flow, `goto_table ${next} does not go forward`);
  if (!table.next.some((name) => pipeline[name].id === next)) throw refuse(flow, `table does not lead to ${next}`);
}

function refuse(flow: Flow, why: string): FlowError {
  return new FlowError(`flow ${flowKey(flow)} in ${tableName(flow.table)}: ${why}`);
}
