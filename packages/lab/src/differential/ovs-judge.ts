/** What real switches make of a packet, by `ofproto/trace` from host to host. A trace has no connection tracker: this is one. */
import { flowKey, type Flow, type FlowChange, type Packet, type Switch } from '@alcor/agent';
import type { Hosts, Ofports } from './hosts.ts';
import type { Sent } from './random-packet.ts';
import { headersOf, trackedAs, type Remembered, traceText, tupleOf, wireOf } from './trace-fields.ts';
import { fieldsOf, readTrace, textOf, type Traced } from './traced.ts';
import type { Unixctl } from './unixctl.ts';
import { answeredBy, deliveredTo, LEFT_TO_SERVICES, type Verdict } from './verdict.ts';

/** One host's switch, with its ports plugged. */
export interface RealSwitch {
  readonly bridge: string;
  readonly unixctl: Unixctl;
  /** Started. */
  readonly driver: Switch;
}

export interface Traces {
  readonly verdict: Verdict;
  readonly remembered: readonly Remembered[];
  /** As the switches said it, in order. */
  readonly texts: readonly string[];
}

interface Step {
  readonly host: number;
  readonly flow: string;
  /** Goes on in this table; null: enters by its port. */
  readonly table: number | null;
}

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

  /** `known`: what the hosts' trackers remember. */
  async cross({ hosts, vms }: Hosts, { from, packet }: Sent, known: readonly Remembered[] = []): Promise<Traces> {
    const start = hosts.findIndex(({ ip }) => ip === vms.get(from)?.host);
    const verdict: string[] = [];
    const remembered: Remembered[] = [];
    const texts: string[] = [];
    const steps: Step[] = start < 0 ? [] : [{ host: start, flow: this.#entering(from, packet), table: null }];
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
      const text = await this.#trace(step);
      texts.push(text);
      const traced = readTrace(text);
      const { id } = hosts[step.host]!;
      verdict.push(...this.#outcome(traced));
      const first = tupleOf(fieldsOf(step.flow));
      remembered.push(...traced.committed.map((each) => ({ ...each, host: id, first })));
      steps.push(...this.#onward(traced, step.host, hosts, known));
    }
    return { verdict: once(verdict).toSorted(), remembered, texts };
  }

  #entering(from: string, packet: Packet): string {
    return `in_port=${this.#ofports.ports.get(from)},${traceText(packet)}`;
  }

  #outcome({ answered, given, left }: Traced): string[] {
    return [
      ...(answered === null ? [] : [answeredBy(answered.get('dl_src') ?? '')]),
      ...(given ? [LEFT_TO_SERVICES] : []),
      ...left.flatMap(({ port, fields }) => {
        const receiver = this.#portAt.get(port);
        return receiver === undefined ? [] : [deliveredTo(receiver, headersOf(fields))];
      }),
    ];
  }

  /** Where copies of the packet are next: in a later table of this host, their connection known, or at other hosts. */
  #onward({ tracked, left }: Traced, host: number, hosts: Hosts['hosts'], known: readonly Remembered[]): Step[] {
    const { id } = hosts[host]!;
    const here = known.filter((each) => each.host === id);
    return [
      ...tracked.map(({ table, zone, fields }) => {
        const same = here.filter((each) => each.zone === zone);
        return { host, flow: textOf(trackedAs(fields, zone, same)), table };
      }),
      ...left.flatMap(({ port, fields, tunnelTo, tunnelId }) => {
        const next = port === this.#ofports.tunnel ? hosts.findIndex(({ ip }) => ip === tunnelTo) : -1;
        const flow = `in_port=${port},tun_id=${tunnelId},${textOf(wireOf(fields))}`;
        return next < 0 ? [] : [{ host: next, flow, table: null }];
      }),
    ];
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

/** What several hosts leave to their services is said once. */
function once(verdict: readonly string[]): string[] {
  return verdict.filter((each, n) => each !== LEFT_TO_SERVICES || verdict.indexOf(each) === n);
}
