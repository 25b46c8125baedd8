/** What a data plane may get wrong: flows that are other than they should be, to see that the judges would notice. */
import { type Action, pipeline, type Flow, type Instruction, type Match, type TableName } from '@alcor/agent';
import type { Spoil } from './hosts.ts';

export interface Flaw {
  readonly why: string;
  readonly spoil: Spoil;
}

export const flaws: readonly Flaw[] = [
  { why: 'a VM may send from any IPv4 address', spoil: inTable('antispoof', regardlessOf('ipv4_src')) },
  { why: 'an allowed pair is good for one address of its block', spoil: inTable('antispoof', unmasked('ipv4_src')) },
  {
    why: 'groups let in every answer and nothing else',
    spoil: inTable('enteringState', (flow) => (isReply(flow) ? flow : null)),
  },
  { why: 'groups let in no answer', spoil: inTable('leavingState', (flow) => (isReply(flow) ? null : flow)) },
  { why: 'groups allow nothing', spoil: inTable('policy', () => null) },
  { why: 'port ranges are only their first ports', spoil: inTable('rules', unmasked('ct_tp_dst')) },
  { why: 'rules do not look at protocols', spoil: inTable('rules', regardlessOf('ct_nw_proto')) },
  { why: 'everybody is a member of every group', spoil: inTable('rules', regardlessOf('reg3')) },
  { why: 'a member of one network is one in all', spoil: inTable('members', regardlessOf('reg12')) },
  {
    why: 'a router keeps the hops to live',
    spoil: inTable('routing', (flow) => acting(flow, (type) => type !== 'dec_ttl')),
  },
  {
    why: 'all routes are equally long',
    spoil: inTable('routing', (flow) => (flow.priority < 1900 ? { ...flow, priority: 1000 } : flow)),
  },
  { why: 'MACs mean the same in all networks', spoil: inTable('delivery', regardlessOf('metadata')) },
  {
    why: 'broadcasts do not leave the host',
    spoil: inTable('neighbour', (flow) => acting(flow, (type) => type !== 'resubmit')),
  },
  { why: 'network ACLs judge nothing that enters', spoil: inTable('enteringSubnet', () => null) },
  {
    why: 'of the rules of a network ACL the last one decides what leaves',
    spoil: inTable('leavingAcl', (flow) => ({ ...flow, priority: 65_000 - flow.priority })),
  },
  {
    why: 'what policies mark goes on unmarked',
    spoil: inTable('policing', (flow) => acting(flow, (type) => type !== 'set_field')),
  },
  {
    why: 'frames under a tag are those of the trunk itself',
    spoil: inTable('classify', (flow) => (Number(flow.match.vlan_vid ?? 0) === 0 ? flow : null)),
  },
  {
    why: 'what is for a sub-port comes to its parent',
    spoil: inTable('output', (flow) =>
      acting(
        flow,
        (type) => !type.endsWith('_vlan'),
        (field) => field !== 'vlan_vid',
      ),
    ),
  },
  {
    why: 'what is on a wire stays on its host',
    spoil: inTable('wire', () => null),
  },
  {
    why: 'what leaves in the place of a floating IP keeps its own address',
    spoil: inTable('departing', (flow) =>
      acting(
        flow,
        () => true,
        (field) => field !== 'ipv4_src',
      ),
    ),
  },
  {
    why: 'gateways translate nothing',
    spoil: inTable('translated', (flow) => (flow.match.ct_mark === 0 ? null : flow)),
  },
  {
    why: 'nobody gets the answers to what a gateway has translated',
    spoil: inTable('returned', (flow) => (flow.match.ct_mark === 0 ? flow : null)),
  },
  {
    why: 'forwarded ports lead nowhere',
    spoil: inTable('returned', (flow) => (flow.match.ct_mark === 0 ? null : flow)),
  },
  {
    why: 'floating IPs are answered for by nobody',
    spoil: inTable('arriving', (flow) => (flow.match.arp_op === 1 ? null : flow)),
  },
  {
    why: 'what comes from outside may leave again',
    spoil: inTable('departing', (flow) => (flow.match.reg0 === 0 ? null : flow)),
  },
  {
    why: 'addresses outside of the region that has them are sent to the wire',
    spoil: inTable('neighbour', (flow) =>
      acting(flow, (type) => type !== 'resubmit' || flow.match.eth_dst === undefined),
    ),
  },
  {
    why: 'ARP is answered for nobody',
    spoil: inTable('services', (flow) => (flow.match.arp_op === undefined ? flow : null)),
  },
];

/** Flows of other tables are left as they are. */
function inTable(table: TableName, spoil: Spoil): Spoil {
  return (flow) => (flow.table === pipeline[table].id ? spoil(flow) : flow);
}

/** Whatever the field says. */
function regardlessOf(field: keyof Match): Spoil {
  return (flow) => {
    const { [field]: _, ...match } = flow.match;
    return { ...flow, match };
  };
}

/** Of a masked match only the value itself. */
function unmasked(field: keyof Match): Spoil {
  return (flow) => {
    const found = flow.match[field];
    return typeof found === 'object' ? { ...flow, match: { ...flow.match, [field]: found.value } } : flow;
  };
}

function isReply({ match: { ct_state } }: Flow): boolean {
  return typeof ct_state === 'object' && (Number(ct_state.value) & 0x08) !== 0;
}

/** Without the actions of other types, and those that set other fields. */
function acting(flow: Flow, may: (type: string) => boolean, maySet: (field: string) => boolean = () => true): Flow {
  const is = (action: Action): boolean => may(action.type) && (action.type !== 'set_field' || maySet(action.field));
  const instructions = flow.instructions.map((each): Instruction =>
    each.type === 'apply_actions' ? { ...each, actions: each.actions.filter(is) } : each,
  );
  return { ...flow, instructions };
}
