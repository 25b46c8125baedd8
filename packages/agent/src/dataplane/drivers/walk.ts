/** Walks a packet through flow tables the way Open vSwitch does, and remembers the way. Synchronous and without chance. */
import { allOnes, fields, normalise, VLAN_TAGGED, type Field, type FieldValue } from '../fields.ts';
import { IN_PORT, instructionsText, type Action, type CtAction, type Flow, type Instruction } from '../flow.ts';
import { tableName } from '../pipeline.ts';
import { type Conntrack, untracked } from './conntrack.ts';
import type { FlowTable } from './flow-table.ts';
import type { MemoryMeters } from './memory-meters.ts';
import { normalised, onTheWire, packetText, stateFields, valueText, type Packet } from './packet.ts';

export interface Output {
  readonly port: number;
  /** What leaves: the wire's fields, and `tun_dst` and `tunnel_id` for a tunnel port to use. */
  readonly packet: Packet;
}

export interface Step {
  readonly table: string;
  /** Null: no flow covered the packet. */
  readonly flow: Flow | null;
}

export interface Walk {
  readonly outputs: readonly Output[];
  /** Packets given to the agent, as they were then. */
  readonly given: readonly Given[];
  readonly trace: readonly Step[];
}

export interface Given {
  readonly table: number;
  readonly packet: Packet;
}

/** The walk met an action or instruction that the interpreter does not know. */
export class UnsupportedAction extends Error {
  override readonly name = 'UnsupportedAction';
}

/** What a switch remembers beside its flows. */
export interface SwitchMemory {
  readonly conntrack: Conntrack;
  readonly meters: Pick<MemoryMeters, 'pass'>;
}

interface Journey extends SwitchMemory {
  readonly tables: ReadonlyMap<number, FlowTable>;
  readonly inPort: number;
  packet: { [F in Field]?: FieldValue } & Pick<Packet, 'frameLength'>;
  /** A meter has ended the packet. */
  isEnded: boolean;
  readonly outputs: Output[];
  readonly given: Given[];
  readonly trace: Step[];
  /** Copies that go on with their connection known, once this one is at its end. */
  readonly tracked: { readonly packet: Journey['packet']; readonly table: number }[];
}

const fresh: Packet = {
  ...Object.fromEntries([...stateFields].filter((field) => field.startsWith('reg')).map((field) => [field, 0])),
  metadata: 0n,
  tunnel_id: 0n,
  tun_src: 0,
  tun_dst: 0,
  vlan_vid: 0,
  ...untracked,
};

/** Where `packet`, entering `table` at `inPort`, comes out. Counts on the flows that it takes. */
export function walk(
  tables: ReadonlyMap<number, FlowTable>,
  packet: Packet,
  inPort: number,
  memory: SwitchMemory,
  table = 0,
): Walk {
  const journey: Journey = {
    tables,
    ...memory,
    inPort,
    packet: {},
    isEnded: false,
    outputs: [],
    given: [],
    trace: [],
    // A spread with so many fields after it takes the engine ten times as long.
    tracked: [{ packet: Object.assign({}, fresh, normalised(packet), { in_port: inPort }), table }],
  };
  for (let next = journey.tracked.shift(); next !== undefined; next = journey.tracked.shift()) {
    journey.packet = next.packet;
    journey.isEnded = false;
    passFrom(next.table, journey);
  }
  return { outputs: journey.outputs, given: journey.given, trace: journey.trace };
}

/** The walk for people: a line per table, then where the packet came out. */
export function walkText({ outputs, given, trace }: Walk): string {
  const steps = trace.map(({ table, flow }) => {
    if (flow === null) return `${table}: no flow, dropped`;
    const match = Object.entries(flow.match)
      .map(([field, value]) => `${field}=${matchText(field as Field, value)}`)
      .join(',');
    return `${table}: priority ${flow.priority} ${match || 'any'} → ${instructionsText(flow.instructions, valueText) || 'drop'}`;
  });
  return [
    ...steps,
    ...given.map(({ table, packet }) => `to the agent from ${tableName(table)}: ${packetText(onTheWire(packet))}`),
    ...outputs.map(({ port, packet }) => `output ${port}: ${packetText(packet)}`),
  ].join('\n');
}

function matchText(
  field: Field,
  value: FieldValue | { readonly value: FieldValue; readonly mask: FieldValue },
): string {
  if (typeof value !== 'object') return valueText(field, value);
  return `${valueText(field, value.value)}/${valueText(field, value.mask)}`;
}

function passFrom(first: number, journey: Journey): void {
  for (let table: number | null = first; table !== null;) table = passTable(table, journey);
}

function passTable(id: number, journey: Journey): number | null {
  const entry = journey.tables.get(id)?.lookup(journey.packet);
  journey.trace.push({ table: tableName(id), flow: entry?.flow ?? null });
  if (entry === undefined) return null;
  entry.packets += 1;
  let next: number | null = null;
  for (const instruction of entry.flow.instructions) next = perform(instruction, id, journey) ?? next;
  return journey.isEnded ? null : next;
}

function perform(instruction: Instruction, table: number, journey: Journey): number | null {
  switch (instruction.type) {
    case 'apply_actions':
      actAll(instruction.actions, table, journey);
      return null;
    case 'write_metadata':
      write(journey, 'metadata', instruction.value, instruction.mask ?? allOnes(64));
      return null;
    case 'goto_table':
      return instruction.table;
    default:
      throw new UnsupportedAction(`instruction ${(instruction as { type: string }).type}`);
  }
}

function actAll(actions: readonly Action[], table: number, journey: Journey): void {
  for (const action of actions) {
    if (journey.isEnded) return;
    act(action, table, journey);
  }
}

function clone(actions: readonly Action[], table: number, journey: Journey): void {
  const { packet } = journey;
  journey.packet = { ...packet };
  actAll(actions, table, journey);
  journey.packet = packet;
  journey.isEnded = false;
}

function act(action: Action, table: number, journey: Journey): void {
  switch (action.type) {
    case 'set_field':
      return write(journey, action.field, action.value, action.mask ?? allOnes(fields[action.field].bits));
    case 'move':
      return move(action, journey);
    case 'check_pkt_larger': {
      const bit = 2 ** action.to.offset;
      const isLarger = (journey.packet.frameLength ?? 0) > action.bytes;
      return write(journey, action.to.field, isLarger ? bit : 0, bit);
    }
    case 'output':
      return output(action.port, journey);
    case 'output_reg':
      return output(Number(journey.packet[action.field] ?? 0), journey);
    case 'dec_ttl':
      return write(journey, 'ip_ttl', Number(journey.packet.ip_ttl ?? 0) - 1, 0xff);
    case 'push_vlan':
      return void (journey.packet.vlan_vid = VLAN_TAGGED);
    case 'pop_vlan':
      return void (journey.packet.vlan_vid = 0);
    case 'controller':
      return void journey.given.push({ table, packet: { ...journey.packet } });
    case 'meter':
      // Those of the host are not in this switch: they let everything pass.
      return void (journey.isEnded = !journey.meters.pass(action.meter));
    case 'clone':
      return clone(action.actions, table, journey);
    case 'resubmit':
      return passFrom(action.table, journey);
    case 'ct_clear':
      return void Object.assign(journey.packet, untracked);
    case 'ct':
      return ct(action, journey);
    default:
      throw new UnsupportedAction(`action ${(action as { type: string }).type}`);
  }
}

function output(port: number, journey: Journey): void {
  // A plain output never goes back to where the packet came from (OpenFlow 1.5 section 7.2.6.1).
  const inPort = Number(journey.packet.in_port);
  if (port === inPort) return;
  const { tun_dst, tunnel_id } = journey.packet;
  const packet = { ...onTheWire(journey.packet), tun_dst: tun_dst!, tunnel_id: tunnel_id! };
  journey.outputs.push({ port: port === IN_PORT ? inPort : port, packet });
}

function ct({ zone, commit, table, alg, actions }: CtAction, journey: Journey): void {
  const number = Number(journey.packet[zone.field] ?? 0) & ((1 << zone.bits) - 1);
  if (commit) {
    const mark = actions?.find((each) => each.type === 'set_field')?.value;
    const nat = actions?.find((each) => each.type === 'nat');
    journey.conntrack.commit(journey.packet, number, mark === undefined ? null : Number(mark), nat, alg);
  }
  if (table !== undefined) {
    const known = journey.conntrack.look(journey.packet, number);
    const isTranslated = actions?.some((each) => each.type === 'nat') === true;
    const translation = isTranslated ? journey.conntrack.translation(journey.packet, number) : {};
    const packet = { ...journey.packet, ...translation, ...known };
    journey.tracked.push({ packet, table });
  }
  Object.assign(journey.packet, untracked);
}

function move(action: Extract<Action, { type: 'move' }>, journey: Journey): void {
  const ones = allOnes(action.bits);
  const from = BigInt(journey.packet[action.from.field] ?? 0) >> BigInt(action.from.offset ?? 0);
  const shift = BigInt(action.to.offset ?? 0);
  write(journey, action.to.field, (from & ones) << shift, ones << shift);
}

/** A field that the packet does not have is left alone, as the switch does; who makes packets may leave out a mark of 0. */
function write(journey: Journey, written: Field, value: FieldValue, mask: FieldValue): void {
  const field = written === 'in_port_nxm' ? 'in_port' : written;
  const isIp = journey.packet.ip_proto !== undefined;
  const old = journey.packet[field] ?? (field === 'ip_dscp' && isIp ? 0 : undefined);
  if (old === undefined) return;
  const kept = BigInt(old) & ~BigInt(mask);
  journey.packet[field] = normalise(field, kept | (BigInt(value) & BigInt(mask)));
}
