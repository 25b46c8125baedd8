/** Holds every flow to the declaration of the pipeline: in tests, and in the switch in memory. */
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
import { isResourceMeter, meters } from './meters.ts';
import { namedTable, pipeline, tableName, type Table } from './pipeline.ts';

export class FlowError extends Error {
  override readonly name = 'FlowError';
}

/** Throws what a reviewer or a switch would refuse in `flow`: anything that the declaration does not allow. */
export function checkFlow(flow: Flow): void {
  const name = namedTable(flow.table);
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
    case 'check_pkt_larger':
      return checkWrite(flow, table, action.to.field);
    case 'output':
      return checkOutput(flow, table, action.port === IN_PORT ? 'in_port' : 'port');
    case 'output_reg':
      return checkOutput(flow, table, 'register');
    case 'dec_ttl':
      return checkWrite(flow, table, 'ip_ttl');
    case 'push_vlan':
    case 'pop_vlan':
      return checkWrite(flow, table, 'vlan_vid');
    case 'controller':
      return checkToAgent(flow, table, action.meter);
    case 'meter':
      return checkMetered(flow, table, action.meter);
    case 'clone':
      for (const each of action.actions) checkAction(flow, table, each);
      return undefined;
    case 'resubmit':
      return checkCall(flow, table, action.table);
    case 'ct_clear':
      if (table.conntrack !== 'forget') throw refuse(flow, 'table does not use ct like this');
      return undefined;
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
  if (to === 'in_port' && table.turns === true) return;
  if (table.outputs !== to) throw refuse(flow, `table does not output to ${to}`);
}

function checkToAgent(flow: Flow, table: Table, meter: number): void {
  if (table.toAgent !== true) throw refuse(flow, 'table gives no packets to the agent');
  checkMeter(flow, meter);
}

function checkMetered(flow: Flow, table: Table, meter: number): void {
  if (table.metered !== true) throw refuse(flow, 'table does not meter packets');
  checkMeter(flow, meter);
}

function checkMeter(flow: Flow, meter: number): void {
  if (!isResourceMeter(meter) && !meters.some(({ id }) => id === meter))
    throw refuse(flow, `there is no meter ${meter}`);
}

function checkCall(flow: Flow, table: Table, called: number): void {
  if (called === pipeline.back.id) return checkOutput(flow, table, 'in_port');
  const callable = [...(table.calls ?? []), ...(table.again ?? [])];
  if (!callable.some((name) => pipeline[name].id === called)) throw refuse(flow, `table does not call ${called}`);
}

function checkCt(flow: Flow, table: Table, action: CtAction): void {
  if (table.conntrack !== (action.commit ? 'commit' : 'track')) throw refuse(flow, 'table does not use ct like this');
  const family = flow.match.eth_type;
  if (family === undefined || ![0x0800, 0x86dd].includes(Number(family))) throw refuse(flow, 'ct needs an IP packet');
  if (action.table !== undefined) checkGoto(flow, table, action.table);
  for (const each of action.actions ?? []) {
    if (each.type === 'set_field' && each.field !== 'ct_mark') throw refuse(flow, `ct does not write ${each.field}`);
    if (each.type === 'nat' && each.side !== undefined && !action.commit) throw refuse(flow, 'nat needs a commit');
    if (each.type === 'nat' && Number(family) !== 0x0800) throw refuse(flow, 'only IPv4 is translated');
  }
}

function checkGoto(flow: Flow, table: Table, next: number): void {
  if (next <= table.id) throw refuse(flow, `goto_table ${next} does not go forward`);
  if (!table.next.some((name) => pipeline[name].id === next)) throw refuse(flow, `table does not lead to ${next}`);
}

function refuse(flow: Flow, why: string): FlowError {
  return new FlowError(`flow ${flowKey(flow)} in ${tableName(flow.table)}: ${why}`);
}
