import { realRuntime } from '@alcor/runtime';
import { mac, ipv4, ipv6 } from '@alcor/openflow';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cookieText, RESOURCE_MASK, resourceCookie } from './cookie.ts';
import { broadcastFlows } from './broadcast.ts';
import { Dataplane } from './dataplane.ts';
import { MemorySwitch } from './drivers/memory.ts';
import * as packets from './drivers/packet.ts';
import { keys, named } from './drivers/switch.contract.ts';
import { walkText } from './drivers/walk.ts';
import { hostFlows, neighborFlows, portFlows } from './program.ts';
import type { LocalPort, Neighbor, ResourceOutcome } from './resources.ts';
import type { FlowChange } from './switch.ts';
import { missingOpenVswitch, OpenVswitch } from './testing/open-vswitch.ts';
import { boot, insideNamespace, vmNamespace } from './testing/virtual-machines.ts';
import { neighborOf, never, port, startedOn } from './testing/region.ts';
import { finalFields, finalFlow, flowsTraced, flowsWalked, traceText } from './testing/trace.ts';

const { clock } = realRuntime();
const A = '192.0.2.1';
const B = '192.0.2.2';
const missing = missingOpenVswitch();

interface Agent {
  readonly dataplane: Dataplane;
  readonly driver: ReturnType<OpenVswitch['driver']>;
  /** Changes asked of the switch by this process. */
  readonly changes: FlowChange[];
  readonly told: ResourceOutcome[];
}

async function until(done: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let turn = 0; !(await done()); turn += 1) {
    if (turn > 15_000) throw new Error(`waited in vain for ${what}`);
    await clock.sleep(20);
  }
}

describe.skipIf(missing !== '')(`the data plane on Open vSwitch${missing && ` (skipped: ${missing})`}`, () => {
  let ovs: OpenVswitch;
  let stop: AbortController;

  beforeEach(async () => {
    ovs = await OpenVswitch.start();
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    await ovs.stop();
  });

  async function agent(signal = stop.signal): Promise<Agent> {
    const driver = ovs.driver();
    const changes: FlowChange[] = [];
    const told: ResourceOutcome[] = [];
    const counted = {
      name: driver.name,
      start: driver.start.bind(driver),
      flows: driver.flows.bind(driver),
      uses: driver.uses.bind(driver),
      counts: driver.counts.bind(driver),
      ended: driver.ended.bind(driver),
      send: driver.send.bind(driver),
      meters: driver.meters.bind(driver),
      applyMeters: driver.applyMeters.bind(driver),
      apply: (all: readonly FlowChange[], signalOfFlush: AbortSignal) => {
        changes.push(...all);
        return driver.apply(all, signalOfFlush);
      },
    };
    const onPortOutcome = (outcome: ResourceOutcome): void => void told.push(outcome);
    const dataplane = new Dataplane({ switch: counted, hostIp: A, clock, onPortOutcome });
    await dataplane.start(signal);
    await until(() => dataplane.describe().tunnelPort !== null, 'the tunnel port');
    return { dataplane, driver, changes, told };
  }

  const one = port('one', { ips: ['10.0.0.1', 'fd00::1'] });
  const two = neighborOf(port('two', { mac: '02:00:00:00:00:02', ips: ['10.0.0.2', 'fd00::2'] }), B);

  function give({ dataplane }: Agent): void {
    dataplane.setPort(one);
    dataplane.setNeighbor(two);
  }

  test('a new process with the same state writes nothing and deletes nothing', async () => {
    await ovs.plug('one');
    const process = new AbortController();
    const first = await agent(process.signal);
    give(first);
    expect(await first.dataplane.reconcile(never)).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
    expect(first.changes.length).toBeGreaterThan(10);
    process.abort();
    const second = await agent();
    give(second);
    expect(await second.dataplane.reconcile(never)).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
    expect(second.changes).toEqual([]);
  });

  test('killed and started again, the switch gets its flows back without being asked', async () => {
    const ofport = await ovs.plug('one');
    const running = await agent();
    give(running);
    await running.dataplane.reconcile(never);
    await ovs.killDaemon();
    await ovs.startDaemon();
    const tunnel = running.dataplane.describe().tunnelPort!;
    const all = broadcastFlows({ vni: one.vni, ofports: [ofport], hosts: [two.hostIp] });
    const flows = [...hostFlows(tunnel), ...portFlows(one, ofport), ...neighborFlows(two, A), ...all];
    const wanted = flows.map(named).sort();
    await until(async () => (await keys(running.driver).catch(() => [])).join() === wanted.join(), 'the flows');
    expect(running.dataplane.describe()).toMatchObject({ connected: true, ports: [{ id: 'one', status: 'ok' }] });
  });

  test('a port is told of when its interface comes and goes, and when the switch cannot open it', async () => {
    const running = await agent();
    give(running);
    expect(await running.dataplane.reconcile(never)).toMatchObject([{ status: 'unplugged' }, { status: 'ok' }]);
    await ovs.plug('one');
    await until(() => running.told.at(-1)?.status === 'ok', 'ok');
    await ovs.unplug('one');
    await until(() => running.told.at(-1)?.status === 'unplugged', 'unplugged');
    const claim = ['external_ids:iface-id=one'];
    await ovs.vsctl(
      '--no-wait',
      'add-port',
      'br-int',
      'no-such-dev',
      '--',
      'set',
      'interface',
      'no-such-dev',
      ...claim,
    );
    await until(() => running.told.at(-1)?.reason.includes('no-such-dev') === true, 'the reason');
  });

  test("one resource's flows can be listed with the switch's own tool", async () => {
    await ovs.plug('one');
    const running = await agent();
    give(running);
    await running.dataplane.reconcile(never);
    const listed = await ovs.ofctl(
      'dump-flows',
      `cookie=${cookieText(resourceCookie('two'))}/${cookieText(RESOURCE_MASK)}`,
    );
    expect(listed.match(/cookie=/g)).toHaveLength(neighborFlows(two, A).length);
  });

  test('VMs ping each other over IPv4 and IPv6, the host answering ARP and neighbour discovery', async () => {
    const vms = [one, port('peer', { mac: '02:00:00:00:00:03', ips: ['10.0.0.3', 'fd00::3'] })];
    for (const [index, vm] of vms.entries()) await boot(ovs, vm, index);
    const running = await agent();
    for (const vm of vms) running.dataplane.setPort(vm);
    expect(await running.dataplane.reconcile(never)).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
    const vm = vmNamespace(ovs, 0);
    await insideNamespace(vm, 'ping', '-c1', '-W10', '10.0.0.3');
    // With checksums verified by the guest's own kernel: a wrong one in the advertisement would be dropped.
    await insideNamespace(vm, 'ping', '-6', '-c1', '-W10', 'fd00::3');
    expect((await insideNamespace(vm, 'ip', '-6', 'neigh')).stdout).toMatch(
      /fd00::3 .*lladdr 02:00:00:00:00:03 (?!router)/,
    );
    await expect(insideNamespace(vm, 'ping', '-c1', '-W1', '10.0.0.9')).rejects.toThrow();
  });

  test('for any network and packet the switch and the one in memory take the same flows', async () => {
    const ids = ['p0', 'p1', 'p2'];
    const ofports = new Map<string, number>();
    for (const id of ids) ofports.set(id, await ovs.plug(id));
    const real = await agent();
    const tunnelPort = real.dataplane.describe().tunnelPort!;
    const ends = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(anyNetwork(ids), fc.array(anyPacket(), { minLength: 6, maxLength: 6 }), async (all, sent) => {
        const memory = new MemorySwitch({ tunnelPort });
        for (const [id, ofport] of ofports) memory.plug(id, { ofport });
        const virtual = await startedOn(memory, A);
        replace(real.dataplane, all);
        replace(virtual.dataplane, all);
        await real.dataplane.reconcile(never);
        await virtual.dataplane.reconcile(never);
        for (const { packet, from } of sent) {
          const inPort = from === null ? tunnelPort : ofports.get(from)!;
          const walked = memory.walk(packet, inPort);
          const traced = await ovs.appctl('ofproto/trace', 'br-int', traceText(packet, inPort));
          expect(flowsTraced(traced), `${walkText(walked)}\n${traced}`).toEqual(flowsWalked(walked));
          for (const { port: out, packet: answer } of walked.outputs) {
            if (out === inPort) expect(finalFlow(traced)).toMatchObject(finalFields(answer));
          }
          const end = walked.trace.at(-1)!.table;
          ends.set(end, (ends.get(end) ?? 0) + 1);
        }
      }),
      { numRuns: 40, endOnFailure: true },
    );
    // Not a comparison of packets that all die in the first table.
    for (const end of ['antispoof', 'services', 'delivery', 'output']) expect(ends.get(end)).toBeGreaterThan(0);
  });
});

interface Network {
  readonly ports: readonly LocalPort[];
  readonly neighbors: readonly Neighbor[];
}

const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1', 'fd00::2'];
const macs = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'];

function anyResource(id: string): fc.Arbitrary<LocalPort> {
  return fc
    .record({
      vni: fc.constantFrom(100, 200),
      mac: fc.constantFrom(...macs),
      ips: fc.subarray(addresses, { minLength: 1 }),
      adminStateUp: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
      portSecurityEnabled: fc.boolean(),
      allowedAddressPairs: fc.array(
        fc.record({
          ip: fc.constantFrom('10.0.0.2/31', '10.0.0.3', 'fd00::/126', '0.0.0.0/0'),
          mac: fc.constantFrom(...macs),
        }),
        { maxLength: 2 },
      ),
    })
    .map((changes) => port(id, changes));
}

function anyNetwork(ids: readonly string[]): fc.Arbitrary<Network> {
  return fc.record({
    ports: fc.tuple(...ids.map(anyResource)),
    neighbors: fc.tuple(...['n0', 'n1'].map((id) => anyResource(id).map((each) => neighborOf(each, B)))),
  });
}

function anyPacket(): fc.Arbitrary<{ readonly packet: packets.Packet; readonly from: string | null }> {
  const v4 = fc.record({
    mac: fc.constantFrom(...macs).map(mac),
    ip: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3').map(ipv4),
  });
  const v6 = fc.record({ mac: fc.constantFrom(...macs).map(mac), ip: fc.constantFrom('fd00::1', 'fd00::2').map(ipv6) });
  const packet = fc.oneof(
    fc.tuple(v4, v4).map(([from, to]) => packets.icmpEcho('request', from, to)),
    fc
      .tuple(v4, v4, fc.constantFrom([67, 68], [68, 67], [1, 2]))
      .map(([from, to, [src, dst]]) => packets.udp({ ...from, port: src! }, { ...to, port: dst! })),
    fc.tuple(v4, v4).map(([from, to]) => packets.arpRequest(from, to.ip)),
    fc.tuple(v4, v4).map(([from, to]) => packets.arpReply(from, to)),
    fc.tuple(v6, v6).map(([from, to]) => packets.icmpv6Echo('request', from, to)),
    fc.tuple(v6, v6).map(([from, to]) => packets.neighborSolicitation(from, to.ip)),
    fc.tuple(v6, v6).map(([from, to]) => packets.neighborSolicitation({ ...from, ip: 0n }, to.ip)),
    fc.tuple(v6, v6).map(([from, to]) => packets.neighborAdvertisement(from, to)),
  );
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ packet, from: fc.constantFrom('p0', 'p1', 'p2') }) },
    {
      weight: 1,
      arbitrary: fc
        .record({ packet, vni: fc.constantFrom(100n, 200n) })
        .map((drawn) => ({ packet: { ...drawn.packet, tunnel_id: drawn.vni }, from: null })),
    },
  );
}

function replace(dataplane: Dataplane, { ports, neighbors }: Network): void {
  for (const each of ports) dataplane.setPort(each);
  for (const each of neighbors) dataplane.setNeighbor(each);
}
