/** Flows as values: the part of OpenFlow 1.5 and the Nicira extensions that the pipeline is made of. */
import { unreachable } from './assert.ts';
import type { Field, FieldValue } from './fields.ts';

export type MatchValue = FieldValue | { readonly value: FieldValue; readonly mask: FieldValue };
export type Match = { readonly [F in Field]?: MatchValue };

export type Action =
  | { readonly type: 'output'; readonly port: number }
  /** To the port whose number a register holds. */
  | { readonly type: 'output_reg'; readonly field: Field }
  | { readonly type: 'set_field'; readonly field: Field; readonly value: FieldValue; readonly mask?: FieldValue }
  | {
      readonly type: 'move';
      readonly from: { readonly field: Field; readonly offset?: number };
      readonly to: { readonly field: Field; readonly offset?: number };
      readonly bits: number;
    }
  /** Writes one bit: whether the frame, its Ethernet header included, has more bytes than these. */
  | {
      readonly type: 'check_pkt_larger';
      readonly bytes: number;
      readonly to: { readonly field: Field; readonly offset: number };
    }
  /** One hop less to live; only what has one left gets here. */
  | { readonly type: 'dec_ttl' }
  /** A VLAN tag (802.1Q) with the id 0, for `vlan_vid` to be written. */
  | { readonly type: 'push_vlan'; readonly ethertype: 0x8100 }
  | { readonly type: 'pop_vlan' }
  /** A copy goes to the agent, as far as the meter allows (meters.ts). */
  | { readonly type: 'controller'; readonly meter: number }
  /** The packet ends here where it is one more than the meter allows (meters.ts). */
  | { readonly type: 'meter'; readonly meter: number }
  /** A copy goes through these actions: where one of them ends it, the packet itself goes on. */
  | { readonly type: 'clone'; readonly actions: readonly Action[] }
  /** Passes the packet through another table and comes back, with the registers as that table left them. */
  | { readonly type: 'resubmit'; readonly table: number }
  /** What the connection tracker has said of the packet is forgotten: it is asked anew where the packet comes to it again, also in the same zone. */
  | { readonly type: 'ct_clear' }
  | CtAction;

/**
 * The packet through the connection tracker. With `table`, a copy of it goes on there with the connection known; what
 * follows in this flow sees an untracked packet.
 */
export interface CtAction {
  readonly type: 'ct';
  readonly commit?: true;
  /** Low bits of a register. */
  readonly zone: { readonly field: Field; readonly bits: 16 };
  readonly table?: number;
  /** The application protocol that the packet is of: further connections that it speaks of are related to its own. */
  readonly alg?: 'ftp' | 'tftp';
  /** Done to the connection: `ct_mark` written where it is committed, and its addresses translated. */
  readonly actions?: readonly (SetField | NatAction)[];
}

/** Bare: as the connection that the packet is of was translated when it was committed. With a side: translate it so from now on. */
export interface NatAction {
  readonly type: 'nat';
  readonly side?: 'src' | 'dst';
  readonly ipv4?: { readonly min: number };
  readonly ports?: { readonly min: number };
}

export type SetField = Extract<Action, { readonly type: 'set_field' }>;

export type Instruction =
  | { readonly type: 'apply_actions'; readonly actions: readonly Action[] }
  | { readonly type: 'write_metadata'; readonly value: bigint; readonly mask?: bigint }
  | { readonly type: 'goto_table'; readonly table: number };

/** What a switch tells two flows apart by: one flow per table, priority and match. */
export interface FlowPlace {
  readonly table: number;
  readonly priority: number;
  readonly match: Match;
  /** What `flowKey` says of it, where that is known already. */
  readonly key?: string;
}

/** A flow that exists, without what it does: the cookie stands for that (see cookie.ts). */
export interface FlowIdentity extends FlowPlace {
  readonly cookie: bigint;
}

export interface Flow extends FlowIdentity {
  /** Empty: the packet is dropped here, and counted. */
  readonly instructions: readonly Instruction[];
}

/** OFPP_IN_PORT: back to where the packet came from, which a plain output never does. */
export const IN_PORT = 0xfffffff8;

export function valueOf(match: MatchValue): FieldValue {
  return typeof match === 'object' ? match.value : match;
}

export function maskOf(match: MatchValue): FieldValue | null {
  return typeof match === 'object' ? match.mask : null;
}

/** The fields that `match` names, in a fixed order. */
export function matchFields(match: Match): Field[] {
  return (Object.keys(match) as Field[]).filter((field) => match[field] !== undefined).sort();
}

/** The meters that a flow's packets have to pass. */
export function metersOf({ instructions }: Flow): number[] {
  return instructions.flatMap((each) => (each.type === 'apply_actions' ? each.actions.flatMap(metersIn) : []));
}

function metersIn(action: Action): number[] {
  if (action.type === 'clone') return action.actions.flatMap(metersIn);
  return action.type === 'meter' ? [action.meter] : [];
}

/** Canonical text of a place; equal exactly when a switch would take the two for the same flow. */
export function flowKey(place: FlowPlace): string {
  return place.key ?? `${place.table}/${place.priority}/${matchText(place.match)}`;
}

/** Canonical text of what a flow does; `show` may write values as people do. */
export function instructionsText(instructions: readonly Instruction[], show: ShowValue = plainly): string {
  let text = '';
  for (const instruction of instructions) text += `${text && ' '}${instructionText(instruction, show)}`;
  return text;
}

type ShowValue = (field: Field, value: FieldValue) => string;

const plainly: ShowValue = (_, value) => String(value);

function matchText(match: Match): string {
  let text = '';
  for (const field of sorted(Object.keys(match)) as Field[]) {
    const value = match[field];
    if (value !== undefined) text += `${field}=${matchValueText(value)},`;
  }
  return text;
}

/** Most matches are written in order already, and sorting costs more than looking. */
function sorted(names: string[]): string[] {
  for (let at = 1; at < names.length; at++) if (names[at - 1]! > names[at]!) return names.sort();
  return names;
}

/** Canonical text of what a field is matched on. */
export function matchValueText(match: MatchValue): string {
  return typeof match === 'object' ? `${match.value}/${match.mask}` : String(match);
}

function instructionText(instruction: Instruction, show: ShowValue): string {
  switch (instruction.type) {
    case 'apply_actions':
      return actionsText(instruction.actions, show);
    case 'write_metadata':
      return `metadata:=${instruction.value}${instruction.mask === undefined ? '' : `/${instruction.mask}`}`;
    case 'goto_table':
      return `goto:${instruction.table}`;
    default:
      return unreachable(instruction);
  }
}

function actionsText(actions: readonly Action[], show: ShowValue): string {
  let text = '';
  for (const action of actions) text += `${text && ','}${actionText(action, show)}`;
  return text;
}

function actionText(action: Action, show: ShowValue): string {
  switch (action.type) {
    case 'output':
      return `output:${action.port === IN_PORT ? 'in_port' : action.port}`;
    case 'output_reg':
      return `output:${action.field}`;
    case 'set_field':
      return `${action.field}:=${show(action.field, action.value)}${action.mask === undefined ? '' : `/${action.mask}`}`;
    case 'move':
      return `${slice(action.to, action.bits)}:=${slice(action.from, action.bits)}`;
    case 'check_pkt_larger':
      return `${slice(action.to, 1)}:=larger(${action.bytes})`;
    case 'dec_ttl':
    case 'push_vlan':
    case 'pop_vlan':
    case 'ct_clear':
      return action.type;
    case 'controller':
      return `controller:meter=${action.meter}`;
    case 'meter':
      return `meter:${action.meter}`;
    case 'clone':
      return `clone(${actionsText(action.actions, show)})`;
    case 'resubmit':
      return `resubmit:${action.table}`;
    case 'ct': {
      const { commit, zone, table, alg, actions } = action;
      const marks = (actions ?? []).map((each) => (each.type === 'nat' ? natText(each) : actionText(each, show)));
      return `ct(${commit ? 'commit,' : ''}zone=${slice(zone, zone.bits)}${table === undefined ? '' : `,table=${table}`}${alg === undefined ? '' : `,alg=${alg}`}${marks.map((mark) => `,${mark}`).join('')})`;
    }
    default:
      return unreachable(action);
  }
}

function natText({ side, ipv4, ports }: NatAction): string {
  if (side === undefined) return 'nat';
  return `nat(${side}=${ipv4?.min ?? ''}${ports === undefined ? '' : `:${ports.min}`})`;
}

function slice(at: { readonly field: Field; readonly offset?: number }, bits: number): string {
  return `${at.field}[${at.offset ?? 0}+${bits}]`;
}
