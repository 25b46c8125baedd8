import type { NetworkId } from '@alcor/network';
import type { Schedule } from '@alcor/runtime';
import type { SimulatedController } from './controller.ts';
import type { Region } from './invariants.ts';

/** Until controllers are there again, have taken over the work and have spoken to all hosts. */
const restartMs = 60_000;

/**
 * With a region that has settled and without faults, has all controllers start anew. Hosts hold what is meant, so they write nothing, and of
 * VPCs that the stream tells of they are told nothing; answers with what they were told and wrote. (A topic of the queue may say the same again
 * under a newer revision; what was learnt on demand may have gone unused for too long.)
 */
export async function restartControllers(
  { hosts, workload }: Region,
  controllers: readonly SimulatedController[],
  schedule: Schedule,
): Promise<string[]> {
  const channelOf = (id: NetworkId): string => workload.feed.get('channel', id)?.channel ?? 'grpc';
  const networks = workload.networks.filter((id) => channelOf(id) === 'grpc');
  const mayForget = workload.networks.some((id) => channelOf(id) === 'on-demand');
  const before = hosts.map(({ taken, written }) => ({ taken: new Map(taken), written }));
  for (const controller of controllers) controller.crash();
  await schedule.run(restartMs);
  return hosts.flatMap(({ node, taken, written }, n) => {
    const then = before[n]!;
    const told = networks.filter((id) => taken.get(id) !== then.taken.get(id));
    return [
      ...told.map((id) => `${node.id} was told of ${id}, which it held as it is`),
      ...(mayForget || written === then.written ? [] : [`${node.id} wrote ${written - then.written} flows`]),
    ];
  });
}
