/** Gateway hosts on switches in memory: what reaches whom by flows alone, before anybody has answered a question. */
import { describe, expect, test } from 'vitest';
import type { Vm } from './drivers/fabric.ts';
import { icmpEcho } from './drivers/packet.ts';
import { hasGoneToGateway } from './gateway.ts';
import type { LocalPort, OnDemandVpc, Router } from './resources.ts';
import { fabricOf, neighborOf, never, port, rule, securityGroup, testHost, type TestHost } from './testing/region.ts';

const [A, B, G] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const;
const one = port('one', { mac: '02:00:00:00:00:01', ips: ['10.0.0.1', 'fd00::1'] });
const two = port('two', { mac: '02:00:00:00:00:02', ips: ['10.0.0.2', 'fd00::2'] });
const onDemand: OnDemandVpc = { id: 'vpc', vni: 100, gateway: G };

/** `one` on A and `two` on B, which know of nobody else; G is told of both. */
async function region(
  ports: readonly (readonly [host: string, port: LocalPort])[],
  vpcs: readonly OnDemandVpc[] = [onDemand],
) {
  const hosts = [await testHost(A), await testHost(B), await testHost(G)];
  const fabric = fabricOf(hosts);
  const vms: Vm[] = [];
  for (const [host, each] of ports) {
    for (const { ip, dataplane } of hosts) {
      if (ip === host) dataplane.setPort(each);
      else if (ip === G) dataplane.setNeighbor(neighborOf(each, host));
    }
    vms.push(fabric.addVm(host, { ...each, subnets: [] }));
  }
  for (const { ip, dataplane } of hosts)
    for (const vpc of vpcs) dataplane.setOnDemandVpc({ ...vpc, isWhole: ip === G });
  const flush = async (): Promise<void> => {
    for (const { dataplane } of hosts) await dataplane.reconcile(never);
  };
  await flush();
  return { hosts: hosts as [TestHost, TestHost, TestHost], fabric, vms: vms as [Vm, Vm, ...Vm[]], flush };
}

describe('a gateway host', () => {
  test.each(['10.0.0.2', 'fd00::2'])(
    'answers for %s and forwards a first ping and its answer, once each',
    async (ip) => {
      const { fabric, vms, hosts } = await region([[A, one], [B, two]]); // prettier-ignore
      const ping = fabric.ping(vms[0], ip);
      expect(ping).toMatchObject({
        ok: true,
        path: [`${A}:2`, `${A}:60000`, `${G}:60000`, `${G}:1`, `${B}:1`, `${B}:2`],
      });
      // Each side asks for the other: ARP or discovery waits beside, what was forwarded does not.
      for (const { given } of hosts.slice(0, 2)) {
        expect(given.map(({ table, context }) => [table, context.registers.reg14 ?? 0])).toEqual([
          ['services', 0],
          ['neighbour', 1],
        ]);
      }
      expect(hosts[2].given).toEqual([]);
    },
  );

  test('with ports of its own reaches and is reached', async () => {
    const { fabric, vms } = await region([[A, one], [G, two]]); // prettier-ignore
    expect(fabric.ping(vms[0], '10.0.0.2')).toMatchObject({
      ok: true,
      path: [`${A}:2`, `${A}:60000`, `${G}:60000`, `${G}:2`],
    });
    vms[1].neighbours.clear();
    expect(fabric.ping(vms[1], '10.0.0.1')).toMatchObject({ ok: true, path: [`${G}:2`, `${G}:1`, `${A}:1`, `${A}:2`] });
  });

  test('answers nothing and forwards nothing of whom it does not know, nor of a network that is not its own', async () => {
    const { fabric, vms, hosts } = await region([[A, one], [B, two]]); // prettier-ignore
    expect(fabric.ping(vms[0], '10.0.0.77')).toMatchObject({ ok: false, reason: 'nobody answers for 10.0.0.77' });
    hosts[2].dataplane.removeOnDemandVpc('vpc');
    await hosts[2].dataplane.flush(never);
    expect(fabric.ping(vms[0], '10.0.0.2').ok).toBe(false);
  });

  test('lets networks with equal addresses be apart', async () => {
    const [three, four] = [
      port('three', { ...one, id: 'three', vni: 200 }),
      port('four', { ...two, id: 'four', vni: 200 }),
    ];
    const vpcs = [onDemand, { id: 'other', vni: 200, gateway: G }];
    const { fabric, vms } = await region([[A, one], [B, two], [A, three], [B, four]], vpcs); // prettier-ignore
    for (const [from, to] of [
      [0, 1],
      [2, 3],
      [1, 0],
      [3, 2],
    ] as const) {
      // prettier-ignore
      expect(fabric.ping(vms[from]!, from % 2 === 0 ? '10.0.0.2' : '10.0.0.1').ok).toBe(true);
      for (const [n, vm] of vms.entries()) {
        if (n !== from && n !== to) expect(vm.received).toEqual([]);
        vm.received.length = 0;
      }
    }
  });

  test('does not forward what another gateway has forwarded, though each takes the other for the way', async () => {
    const { fabric, vms, hosts } = await region([[A, one]]); // prettier-ignore
    const [, b, g] = hosts;
    g.dataplane.setNeighbor(neighborOf(two, B));
    b.dataplane.setNeighbor(neighborOf(two, G));
    b.dataplane.setOnDemandVpc({ ...onDemand, gateway: B, isWhole: true });
    for (const { dataplane } of hosts) await dataplane.flush(never);
    const { hops, received } = fabric.send(
      vms[0],
      icmpEcho('request', { mac: vms[0].macNumber, ip: 0x0a000001 }, { mac: 0x020000000002, ip: 0x0a000002 }),
    );
    expect(received).toEqual([]);
    expect(hops.map(({ host, inPort }) => `${host}:${inPort}`)).toEqual([`${A}:2`, `${G}:60000`, `${B}:1`]);
  });

  test('finds the MAC of what is routed over IPv4', async () => {
    const far = port('far', { vni: 200, mac: '02:00:00:00:00:09', ips: ['10.0.9.9'], vpcId: 'far' });
    const { fabric, hosts, flush } = await region([[A, one], [B, far]], [onDemand, { id: 'far', vni: 200, gateway: G }]); // prettier-ignore
    for (const { dataplane } of hosts) dataplane.setRouter(router);
    await flush();
    const subnet = { cidr: '10.0.0.0/24', gateway: '10.0.0.254' };
    const [vm, to] = [
      fabric.addVm(A, { ...one, subnets: [subnet] }),
      fabric.addVm(B, { ...far, subnets: [{ cidr: '10.0.9.0/24', gateway: '10.0.9.254' }] }),
    ];
    const ping = fabric.ping(vm, '10.0.9.9');
    expect(ping).toMatchObject({
      ok: true,
      path: [`${A}:2`, `${A}:60000`, `${G}:60000`, `${G}:1`, `${B}:1`, `${B}:2`],
    });
    expect(to.received.at(0)).toMatchObject({ ip_ttl: 63, eth_dst: to.macNumber });
  });

  test('is not asked by members of a group that rules name: who gets their packets must have heard of them before', async () => {
    const group = securityGroup('g', [rule({ direction: 'egress' }), rule({ remoteGroupId: 'g' })]);
    const { fabric, vms, hosts, flush } = await region([[A, { ...one, securityGroupIds: ['g'] }], [B, two]]); // prettier-ignore
    for (const { dataplane } of hosts) dataplane.setSecurityGroup(group);
    await flush();
    expect(fabric.ping(vms[0], '10.0.0.2').ok).toBe(false);
    expect(hosts[0].given.map(({ table }) => table)).toEqual(['services', 'neighbour']);
    expect(hosts[0].given.some(hasGoneToGateway)).toBe(false);
    for (const { dataplane } of hosts)
      dataplane.setSecurityGroup(securityGroup('g', [rule({ direction: 'egress' }), rule()]));
    await flush();
    expect(fabric.ping(vms[0], '10.0.0.2').ok).toBe(true);
  });

  test('is done without where the bridge has no port for gateways', async () => {
    const host = await testHost(A, { gatewayPort: null });
    const { dataplane, given } = host;
    dataplane.setPort(one);
    dataplane.setOnDemandVpc(onDemand);
    const fabric = fabricOf([host]);
    const vm = fabric.addVm(A, one);
    await dataplane.reconcile(never);
    vm.neighbours.set('10.0.0.2', 0x020000000002);
    expect(fabric.ping(vm, '10.0.0.2').ok).toBe(false);
    expect(given.map(({ table, context }) => [table, context.registers.reg14])).toEqual([['neighbour', undefined]]);
  });
});

const router: Router = {
  id: 'router',
  adminStateUp: true,
  interfaces: [
    { vni: 100, mac: 'fa:16:3e:00:00:01', addresses: [{ ip: '10.0.0.254', subnetId: 's', cidr: '10.0.0.0/24' }] },
    { vni: 200, mac: 'fa:16:3e:00:00:02', addresses: [{ ip: '10.0.9.254', subnetId: 't', cidr: '10.0.9.0/24' }] },
  ],
  routes: [],
  revision: 1,
};
