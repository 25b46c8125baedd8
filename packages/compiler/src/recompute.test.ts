import type { Change, GroupRule, NetworkId, Port } from '@alcor/network';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Compiler } from './compiler.ts';
import { type Intent, recompute } from './recompute.ts';
import {
  acl,
  aclRule,
  addressGroup,
  addressGroupId,
  floatingIp,
  gone,
  group,
  groupId,
  network,
  networkId,
  node,
  port,
  put,
  qosPolicy,
  router,
  rule,
  subnet,
} from './testing/rows.ts';
import { plain, Told } from './testing/told.ts';
import type { VpcSize } from './vpc-sizes.ts';

/** Makes a change of one resource, of this revision. */
type Make = (revision: number) => Change;

const n = fc.nat(2);
const some = fc.uniqueArray(n, { maxLength: 3 });

const rules: fc.Arbitrary<readonly GroupRule[]> = fc
  .array(fc.record({ addresses: fc.option(n), remote: fc.option(n), ports: fc.boolean() }), { maxLength: 3 })
  .map((drawn) =>
    drawn.map(({ addresses, remote, ports }, index) =>
      rule(index, {
        remoteAddressGroupId: addresses === null ? null : addressGroupId(addresses),
        remoteGroupId: remote === null ? null : groupId(remote),
        ...(ports ? { protocol: 'tcp', portRangeMin: 80, portRangeMax: 80 } : {}),
      }),
    ),
  );

const placement = fc.record({
  network: n,
  host: fc.option(fc.nat(3)),
  groups: some,
  policy: fc.option(n),
  localIps: some,
  name: fc.constantFrom('a', 'b'),
});

const write: fc.Arbitrary<Make> = fc.oneof(
  fc.tuple(n, fc.boolean(), fc.option(n), fc.constantFrom(null, 'physnet0', 'physnet1')).map(
    ([id, up, named, physical]): Make =>
      (revision) =>
        put('network', network(id, revision, up, named, physical)),
  ),
  fc.tuple(n, fc.option(n), fc.option(fc.nat(9)), some, fc.option(n)).map(
    ([id, on, to, forwards, policy]): Make =>
      (revision) =>
        put('floating-ip', floatingIp(id, revision, { router: on, port: to, forwards, policy })),
  ),
  fc.tuple(n, fc.nat(2)).map(
    ([id, maxKbps]): Make =>
      (revision) =>
        put('qos-policy', qosPolicy(id, revision, maxKbps)),
  ),
  n.map(
    (id): Make =>
      (revision) =>
        put('subnet', subnet(id, revision)),
  ),
  fc.tuple(fc.nat(9), placement).map(
    ([id, at]): Make =>
      (revision) =>
        put('port', port(id, revision, at)),
  ),
  fc
    .tuple(fc.nat(3), fc.nat(9), fc.boolean(), fc.boolean(), some)
    .map(([id, ip, gateway, lost, reached]): Make => (revision) => {
      const bridgeMappings = Object.fromEntries(reached.map((each) => [`physnet${each}`, 'br-ex']));
      return put('node', node(id, revision, ip, { gateway, lost, bridgeMappings }));
    }),
  fc.tuple(n, rules).map(
    ([id, drawn]): Make =>
      (revision) =>
        put('security-group', group(id, revision, drawn)),
  ),
  fc.tuple(n, fc.constantFrom('192.0.2.0/24', '198.51.100.0/24')).map(
    ([id, cidr]): Make =>
      (revision) =>
        put('address-group', addressGroup(id, revision, [cidr])),
  ),
  fc.tuple(n, some, fc.uniqueArray(fc.nat(3), { maxLength: 3 })).map(
    ([id, subnets, drawn]): Make =>
      (revision) =>
        put(
          'network-acl',
          acl(
            id,
            revision,
            subnets,
            drawn.map((each) => aclRule(each)),
          ),
        ),
  ),
  fc.tuple(n, some, fc.boolean(), fc.option(n), fc.option(n)).map(
    ([id, networks, routed, external, policy]): Make =>
      (revision) =>
        put(
          'router',
          router(id, revision, {
            networks,
            ...(external === null ? {} : { external }),
            policy,
            routes: routed ? [{ destination: '10.9.0.0/16', nexthop: '10.0.0.9' }] : [],
          }),
        ),
  ),
);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), make: write }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look away' as const), which: fc.nat() }) },
);

/** The rows as a reader of the feed that forgets nothing would know them, and what the compiler told on the way. */
class History {
  readonly compiler = new Compiler();
  readonly told = new Told();
  readonly rows = new Map<string, Change>();
  readonly #changes: Change[] = [];
  #revision = 0;

  write(make: Make): void {
    this.#take(make(++this.#revision));
  }

  delete(which: number): void {
    const row = this.#pick([...this.rows.values()], which);
    if (row !== undefined) this.#take(gone(row.kind, row.id, ++this.#revision));
  }

  /** A change that has been seen comes once more. */
  repeat(which: number): void {
    const change = this.#pick(this.#changes, which);
    if (change !== undefined && this.rows.has(keyOf(change))) this.told.take(this.compiler, change);
  }

  /** Some rows go while nobody looks; a snapshot tells which are there. */
  lookAway(which: number): void {
    [...this.rows.keys()].forEach((key, index) => {
      if ((which >> (index % 20)) % 2 === 1) this.rows.delete(key);
    });
    this.#revision++;
    for (const change of this.compiler.missing(new Set(this.rows.keys()))) this.told.take(this.compiler, change);
  }

  get intent(): Intent {
    const of = <K extends Change['kind']>(kind: K): NonNullable<Extract<Change, { kind: K }>['row']>[] =>
      [...this.rows.values()].filter((change) => change.kind === kind).map(({ row }) => row as never);
    return {
      networks: of('network'),
      subnets: of('subnet'),
      ports: of('port'),
      nodes: of('node'),
      routers: of('router'),
      securityGroups: of('security-group'),
      addressGroups: of('address-group'),
      networkAcls: of('network-acl'),
      qosPolicies: of('qos-policy'),
      floatingIps: of('floating-ip'),
    };
  }

  #take(change: Change): void {
    this.#changes.push(change);
    this.told.take(this.compiler, change);
    if (change.row === null) this.rows.delete(keyOf(change));
    else this.rows.set(keyOf(change), change);
  }

  #pick<T>(from: readonly T[], which: number): T | undefined {
    return from[which % Math.max(from.length, 1)];
  }
}

const keyOf = ({ kind, id }: Change): string => `${kind}/${id}`;

function play(steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[]): History {
  const history = new History();
  for (const each of steps) {
    if (each.do === 'write') history.write(each.make);
    else if (each.do === 'delete') history.delete(each.which);
    else if (each.do === 'repeat') history.repeat(each.which);
    else history.lookAway(each.which);
  }
  return history;
}

function sizeOf(ports: Iterable<Port>, vpcId: NetworkId): VpcSize {
  const bound = [...ports].filter((each) => each.networkId === vpcId && each.hostId !== null);
  const sizes = [0, 1, 2].map((id) => bound.filter((each) => each.securityGroupIds.includes(groupId(id))).length);
  return { ports: bound.length, largestGroup: Math.max(...sizes) };
}

it('gives the same by increments as from nothing, for any history: repeats, missing rows, rows that went unseen', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
      const { compiler, told, intent } = play(steps);
      expect(plain(told.goals)).toEqual(plain(recompute(intent)));
      expect(plain(recompute(compiler.intent))).toEqual(plain(recompute(intent)));
    }),
    { numRuns: 1_000 },
  );
});

it('knows how large VPCs are after any history', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
      const { compiler, intent } = play(steps);
      const ports = [...intent.ports];
      for (const id of [0, 1, 2].map(networkId)) expect(compiler.sizeOf(id)).toEqual(sizeOf(ports, id));
    }),
    { numRuns: 500 },
  );
});

it('tells groups to the VPCs that use them, whichever comes first', () => {
  const rows: Change[] = [
    put('node', node(1, 1)),
    put('security-group', group(1, 1, [rule(1, { remoteAddressGroupId: addressGroupId(1) })])),
    put('address-group', addressGroup(1, 1, ['192.0.2.0/24'])),
    put('port', port(1, 1, { network: 1, host: 1, groups: [1] })),
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (order) => {
      const compiler = new Compiler();
      const told = new Told();
      for (const change of order) told.take(compiler, change);
      expect([...(told.goals.get('vpc/net1')?.keys() ?? [])].sort()).toEqual([
        'address-group/addresses1',
        'neighbor/port1',
        'security-group/group1',
      ]);
    }),
  );
});
