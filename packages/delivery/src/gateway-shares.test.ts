import { goalKey } from '@alcor/contract';
import type { Delta } from '@alcor/compiler';
import { gatewayOf, type Node, type NodeId } from '@alcor/network';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GatewayShares } from './gateway-shares.ts';

const node = (n: number, revision: number, changes: Partial<Node>): Node => ({
  id: `host-${n}` as NodeId,
  name: '',
  ip: `172.16.0.${n}`,
  agentAddress: '',
  revision,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  ...changes,
});

/** What audiences hold after being told, by audience and goal. */
class Audiences {
  readonly held = new Map<string, string>();
  readonly told: Delta[] = [];
  readonly #revisions = new Map<string, number>();

  take(delta: Delta): void {
    this.told.push(delta);
    const place = `${delta.audience} ${goalKey(delta.goal)} ${delta.goal.kind === 'gateway' ? delta.goal.state.vpcId : ''}`;
    const { revisionNumber } = delta.goal.state;
    expect(revisionNumber).toBeGreaterThanOrEqual(this.#revisions.get(place) ?? 0);
    this.#revisions.set(place, revisionNumber);
    if (delta.removed) this.held.delete(place);
    else this.held.set(place, delta.goal.kind === 'gateway' ? (delta.goal.state.destinations[0]?.ipAddress ?? '') : '');
  }
}

const changes = fc.oneof(
  fc.record({ n: fc.nat(4), gateway: fc.boolean(), draining: fc.boolean() }),
  fc.record({ n: fc.nat(4), gone: fc.constant(true) }),
  fc.record({ n: fc.nat(4), ip: fc.constant('172.16.9.9') }),
  fc.record({ vpc: fc.nat(9), isOnDemand: fc.boolean() }),
);

it('whatever the history, each VPC on demand has the gateway that wants it most, and hosts are told no more than that', () => {
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 40, size: 'max' }), (history) => {
      const audiences = new Audiences();
      const shares = new GatewayShares((delta) => audiences.take(delta));
      const nodes = new Map<number, Node>();
      const vpcs = new Set<string>();
      let revision = 0;
      for (const change of history) {
        revision++;
        const before = new Map(audiences.held);
        const told = audiences.told.length;
        if ('vpc' in change) {
          const vpcId = `vpc-${change.vpc}`;
          if (change.isOnDemand) vpcs.add(vpcId);
          else vpcs.delete(vpcId);
          shares.setVpc(vpcId, change.isOnDemand, revision);
        } else if ('gone' in change) {
          nodes.delete(change.n);
          shares.setNode(`host-${change.n}` as NodeId, undefined, revision);
        } else {
          nodes.set(change.n, { ...(nodes.get(change.n) ?? node(change.n, 0, {})), ...change, revision });
          shares.setNode(`host-${change.n}` as NodeId, nodes.get(change.n), revision);
        }
        const gateways = [...nodes.values()].filter(({ gateway, draining }) => gateway === true && draining !== true);
        const wanted = new Map<string, string>();
        for (const vpcId of vpcs) {
          const best = gatewayOf(
            vpcId,
            gateways.map(({ id }) => id),
          );
          const held = gateways.find(({ id }) => id === best);
          if (held === undefined) continue;
          for (const audience of [`host/${held.id}`, `vpc/${vpcId}`])
            wanted.set(`${audience} gateway/${held.id} ${vpcId}`, held.ip);
        }
        expect(audiences.held).toEqual(wanted);
        const moved = [...new Set([...before.keys(), ...wanted.keys()])].filter(
          (place) => before.get(place) !== wanted.get(place),
        );
        expect(audiences.told.length - told).toBe(moved.length);
      }
    }),
    { numRuns: 200 },
  );
});

it('tells the new place before the old one is taken back, under revisions that do not go back', () => {
  const audiences = new Audiences();
  const shares = new GatewayShares((delta) => audiences.take(delta));
  shares.setVpc('vpc', true, 10);
  for (const n of [1, 2]) shares.setNode(`host-${n}` as NodeId, node(n, 5, { gateway: true }), 5);
  const first = [...audiences.held.keys()].map((place) => place.split(' ')[1]);
  const n = first.includes('gateway/host-1') ? 1 : 2;
  const before = audiences.told.length;
  shares.setNode(`host-${n}` as NodeId, node(n, 6, { gateway: true, draining: true }), 6);
  const told = audiences.told
    .slice(before)
    .map(({ goal, removed }) => [goal.state.id, removed, goal.state.revisionNumber]);
  const [old, other] = [`host-${n}`, `host-${3 - n}`];
  expect(told).toEqual([
    [other, false, 15],
    [other, false, 15],
    [old, true, 16],
    [old, true, 16],
  ]);
});
