import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Owner } from './owners.ts';
import type { Router } from './resources.ts';
import { leadsAnywhere } from './routing.ts';
import { RoutingIndex } from './routing-index.ts';

const vnis = [1, 2, 3, 4, 5, 6];

function router(id: string, networks: readonly number[], adminStateUp: boolean): Router {
  const addresses = [{ ip: '10.0.0.1', subnetId: 's', cidr: '10.0.0.0/24' }];
  const interfaces = networks.map((vni) => ({ vni, mac: '02:00:00:00:00:01', addresses }));
  return { id, adminStateUp, interfaces, routes: [], revision: 1 };
}

/** Joins networks until nothing changes: what the index must know, from nothing. */
function domains(routers: readonly Router[]): Map<number, number> {
  const found = new Map(vnis.map((vni) => [vni, vni]));
  for (let again = true; again;) {
    again = false;
    for (const { interfaces } of routers.filter(leadsAnywhere)) {
      const least = Math.min(...interfaces.map(({ vni }) => found.get(vni)!));
      for (const { vni } of interfaces) {
        again ||= found.get(vni) !== least;
        found.set(vni, least);
      }
    }
  }
  return found;
}

test('after any history it knows what is joined, and has named all whom a change concerned', () => {
  const change = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    networks: fc.option(fc.subarray(vnis, { maxLength: 3 })),
    up: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const index = new RoutingIndex();
      const routers = new Map<string, Router>();
      for (const vni of vnis) index.setHolder(`port ${vni}`, vni);
      for (const { id, networks, up } of changes) {
        const before = vnis.map((vni) => `${index.isRouted(vni)} ${index.domainOf(vni)}`);
        if (networks === null) routers.delete(id);
        else routers.set(id, router(id, networks, up));
        const concerned = networks === null ? index.removeRouter(id) : index.setRouter(routers.get(id)!);
        const present = [...routers.values()];
        const joined = domains(present);
        const wanted = new Set<Owner>();
        for (const [at, vni] of vnis.entries()) {
          const routed = present.some((each) => leadsAnywhere(each) && each.interfaces.some((on) => on.vni === vni));
          expect([vni, index.isRouted(vni), index.domainOf(vni)]).toEqual([vni, routed, joined.get(vni)]);
          if (before[at] !== `${routed} ${joined.get(vni)}`) wanted.add(`port ${vni}`);
        }
        expect([...concerned].sort()).toEqual([...wanted].sort());
      }
    }),
    { numRuns: 300 },
  );
});
