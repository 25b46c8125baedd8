import { mac, ipv4 } from '@alcor/openflow';
import { expect, test } from 'vitest';
import type { Vm } from './drivers/fabric.ts';
import { arpRequest, icmpEcho } from './drivers/packet.ts';
import { fabricOf, neighborOf, never, port, testHost } from './testing/region.ts';
import type { ProviderNetwork } from './resources.ts';

const wires = { physnet1: 50_000 };
const at = (vlan: number | null) => ({ physicalNetwork: 'physnet1', vlan });
const network = (vni: number, vlan: number | null): ProviderNetwork => ({ id: `net ${vni}`, vni, ...at(vlan) });
const machine = { mac: '02:00:00:00:00:99', ips: ['10.0.0.99', 'fd00::99'] };

/** A port on each of two hosts in each of these networks, all with the same addresses, and a machine outside in each. */
async function region(networks: readonly ProviderNetwork[]) {
  const hosts = [await testHost('192.0.2.1', { wires }), await testHost('192.0.2.2', { wires })];
  const fabric = fabricOf(hosts);
  const vms: Vm[] = [];
  const outside: Vm[] = [];
  for (const each of networks) {
    const ports = hosts.map((_, n) =>
      port(`${each.vni} ${n}`, {
        vni: each.vni,
        mac: `02:00:00:00:00:0${n + 1}`,
        ips: [`10.0.0.${n + 1}`, `fd00::${n + 1}`],
      }),
    );
    for (const [n, { dataplane, ip }] of hosts.entries()) {
      dataplane.setProviderNetwork(each);
      dataplane.setPort(ports[n]!);
      dataplane.setNeighbor(neighborOf(ports[1 - n]!, hosts[1 - n]!.ip));
      vms.push(fabric.addVm(ip, ports[n]!));
    }
    outside.push(fabric.addOutside(at(each.vlan), { id: `out ${each.vni}`, ...machine }));
  }
  for (const { dataplane } of hosts) await dataplane.reconcile(never);
  return { hosts, fabric, vms, outside };
}

test('ports of two hosts, and machines that are none, speak by the wire under the tag of their network, and by no tunnel', async () => {
  const { hosts, fabric, vms, outside } = await region([network(5, 101), network(6, 102), network(7, null)]);
  for (const [n, machineOf] of outside.entries()) {
    const [one, two] = [vms[2 * n]!, vms[2 * n + 1]!];
    for (const [from, to] of [
      [one, two],
      [two, one],
      [one, machineOf],
      [machineOf, two],
    ] as const) {
      for (const each of [...vms, ...outside]) each.received.length = 0;
      for (const ip of to.ips) expect(fabric.ping(from, ip)).toMatchObject({ ok: true, reason: '' });
      const strangers = [...vms, ...outside].filter((each) => ![one, two, machineOf].includes(each));
      expect(strangers.flatMap(({ received }) => received)).toEqual([]);
    }
  }
  const tunnels = hosts.flatMap(({ memory }) => memory.entries().filter(({ flow }) => flow.table === 75));
  expect(tunnels.map(({ packets }) => packets)).toEqual([0, 0]);
});

test('what no port here has goes to the wire once, and what is for another from there ends at this host', async () => {
  const { hosts, fabric, vms, outside } = await region([network(5, 101)]);
  const near = port('near', { vni: 5, mac: '02:00:00:00:00:07', ips: ['10.0.0.7'] });
  hosts[0]!.dataplane.setPort(near);
  fabric.addVm(hosts[0]!.ip, near);
  await hosts[0]!.dataplane.flush(never);
  const sent = fabric.send(vms[0]!, arpRequest({ mac: mac(vms[0]!.mac), ip: ipv4('10.0.0.1') }, ipv4('10.0.0.77')));
  expect(sent.received.map(({ vm }) => vm.id).sort()).toEqual(['5 1', 'near', 'out 5']);
  expect(sent.received.filter(({ packet }) => packet.vlan_vid !== undefined)).toEqual([]);
  const stranger = { mac: 0x02_00_00_00_00_55, ip: ipv4('10.0.0.55') };
  const { hops, received } = fabric.send(outside[0]!, icmpEcho('request', { mac: mac(machine.mac), ip: 1 }, stranger));
  expect([hops.length, hops.flatMap(({ walk }) => walk.outputs), received]).toEqual([2, [], []]);
});

test('a host without a bridge to the physical network says so of its ports', async () => {
  const host = await testHost('192.0.2.1');
  host.memory.plug('p');
  host.dataplane.setProviderNetwork(network(5, 101));
  host.dataplane.setPort(port('p', { vni: 5 }));
  const outcomes = await host.dataplane.flush(never);
  expect(outcomes.find(({ resourceId }) => resourceId === 'p')).toMatchObject({
    status: 'failed',
    reason: 'this host has no bridge for the physical network physnet1',
  });
});
