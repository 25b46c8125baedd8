import { type Goal, goalKey } from '@alcor/contract';
import type { Change, Network, Node, Port, Subnet } from '@alcor/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Compiler } from './compiler.ts';
import type { Audience } from './goals.ts';
import { recompute } from './recompute.ts';

const at = new Date(0);
const common = { projectId: 'p', name: '', description: '', createdAt: at, updatedAt: at };
const pad = (n: number): string => n.toString(16).padStart(2, '0');

function network(n: number, revision: number, adminStateUp = true): Network {
  return {
    ...common,
    id: `net${n}`,
    revision,
    adminStateUp,
    shared: false,
    mtu: 1450,
    vni: n + 1,
    portSecurityEnabled: true,
  } as Network;
}

function subnet(n: number, revision: number): Subnet {
  return {
    ...common,
    id: `sub${n}`,
    revision,
    networkId: `net${n}`,
    ipVersion: 4,
    cidr: '10.0.0.0/8',
    gatewayIp: '10.0.0.1',
    enableDhcp: true,
    allocationPools: [],
    dnsNameservers: [],
    hostRoutes: [],
  } as unknown as Subnet;
}

function port(n: number, revision: number, networkN: number, host: number | null, name = ''): Port {
  return {
    ...common,
    id: `port${n}`,
    revision,
    name,
    networkId: `net${networkN}`,
    adminStateUp: true,
    mac: `fa:16:3e:00:00:${pad(n)}`,
    fixedIps: [{ subnetId: `sub${networkN}`, ip: `10.0.0.${n + 2}` }],
    hostId: host === null ? null : `host${host}`,
    deviceId: '',
    deviceOwner: '',
    portSecurityEnabled: true,
  } as unknown as Port;
}

function node(n: number, revision: number, ip = n): Node {
  return {
    id: `host${n}`,
    name: `host${n}`,
    ip: `172.16.0.${ip}`,
    agentAddress: `h${n}`,
    revision,
    createdAt: at,
    updatedAt: at,
  } as Node;
}

type Row = Network | Subnet | Port | Node;
const put = (kind: Change['kind'], row: Row): Change => ({ kind, id: row.id, revision: row.revision, row }) as Change;
const gone = (kind: Change['kind'], id: string, revision: number): Change =>
  ({ kind, id, revision, row: null }) as unknown as Change;

/** What audiences know after they were told everything. */
class Told {
  readonly goals = new Map<Audience, Map<string, Goal>>();
  take(compiler: Compiler, change: Change): number {
    const deltas = compiler.apply(change);
    for (const { audience, goal, removed } of deltas) {
      const keyed = this.goals.get(audience) ?? new Map<string, Goal>();
      if (removed) keyed.delete(goalKey(goal));
      else keyed.set(goalKey(goal), goal);
      if (keyed.size === 0) this.goals.delete(audience);
      else this.goals.set(audience, keyed);
    }
    return deltas.length;
  }
}

/** A neighbour whose port was renamed keeps its old revision, so revisions are left out of the comparison. */
function plain(goals: ReadonlyMap<Audience, ReadonlyMap<string, Goal>>): unknown {
  return [...goals]
    .map(([audience, keyed]) => [
      audience,
      [...keyed].map(([key, goal]) => [key, { ...goal.state, revisionNumber: 0 }]).sort(),
    ])
    .sort();
}

const small = fc.nat(3);
const step = fc.oneof(
  fc.record({ do: fc.constant('network' as const), n: fc.nat(2), up: fc.boolean() }),
  fc.record({ do: fc.constant('subnet' as const), n: fc.nat(2) }),
  fc.record({
    do: fc.constant('port' as const),
    n: fc.nat(9),
    net: fc.nat(2),
    host: fc.option(small),
    name: fc.constantFrom('a', 'b'),
  }),
  fc.record({ do: fc.constant('node' as const), n: small, ip: fc.nat(9) }),
  fc.record({
    do: fc.constant('delete' as const),
    kind: fc.constantFrom('network', 'subnet', 'port', 'node'),
    n: fc.nat(9),
  }),
  fc.record({ do: fc.constant('repeat' as const), n: fc.nat(50) }),
);

describe('compiling intent into goals', () => {
  it('gives the same by increments as from nothing, for any history in any order, with repeats', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const compiler = new Compiler();
        const told = new Told();
        const rows = new Map<string, { kind: Change['kind']; row: Row }>();
        const history: Change[] = [];
        const prefix = { network: 'net', subnet: 'sub', port: 'port', node: 'host' };
        let revision = 0;
        for (const s of steps) {
          revision++;
          let change: Change | undefined;
          if (s.do === 'network') change = put('network', network(s.n, revision, s.up));
          else if (s.do === 'subnet') change = put('subnet', subnet(s.n, revision));
          else if (s.do === 'port') change = put('port', port(s.n, revision, s.net, s.host, s.name));
          else if (s.do === 'node') change = put('node', node(s.n, revision, s.ip));
          else if (s.do === 'delete') {
            const kind = s.kind as keyof typeof prefix;
            if (rows.has(`${prefix[kind]}${s.n}`)) change = gone(kind, `${prefix[kind]}${s.n}`, revision);
          } else {
            const old = history[s.n];
            if (old !== undefined && rows.has(old.id)) told.take(compiler, old);
          }
          if (change === undefined) continue;
          history.push(change);
          told.take(compiler, change);
          if (change.row === null) rows.delete(change.id);
          else rows.set(change.id, { kind: change.kind, row: change.row as Row });
        }
        const of = <T extends Row>(kind: Change['kind']): T[] =>
          [...rows.values()].filter((r) => r.kind === kind).map((r) => r.row as T);
        const intent = {
          networks: of<Network>('network'),
          subnets: of<Subnet>('subnet'),
          ports: of<Port>('port'),
          nodes: of<Node>('node'),
        };
        expect(plain(told.goals)).toEqual(plain(recompute(intent)));
        expect(plain(recompute(compiler.intent))).toEqual(plain(recompute(intent)));
      }),
      { numRuns: 500 },
    );
  });

  it('tells one host and one VPC of a new port, however many ports the VPC has', () => {
    const compiler = new Compiler();
    compiler.apply(put('network', network(0, 1)));
    for (let n = 0; n < 4; n++) compiler.apply(put('node', node(n, 1)));
    for (let n = 0; n < 20_000; n++) compiler.apply(put('port', port(n, 1, 0, n % 4)));
    const before = { ...compiler.counters };
    const deltas = compiler.apply(put('port', port(30_000, 1, 0, 1)));
    expect(deltas.map((delta) => [delta.audience, delta.goal.kind])).toEqual([
      ['host/host1', 'port'],
      ['vpc/net0', 'neighbor'],
    ]);
    expect(compiler.counters.rowsRead - before.rowsRead).toBe(1);
  });

  it('tells the new place before it clears the old one when a port moves', () => {
    const compiler = new Compiler();
    for (const change of [
      put('network', network(0, 1)),
      put('node', node(1, 1)),
      put('node', node(2, 1)),
      put('port', port(1, 1, 0, 1)),
    ])
      compiler.apply(change);
    const deltas = compiler.apply(put('port', port(1, 2, 0, 2)));
    expect(deltas.map((d) => `${d.audience} ${d.goal.kind} ${d.removed}`)).toEqual([
      'host/host2 port false',
      'vpc/net0 neighbor false',
      'host/host1 port true',
    ]);
  });

  it('does not tell the VPC that a port was renamed', () => {
    const compiler = new Compiler();
    for (const change of [put('network', network(0, 1)), put('node', node(1, 1)), put('port', port(1, 1, 0, 1))])
      compiler.apply(change);
    expect(compiler.apply(put('port', port(1, 2, 0, 1, 'new name'))).map((d) => d.audience)).toEqual(['host/host1']);
  });

  it('finds what went while nobody looked', () => {
    const compiler = new Compiler();
    const told = new Told();
    for (const change of [
      put('network', network(0, 1)),
      put('node', node(1, 1)),
      put('port', port(1, 1, 0, 1)),
      put('port', port(2, 1, 0, 1)),
    ])
      told.take(compiler, change);
    const missing = compiler.missing(new Set(['network/net0', 'node/host1', 'port/port2']));
    expect(missing.map((change) => change.id)).toEqual(['port1']);
    for (const change of missing) told.take(compiler, change);
    expect(plain(told.goals)).toEqual(plain(recompute(compiler.intent)));
  });
});
