/** What real switches make of a packet, by `ofproto/trace` from host to host. */
import { flowKey, type Flow, type FlowChange, type Packet, type Switch, type Vm } from '@alcor/agent';
import { macNumber } from './frames.ts';
import type { Hosts, Ofports } from './hosts.ts';
import type { Sent } from './random-packet.ts';
import { headersOf, traceText, wireOf } from './trace-fields.ts';
import type { TraceTracker } from './trace-tracker.ts';
import { fieldsOf, type Left, readTrace, textOf, type Traced } from './traced.ts';
import type { Unixctl } from './unixctl.ts';
import { answeredBy, deliveredTo, LEFT_TO_SERVICES, macText, type Verdict } from './verdict.ts';

/** One host's switch, with its ports plugged. */
export interface RealSwitch {
  readonly bridge: string;
  readonly unixctl: Unixctl;
  /** Started. */
  readonly driver: Switch;
}

export interface Traces {
  readonly verdict: Verdict;
  /** As the switches said it, in order. */
  readonly texts: readonly string[];
}

interface Step {
  readonly host: number;
  readonly flow: string;
  /** Goes on in this table; null: enters by its port. */
  readonly table: number | null;
}

/** What a packet is traced through. */
interface Way {
  readonly hosts: Hosts['hosts'];
  readonly vms: Hosts['vms'];
  readonly sender: Vm;
  readonly tracker: TraceTracker;
}

/** As `vlan_vid` says that there is a tag (OpenFlow 1.5 section 7.2.3.8). */
const VLAN_TAGGED = 0x1000;
const never = new AbortController().signal;

export class OvsJudge {
  readonly #switches: readonly RealSwitch[];
  readonly #ofports: Ofports;
  readonly #portAt: ReadonlyMap<number, string>;
  /** The flows that each switch has, by place. */
  readonly #present: Map<string, Flow>[];

  constructor(switches: readonly RealSwitch[], ofports: Ofports) {
    this.#switches = switches;
    this.#ofports = ofports;
    this.#portAt = new Map(Array.from(ofports.ports, ([id, ofport]) => [ofport, id]));
    this.#present = switches.map(() => new Map());
  }

  /** Gives the switches the flows that those in memory have. */
  async program({ hosts }: Hosts): Promise<void> {
    const write = hosts.map(({ memory }, n) =>
      this.#write(
        n,
        memory.entries().map(({ flow }) => flow),
      ),
    );
    await Promise.all(write);
  }

  /** `tracker`: what the hosts' trackers know, and know afterwards. */
  async cross({ hosts, vms }: Hosts, { from, packet }: Sent, tracker: TraceTracker): Promise<Traces> {
    const verdict: string[] = [];
    const texts: string[] = [];
    const vm = vms.get(from);
    if (vm === undefined) return { verdict, texts };
    const way: Way = { hosts, vms, sender: vm, tracker };
    const steps: Step[] =
      vm.at === undefined
        ? [{ host: hosts.findIndex(({ ip }) => ip === vm.host), flow: this.#entering(vm, packet), table: null }]
        : this.#onWire(hosts, vm.at.vlan, traceText(packet));
    if (vm.at !== undefined) verdict.push(...heardOnWire(way, vm.at.vlan, packet));
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
      const text = await this.#trace(step);
      texts.push(text);
      const traced = readTrace(text);
      verdict.push(...this.#outcome(traced, step.host, way));
      const { id } = hosts[step.host]!;
      for (const { zone, mark } of traced.committed) tracker.commit(id, zone, fieldsOf(step.flow), mark);
      steps.push(...this.#onward(traced, step.host, way));
    }
    return { verdict: once(verdict).toSorted(), texts };
  }

  #entering({ id, trunk }: Vm, packet: Packet): string {
    const tag = trunk === undefined ? {} : { vlan_vid: VLAN_TAGGED | trunk.vlan };
    return `in_port=${this.#ofports.ports.get(trunk?.parentId ?? id)},${traceText({ ...packet, ...tag })}`;
  }

  #outcome({ given, left }: Traced, host: number, way: Way): string[] {
    const subPorts = subPortsOf(way.vms, way.hosts[host]!.ip);
    return [
      ...(given ? [LEFT_TO_SERVICES] : []),
      ...left.flatMap(({ port, vlan, fields, isBack }) => {
        if (port === this.#ofports.wire) return heardOnWire(way, vlan, headersOf(fields));
        if (isBack) return [answeredBy(fields.get('dl_src') ?? '')];
        const at = this.#portAt.get(port);
        const receiver = vlan === null ? at : subPorts.get(`${at} ${vlan}`);
        return receiver === undefined ? [] : [deliveredTo(receiver, headersOf(fields))];
      }),
    ];
  }

  /** Where copies of the packet are next: in a later table of this host, their connection known, or at other hosts. */
  #onward({ tracked, left }: Traced, host: number, { hosts, tracker }: Way): Step[] {
    const { id } = hosts[host]!;
    return [
      ...tracked.map((each) => {
        if (each.mark !== null) tracker.commit(id, each.zone, each.fields, each.mark, each.nat);
        return { host, flow: textOf(tracker.look(id, each)), table: each.table };
      }),
      ...left.flatMap(({ port, fields, vlan }) =>
        port === this.#ofports.wire ? this.#onWire(hosts, vlan, textOf(wireOf(fields)), host) : [],
      ),
      ...left.flatMap((each) => this.#tunnelled(hosts, each)),
    ];
  }

  /** To all hosts that are on the physical network, but the one that it comes from. */
  #onWire(hosts: Hosts['hosts'], vlan: number | null, packet: string, from?: number): Step[] {
    const tag = vlan === null ? '' : `,vlan_vid=${VLAN_TAGGED | vlan}`;
    const flow = `in_port=${this.#ofports.wire}${tag},${packet}`;
    return hosts.flatMap(({ memory }, host) =>
      host === from || memory.wires.size === 0 ? [] : [{ host, flow, table: null }],
    );
  }

  #tunnelled(hosts: Hosts['hosts'], { port, fields, tunnelTo, tunnelId }: Left): Step[] {
    const { tunnel, gateway } = this.#ofports;
    const host = port === tunnel || port === gateway ? hosts.findIndex(({ ip }) => ip === tunnelTo) : -1;
    const flow = `in_port=${port},tun_id=${tunnelId},${textOf(wireOf(fields))}`;
    return host < 0 ? [] : [{ host, flow, table: null }];
  }

  /** Writes what is new or otherwise, then deletes what is not there any more. */
  async #write(n: number, flows: readonly Flow[]): Promise<void> {
    const present = this.#present[n]!;
    const wanted = new Map(flows.map((flow) => [flowKey(flow), flow]));
    const changes: FlowChange[] = [
      ...[...wanted].flatMap(([key, flow]) =>
        present.get(key)?.cookie === flow.cookie ? [] : [{ type: 'write', flow } as const],
      ),
      ...[...present].flatMap(([key, flow]) => (wanted.has(key) ? [] : [{ type: 'delete', flow } as const])),
    ];
    const failures = await this.#switches[n]!.driver.apply(changes, never);
    if (failures.length > 0) throw new Error(`the switch refused a flow: ${failures[0]!.reason}`);
    this.#present[n] = wanted;
  }

  #trace({ host, flow, table }: Step): Promise<string> {
    const { bridge, unixctl } = this.#switches[host]!;
    if (table === null) return unixctl.call('ofproto/trace', [bridge, flow]);
    return unixctl.call('ofproto/trace-packet-out', [bridge, flow, `resubmit(,${table})`]);
  }
}

/** Machines that a frame on the wire is for; the sender itself only hears answers. */
function heardOnWire({ vms, sender }: Way, vlan: number | null, packet: Packet): string[] {
  const isForAll = (BigInt(packet.eth_dst!) & 0x0100_0000_0000n) !== 0n;
  return [...vms.values()].flatMap((vm) => {
    if (vm.at === undefined || vm.at.vlan !== vlan || (!isForAll && vm.macNumber !== packet.eth_dst)) return [];
    if (vm !== sender) return [deliveredTo(vm.id, packet)];
    return macNumber(vm.mac) === packet.eth_src ? [] : [answeredBy(macText(packet.eth_src))];
  });
}

/** The sub-ports on a host, by their parents' ids and their tags. */
function subPortsOf(vms: Hosts['vms'], host: string): Map<string, string> {
  const here = [...vms.values()].filter((vm) => vm.host === host);
  return new Map(
    here.flatMap(({ id, trunk }) => (trunk === undefined ? [] : [[`${trunk.parentId} ${trunk.vlan}`, id]])),
  );
}

/** What several hosts leave to their services is said once. */
function once(verdict: readonly string[]): string[] {
  return verdict.filter((each, n) => each !== LEFT_TO_SERVICES || verdict.indexOf(each) === n);
}
