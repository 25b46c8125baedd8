import { neighborGoal } from '@alcor/compiler';
import { learntLifetimeMs } from '@alcor/config-manager';
import type { PortId } from '@alcor/network';
import { textOf } from './held.ts';
import type { SimulatedHost } from './host.ts';
import type { Region } from './invariants.ts';

/** How often an agent looks for what has outlived its time, at most, and how often somebody looks here. */
const checkMs = 20_000;

/** What one host has learnt and is not meant any more. */
interface Stale {
  readonly since: number;
  readonly text: string;
}

/**
 * What must hold at every moment: what a host has learnt of a neighbour that has moved, changed or gone since is dropped or mended within the
 * lifetime of what is learnt, also on a host that nobody speaks to. Costs what hosts hold of networks on demand, each time that somebody looks.
 */
export class Lifetimes {
  readonly #region: Region;
  readonly #now: () => number;
  /** By host, network and neighbour: what was stale when somebody looked last, and since when. */
  #stale = new Map<string, Stale>();

  constructor(region: Region, now: () => number) {
    this.#region = region;
    this.#now = now;
  }

  /** Answers with what has been held for too long. */
  look(): string[] {
    const now = this.#now();
    const stale = new Map<string, Stale>();
    const wrong: string[] = [];
    for (const host of this.#region.hosts) {
      for (const { key, text } of this.#staleOn(host)) {
        const before = this.#stale.get(key);
        const since = before?.text === text ? before.since : now;
        stale.set(key, { since, text });
        if (now - since > learntLifetimeMs + checkMs) wrong.push(`${key} is held ${now - since} ms after it was true`);
      }
    }
    for (const key of this.#stale.keys()) if (!stale.has(key)) this.#region.tally.outlived++;
    this.#stale = stale;
    return wrong;
  }

  *#staleOn({ node, held }: SimulatedHost): Generator<{ readonly key: string; readonly text: string }> {
    for (const vpcId of held?.vpcsOnDemand ?? []) {
      for (const [key, goal] of held!.goals(vpcId)) {
        if (goal.kind !== 'neighbor') continue;
        const text = textOf(goal);
        if (text !== this.#meant(vpcId, goal.state.id)) yield { key: `${node.id} ${vpcId} ${key}`, text };
      }
    }
  }

  /** What a neighbour is now; undefined: nothing that anybody could send to. */
  #meant(vpcId: string, id: string): string | undefined {
    const { feed } = this.#region.workload;
    const port = feed.get('port', id as PortId);
    const node = port?.hostId == null ? undefined : feed.get('node', port.hostId);
    return port === undefined || node === undefined || port.networkId !== vpcId
      ? undefined
      : textOf(neighborGoal(port, node));
  }
}
