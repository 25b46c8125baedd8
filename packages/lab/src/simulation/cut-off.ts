import type { Goal } from '@alcor/contract';
import { learntLifetimeMs } from '@alcor/config-manager';
import { pick, type Random, type World } from '@alcor/runtime';
import type { SimulatedHost } from './host.ts';
import { askAround, type Region } from './invariants.ts';
import type { Lifetimes } from './lifetimes.ts';
import { addLookalikes } from './lookalikes.ts';

/** Longer than anything that is learnt may be used without a word. */
const apartMs = learntLifetimeMs + 60_000;
const lookEveryMs = 5_000;
/** What is used as often is never idle. */
const useEveryMs = 60_000;

/**
 * With a region that has settled, cuts some hosts off from everybody, but for what packets go by, while all networks are told on demand, a
 * tenant changes things, and those hosts use what they have learnt. Answers with what was held there for too long; then they can be reached again.
 */
export async function cutOffSome(
  region: Region,
  world: World,
  lifetimes: Lifetimes,
  random: Random,
  say: (line: string) => void,
): Promise<string[]> {
  const { workload, hosts } = region;
  const { schedule } = world;
  for (const id of workload.networks) say(workload.override(id, 'on-demand'));
  await schedule.run(5_000);
  for (let n = 0; n < 2; n++) {
    askAround(region);
    await schedule.run(2_000);
  }
  await addLookalikes(region, schedule, random, say);
  const apart = new Set([pick(random, hosts), pick(random, hosts)]);
  for (const { node } of apart) world.isolate(node.agentAddress);
  const wrong: string[] = [];
  for (let passed = 0; passed < apartMs; passed += lookEveryMs) {
    if (passed % useEveryMs === 0) for (const host of apart) useLearnt(region, host);
    say(workload.step());
    await schedule.run(lookEveryMs);
    wrong.push(...lifetimes.look());
  }
  for (const { node } of apart) world.rejoin(node.agentAddress);
  return wrong;
}

/** The VMs of a host send to all that it has learnt. */
function useLearnt({ fabric, workload }: Region, { vms, held }: SimulatedHost): void {
  for (const vm of vms.values()) {
    const vpcId = workload.networkOf.get(vm.id) ?? '';
    for (const goal of held?.vpcsOnDemand.includes(vpcId) === true ? held.goals(vpcId).values() : [])
      for (const ip of addressesOf(goal)) fabric.ping(vm, ip);
    vm.received.length = 0;
  }
}

function addressesOf(goal: Goal): string[] {
  return goal.kind === 'neighbor' ? goal.state.fixedIps.map(({ ipAddress }) => ipAddress) : [];
}
