import type { Vm } from '@alcor/agent';
import { type ChannelName, channelNames, type NetworkId } from '@alcor/network';
import { pick, type Random, type Schedule } from '@alcor/runtime';
import { type Region, workingPairs } from './invariants.ts';

const pingEveryMs = 10;
/** Long enough for hosts to change over. */
const changeMs = 2_500;
/** Until hosts have forgotten what only the channel before has named, and the topic is dropped. */
const forgottenMs = 70_000;

/**
 * With a region that has settled and without faults, lets the networks go from channel to channel, while somebody
 * changes things beside them and VMs ping each other every 10 ms. No ping may be lost; answers with those that were.
 */
export async function switchChannels(
  region: Region,
  schedule: Schedule,
  random: Random,
  say: (line: string) => void,
): Promise<string[]> {
  const { workload, fabric } = region;
  const pairs = workingPairs(region);
  const lost: string[] = [];
  const ping = ({ from, to }: { readonly from: Vm; readonly to: Vm }): void => {
    from.neighbours.clear();
    to.neighbours.clear();
    if (!fabric.ping(from, to.ips[0]!).ok) lost.push(`${schedule.now()}: ping from ${from.id} to ${to.id} was lost`);
    from.received.length = to.received.length = 0;
  };
  let until = schedule.now();
  const tick = (): void => {
    if (pairs.length > 0) ping(pick(random, pairs));
    if (random.next() < 0.02) say(workload.quietStep());
    if (schedule.now() < until) schedule.after(pingEveryMs, tick);
  };
  const pass = async (ms: number): Promise<void> => {
    until = schedule.now() + ms;
    schedule.after(0, tick);
    await schedule.run(ms);
  };
  const setAll = (networks: readonly NetworkId[], channel: ChannelName): void => {
    for (const id of networks) say(workload.override(id, channel));
  };
  const networks = [...workload.networks];
  let channel: ChannelName | undefined;
  for (let n = 0; n < 5; n++) {
    channel = pick(
      random,
      channelNames.filter((each) => each !== channel),
    );
    setAll(networks, channel);
    await pass(changeMs);
  }
  // Afterwards nobody changes channels any more; a look now and then is enough.
  for (let passed = 0; passed < forgottenMs; passed += 100) {
    await schedule.run(100);
    if (pairs.length > 0) ping(pick(random, pairs));
  }
  return lost;
}
