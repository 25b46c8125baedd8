/**
 * What the switch has counted for a port, read when somebody asks: from the port's own flows and meters, and from those of the rules that
 * judge it. Each is asked for by its cookie, so it costs what the port and its rules have, whatever else is on the host.
 */
import { resourceCookie, RESOURCE_MASK } from './cookie.ts';
import type { DesiredFlows } from './desired.ts';
import type { Flow } from './flow.ts';
import type { MeterTracker } from './meter-tracker.ts';
import { directionOf } from './meters.ts';
import { portOwner, qualityOwner } from './owners.ts';
import { pipeline, type TableName } from './pipeline.ts';
import type { LocalPort, NetworkAcl, SecurityGroup, TrafficRule } from './resources.ts';
import { aclRuleText, groupRuleText } from './rule-text.ts';
import type { Count, Switch } from './switch.ts';
import type { Tracker } from './tracker.ts';

/** Flows of rules that one question reads at most: beyond, rules are left out. */
const RULE_FLOWS_AT_MOST = 8_192;

/** Frames as the VM has them. What its own host answers (ARP, discovery, pings of a router) is not among those received. */
export interface PortCounters {
  /** All that has come from its VM, also what was dropped then. */
  readonly sent: Count;
  /** What has been handed to its VM. */
  readonly received: Count;
  readonly dropped: {
    /** From an address that is not the port's, or what only routers and DHCP servers say. */
    readonly spoofed: Count;
    /** For want of a rule of its security groups, on the way out and in. */
    readonly sentNotAllowed: Count;
    readonly receivedNotAllowed: Count;
    /** Beyond what its QoS policy lets pass. */
    readonly sentOverLimit: Count;
    readonly receivedOverLimit: Count;
  };
  readonly rules: readonly RuleCounter[];
  /** Rules that there was no room for. */
  readonly rulesLeftOut: number;
}

/**
 * What has matched a rule on this host, of all its ports that the rule judges. A rule of a stateful group matches every packet, both ways, of
 * the connections whose opening it allows; one of a stateless group or a network ACL the packets that it speaks of.
 */
export interface RuleCounter extends Count {
  readonly policy: 'security-group' | 'network-acl';
  readonly policyId: string;
  /** Empty: packets that no rule of the network ACL fits, which are denied. */
  readonly ruleId: string;
  readonly direction: TrafficRule['direction'];
  /** The rule for people. */
  readonly text: string;
}

export interface CountersParts {
  readonly tracker: Tracker;
  readonly meters: MeterTracker;
  readonly desired: DesiredFlows;
  readonly switch: Switch;
}

type Rule = Omit<RuleCounter, keyof Count> & { readonly flows: readonly Flow[] };

/** Throws `SwitchLost`. The counters are not of one instant; Open vSwitch has what passed until about a second ago. */
export async function portCounters(port: LocalPort, parts: CountersParts, signal: AbortSignal): Promise<PortCounters> {
  const { tracker, meters } = parts;
  const own = [...tracker.flowsOf(portOwner(port.id)), ...tracker.flowsOf(qualityOwner(port.id))];
  const all = rulesOf(port, parts);
  const rules = atMost(all, RULE_FLOWS_AT_MOST);
  const ids = meters.idsOf(qualityOwner(port.id));
  const [counts, ended] = await Promise.all([
    countsOf(parts.switch, [...own, ...rules.flatMap(({ flows }) => flows)], signal),
    parts.switch.ended(ids, signal),
  ]);
  const flows = (wanted: (flow: Flow) => boolean): Count => sum(own.filter(wanted).map((flow) => counts.get(flow)!));
  const limited = (direction: 'ingress' | 'egress'): Count =>
    sum(ended.filter((_, at) => directionOf(ids[at]!) === direction));
  const receivedOverLimit = limited('ingress');
  return {
    sent: flows(isIn('classify')),
    // A flow counts what it takes, also what a meter of its own ends then.
    received: less(flows(isIn('output')), receivedOverLimit),
    dropped: {
      spoofed: flows((flow) => isIn('antispoof')(flow) && drops(flow)),
      sentNotAllowed: flows((flow) => isRefusal('leaving', flow)),
      receivedNotAllowed: flows((flow) => isRefusal('entering', flow)),
      sentOverLimit: limited('egress'),
      receivedOverLimit,
    },
    rules: rules.map(({ flows: its, ...rule }) => ({ ...rule, ...sum(its.map((flow) => counts.get(flow)!)) })),
    rulesLeftOut: all.length - rules.length,
  };
}

async function countsOf(from: Switch, flows: readonly Flow[], signal: AbortSignal): Promise<Map<Flow, Count>> {
  const counts = await from.counts(flows, signal);
  return new Map(flows.map((flow, at) => [flow, counts[at]!]));
}

function isIn(table: TableName): (flow: Flow) => boolean {
  return (flow) => flow.table === pipeline[table].id;
}

function drops({ instructions }: Flow): boolean {
  return instructions.length === 0;
}

/** Of a port's own flows: what is dropped there for want of a rule. What a VM says to all does not come back to it, which is no refusal. */
function isRefusal(side: 'leaving' | 'entering', flow: Flow): boolean {
  const tables = [side, `${side}Track`, `${side}State`, `${side}Verdict`] as const;
  const isOfAnyPacket = Object.keys(flow.match).length === 1;
  return drops(flow) && isOfAnyPacket && tables.some((table) => isIn(table)(flow));
}

function rulesOf(port: LocalPort, { desired, tracker }: CountersParts): Rule[] {
  const { groups, acls } = desired.judgesOf(port);
  return [
    ...groups.flatMap((group) => rulesOfGroup(group, tracker.flowsOf(`group ${group.id}`))),
    ...acls.flatMap((acl) => rulesOfAcl(acl, tracker.flowsOf(`acl ${acl.id}`))),
  ];
}

function rulesOfGroup({ id, rules }: SecurityGroup, flows: readonly Flow[]): Rule[] {
  const byResource = byCookie(flows.filter(isIn('rules')));
  return rules.map((rule) => ({
    policy: 'security-group',
    policyId: id,
    ruleId: rule.id,
    direction: rule.direction,
    text: groupRuleText(rule),
    flows: byResource.get(resourceCookie(rule.id)) ?? [],
  }));
}

function rulesOfAcl({ id, rules }: NetworkAcl, flows: readonly Flow[]): Rule[] {
  const byResource = byCookie(flows);
  const of = { policy: 'network-acl', policyId: id } as const;
  return [
    ...[...rules]
      .sort((a, b) => a.number - b.number)
      .map((rule) => {
        const its = byResource.get(resourceCookie(rule.id)) ?? [];
        return { ...of, ruleId: rule.id, direction: rule.direction, text: aclRuleText(rule), flows: its };
      }),
    ...(['egress', 'ingress'] as const).map((direction) => {
      const table = direction === 'egress' ? 'leavingAcl' : 'enteringAcl';
      const its = (byResource.get(resourceCookie(id)) ?? []).filter(isIn(table));
      return { ...of, ruleId: '', direction, text: `deny ${direction} what no rule fits`, flows: its };
    }),
  ];
}

function byCookie(flows: readonly Flow[]): Map<bigint, Flow[]> {
  const found = new Map<bigint, Flow[]>();
  for (const flow of flows) {
    const owner = flow.cookie & RESOURCE_MASK;
    const its = found.get(owner);
    if (its === undefined) found.set(owner, [flow]);
    else its.push(flow);
  }
  return found;
}

/** The first rules that have no more flows together. */
function atMost(rules: readonly Rule[], most: number): readonly Rule[] {
  let flows = 0;
  const first = rules.findIndex((rule) => (flows += rule.flows.length) > most);
  return first < 0 ? rules : rules.slice(0, first);
}

function sum(counts: readonly Count[]): Count {
  let [packets, bytes] = [0n, 0n];
  for (const each of counts) {
    packets += each.packets;
    bytes += each.bytes;
  }
  return { packets, bytes };
}

/** Read one after the other, so the second may be ahead. */
function less(all: Count, part: Count): Count {
  return { packets: rest(all.packets, part.packets), bytes: rest(all.bytes, part.bytes) };
}

function rest(all: bigint, part: bigint): bigint {
  return all > part ? all - part : 0n;
}
