/** The words that flows are put together from: priorities, actions, and a flow of a table that is named. */
import { must } from './assert.ts';
import { stamped } from './cookie.ts';
import type { Field } from './fields.ts';
import { flowKey, type Action, type Flow, type Instruction, type Match } from './flow.ts';
import { pipeline, tables, type TableName } from './pipeline.ts';

/** Bands of priority within a table; a table's own miss flow is 0. */
export const EXCEPTION = 120;
export const RESERVED = 110;
export const RULE = 100;
export const FALLBACK = 50;
/** Where nobody's flow takes the packet. */
export const UNKNOWN = 10;

const gotos = new Map(tables.map((name) => [name, { type: 'goto_table', table: pipeline[name].id } as const]));

export function set(field: Field, value: number | bigint): Action {
  return { type: 'set_field', field, value };
}

export function move(from: Field, to: Field, bits: number, offset = 0): Action {
  return { type: 'move', from: offset === 0 ? { field: from } : { field: from, offset }, to: { field: to }, bits };
}

export function apply(actions: readonly Action[]): Instruction {
  return { type: 'apply_actions', actions };
}

export function goto(table: TableName): Instruction {
  return must(gotos.get(table), 'every table has a goto');
}

export function icmpv6(type: number): Match {
  return { eth_type: 0x86dd, ip_proto: 58, icmpv6_type: type, icmpv6_code: 0 };
}

/**
 * What both match. For matches of which there are many: an object of two spreads, or of one with new fields after it, takes the engine thirty times as
 * long as this, or as one with the spread at its end.
 */
export function joined(one: Match, other: Match): Match {
  return Object.assign({}, one, other);
}

/** Without `actions` and `next`, one that drops. */
export function flow(
  owner: bigint,
  table: TableName,
  priority: number,
  match: Match,
  actions: readonly Action[],
  next?: TableName,
): Flow {
  const instructions = actions.length > 0 ? [apply(actions)] : [];
  if (next !== undefined) instructions.push(goto(next));
  return stamped(owner, { table: pipeline[table].id, priority, match, instructions });
}

/** One flow of each place, where what makes them says some twice. */
export function distinct(flows: readonly Flow[]): readonly Flow[] {
  return [...new Map(flows.map((each) => [flowKey(each), each])).values()];
}
