/** Ports that are reached by the interface of another one, under a tag. */
import type { Port } from '@alcor/network';
import { pick, type Random } from '@alcor/runtime';
import { chance } from './random-plan.ts';

/** The first and the last one that there are, and some between. */
export const TAGS = [1, 2, 100, 4094];

/** Some of the ports hang on others from now on, on whose hosts they are then. Who has sub-ports is none. */
export function withTrunks(random: Random, ports: readonly Port[]): Port[] {
  const hung = [...ports];
  const parents = ports.filter(({ hostId }) => hostId !== null && chance(random, 0.15));
  for (const [at, port] of hung.entries()) {
    if (parents.length === 0 || parents.some(({ id }) => id === port.id) || !chance(random, 0.3)) continue;
    const { id: parentId, hostId } = pick(random, parents);
    const taken = hung.flatMap(({ trunk }) => (trunk?.parentId === parentId ? [trunk.vlan] : []));
    const free = TAGS.filter((vlan) => !taken.includes(vlan));
    if (free.length > 0) hung[at] = { ...port, hostId, trunk: { parentId, vlan: pick(random, free) } };
  }
  return hung;
}
