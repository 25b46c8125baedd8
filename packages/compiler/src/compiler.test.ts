import type { Change } from '@alcor/network';
import { describe, expect, it } from 'vitest';
import { Compiler } from './compiler.ts';
import type { Delta } from './delta.ts';
import {
  addressGroup,
  addressGroupId,
  floatingIp,
  gone,
  group,
  network,
  node,
  nodeId,
  port,
  portId,
  put,
  qosPolicy,
  router,
  rule,
} from './testing/rows.ts';

function compilerOf(...changes: readonly Change[]): Compiler {
  const compiler = new Compiler();
  for (const change of changes) compiler.apply(change);
  return compiler;
}

/** `audience kind` of what is put, `audience -kind` of what is removed, and how many rows were read for it. */
function effect(compiler: Compiler, change: Change): { readonly told: readonly string[]; readonly rowsRead: number } {
  const before = compiler.counters.rowsRead;
  const told = compiler.apply(change).map(nameOf);
  return { told, rowsRead: compiler.counters.rowsRead - before };
}

const nameOf = ({ audience, goal, removed }: Delta): string => `${audience} ${removed ? '-' : ''}${goal.kind}`;

/** A VPC of so many ports, all in the groups 1 and 2, on four hosts. */
function largeVpc(ports: number): Compiler {
  const compiler = compilerOf(
    put('network', network(0, 1)),
    put('security-group', group(1, 1, [rule(1)])),
    put('security-group', group(2, 1, [rule(2)])),
    ...[0, 1, 2, 3].map((n) => put('node', node(n, 1))),
  );
  const one = port(0, 1, { network: 0, host: 0, groups: [1, 2] });
  for (let n = 0; n < ports; n++) compiler.apply(put('port', { ...one, id: portId(n), hostId: nodeId(n % 4) }));
  return compiler;
}

describe('what a change costs', () => {
  it('tells one host and one VPC of a new port, however many ports the VPC has and whatever groups it is in', () => {
    const compiler = largeVpc(20_000);
    expect(effect(compiler, put('port', port(30_000, 1, { network: 0, host: 1, groups: [1, 2] })))).toEqual({
      told: ['host/host1 port', 'vpc/net0 neighbor'],
      rowsRead: 1,
    });
    expect(compiler.sizeOf('net0')).toEqual({ ports: 20_001, largestGroup: 20_001 });
  });

  it('tells the same of a port that joins a group of 100,000', () => {
    const compiler = largeVpc(100_000);
    compiler.apply(put('port', port(200_000, 1, { network: 0, host: 1, groups: [2] })));
    expect(effect(compiler, put('port', port(200_000, 2, { network: 0, host: 1, groups: [1, 2] })))).toEqual({
      told: ['host/host1 port', 'vpc/net0 neighbor'],
      rowsRead: 1,
    });
  });

  it('tells of a change of rules once in each VPC that uses the group', () => {
    const compiler = largeVpc(1_000);
    for (let n = 1; n <= 5; n++) {
      compiler.apply(put('network', network(n, 1)));
      compiler.apply(put('port', port(2_000 + n, 1, { network: n, host: 1, groups: n <= 2 ? [1] : [2] })));
    }
    expect(effect(compiler, put('security-group', group(1, 2, [rule(1), rule(3)])))).toEqual({
      told: ['vpc/net0 security-group', 'vpc/net1 security-group', 'vpc/net2 security-group'],
      rowsRead: 1,
    });
  });

  it('tells of addresses once in each VPC in which a group that is used names them', () => {
    const names = rule(1, { remoteAddressGroupId: addressGroupId(1) });
    const compiler = largeVpc(100);
    compiler.apply(put('address-group', addressGroup(1, 1)));
    expect(effect(compiler, put('security-group', group(1, 2, [names]))).told).toEqual([
      'vpc/net0 address-group',
      'vpc/net0 security-group',
    ]);
    expect(effect(compiler, put('address-group', addressGroup(1, 2, ['192.0.2.0/24'])))).toEqual({
      told: ['vpc/net0 address-group'],
      rowsRead: 1,
    });
    expect(effect(compiler, put('security-group', group(2, 2, [names]))).told).toEqual(['vpc/net0 security-group']);
    expect(effect(compiler, put('security-group', group(1, 3, []))).told).toEqual(['vpc/net0 security-group']);
    expect(effect(compiler, put('security-group', group(2, 3, []))).told).toEqual([
      'vpc/net0 security-group',
      'vpc/net0 -address-group',
    ]);
  });

  it('tells each VPC once of a change of a policy, however many ports have it', () => {
    const compiler = largeVpc(1_000);
    compiler.apply(put('qos-policy', qosPolicy(1, 1)));
    const place = { network: 0, host: 1, policy: 1 };
    expect(effect(compiler, put('port', port(2_000, 1, place))).told).toEqual([
      'vpc/net0 qos-policy',
      'host/host1 port',
      'vpc/net0 neighbor',
    ]);
    for (let n = 2_001; n < 3_000; n++) compiler.apply(put('port', port(n, 1, place)));
    expect(effect(compiler, put('qos-policy', qosPolicy(1, 2, 500)))).toEqual({
      told: ['vpc/net0 qos-policy'],
      rowsRead: 1,
    });
    expect(effect(compiler, put('network', network(0, 2, true, 1))).told).toEqual(['vpc/net0 vpc']);
    for (let n = 2_000; n < 3_000; n++) compiler.apply(put('port', port(n, 2, { ...place, policy: null })));
    expect(effect(compiler, put('network', network(0, 3))).told).toEqual(['vpc/net0 vpc', 'vpc/net0 -qos-policy']);
  });

  it('tells of a policy who has it on an external network, and who has none of his own there', () => {
    const compiler = compilerOf(
      put('network', network(0, 1, true, 1, 'physnet')),
      put('network', network(4, 1)),
      put('node', node(1, 1, 1, { gateway: true, bridgeMappings: { physnet: 'br-ex' } })),
      put('qos-policy', qosPolicy(1, 1)),
      put('qos-policy', qosPolicy(2, 1)),
      put('router', router(1, 1, { networks: [4], external: 0 })),
      put('floating-ip', floatingIp(1, 1, { router: 1, forwards: [1] })),
      put('floating-ip', floatingIp(2, 1, { router: 1, forwards: [2], policy: 2 })),
    );
    const own = ['vpc/net0 qos-policy', 'vpc/net4 router', 'host/host1 router', 'host/host1 floating-ip'];
    expect(effect(compiler, put('qos-policy', qosPolicy(1, 2, 500))).told).toEqual(own);
    expect(effect(compiler, put('qos-policy', qosPolicy(2, 2, 50))).told).toEqual(['host/host1 floating-ip']);
    const others = put('router', router(1, 2, { networks: [4], external: 0, policy: 2 }));
    expect(effect(compiler, others).told).toEqual(['vpc/net4 router', 'host/host1 router']);
    expect(effect(compiler, put('qos-policy', qosPolicy(2, 3, 5))).told).toEqual([
      'vpc/net4 router',
      'host/host1 router',
      'host/host1 floating-ip',
    ]);
    expect(effect(compiler, put('network', network(0, 2, true, null, 'physnet'))).told).toEqual([
      'vpc/net0 vpc',
      'host/host1 floating-ip',
      'vpc/net0 -qos-policy',
    ]);
  });

  it('looks at gateway hosts for a router that leads out, and at no other host', () => {
    const compiler = compilerOf(
      put('network', network(0, 1)),
      put('network', network(5, 1, true, null, 'physnet')),
      ...Array.from({ length: 1_000 }, (_, n) => put('node', node(n, 1))),
      put('node', node(1_000, 1, 1_000, { gateway: true, bridgeMappings: { physnet: 'br-ex' } })),
    );
    const { told, rowsRead } = effect(compiler, put('router', router(1, 1, { networks: [0], external: 5 })));
    expect(told).toEqual(['vpc/net0 router', 'host/host1000 router']);
    expect(rowsRead).toBeLessThan(5);
  });

  it('tells the networks of a router when it is attached to one more, and no other', () => {
    const compiler = largeVpc(1_000);
    for (let n = 1; n <= 5; n++) compiler.apply(put('network', network(n, 1)));
    expect(effect(compiler, put('router', router(1, 1, { networks: [0] }))).told).toEqual(['vpc/net0 router']);
    expect(effect(compiler, put('router', router(1, 2, { networks: [0, 1] })))).toEqual({
      told: ['vpc/net0 router', 'vpc/net1 router'],
      rowsRead: 2,
    });
    expect(effect(compiler, put('router', router(1, 3, { networks: [1] }))).told).toEqual([
      'vpc/net1 router',
      'vpc/net0 -router',
    ]);
    expect(effect(compiler, put('router', router(1, 4, { networks: [1], external: 5 }))).told).toEqual([
      'vpc/net1 router',
    ]);
    expect(effect(compiler, gone('router', 'router1', 5)).told).toEqual(['vpc/net1 -router']);
  });

  it('tells a VPC of a group with its first port, and takes it away with the last', () => {
    const compiler = compilerOf(
      put('node', node(1, 1)),
      put('security-group', group(1, 7, [rule(1, { remoteAddressGroupId: addressGroupId(1) })])),
      put('address-group', addressGroup(1, 3)),
    );
    const place = { network: 0, host: 1, groups: [1] };
    expect(effect(compiler, put('port', port(1, 1, place))).told).toEqual([
      'host/host1 port',
      'vpc/net0 neighbor',
      'vpc/net0 address-group',
      'vpc/net0 security-group',
    ]);
    compiler.apply(put('port', port(2, 1, place)));
    expect(effect(compiler, gone('port', 'port1', 2)).told).toEqual(['host/host1 -port', 'vpc/net0 -neighbor']);
    expect(effect(compiler, put('port', port(2, 2, { ...place, host: null }))).told).toEqual([
      'host/host1 -port',
      'vpc/net0 -neighbor',
      'vpc/net0 -security-group',
      'vpc/net0 -address-group',
    ]);
    expect(compiler.sizeOf('net0')).toEqual({ ports: 0, largestGroup: 0 });
  });

  it('does not tell the VPC that a port was renamed', () => {
    const place = { network: 0, host: 1, groups: [1] };
    const compiler = compilerOf(
      put('network', network(0, 1)),
      put('security-group', group(1, 1)),
      put('node', node(1, 1)),
      put('port', port(1, 1, place)),
    );
    expect(effect(compiler, put('port', port(1, 2, { ...place, name: 'new name' }))).told).toEqual(['host/host1 port']);
  });
});

it('tells the new place before it clears the old one when a port moves', () => {
  const place = { network: 0, groups: [1] };
  const compiler = compilerOf(
    put('network', network(0, 1)),
    put('security-group', group(1, 1)),
    put('node', node(1, 1)),
    put('node', node(2, 1)),
    put('port', port(1, 1, { ...place, host: 1 })),
  );
  expect(effect(compiler, put('port', port(1, 2, { ...place, host: 2 }))).told).toEqual([
    'host/host2 port',
    'vpc/net0 neighbor',
    'host/host1 -port',
  ]);
});
