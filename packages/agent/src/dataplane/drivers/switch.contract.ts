/** What every switch promises, run on each implementation. */
import { ipv4, mac } from '@alcor/openflow';
import { realRuntime } from '@alcor/runtime';
import { beforeEach, describe, expect, test } from 'vitest';
import { FALLBACK, flow as flowOf } from '../build.ts';
import { resourceCookie, RESOURCE_MASK, stamped } from '../cookie.ts';
import { flowKey, type Action, type Flow, type FlowIdentity } from '../flow.ts';
import { decodeFrame } from '../frame.ts';
import { type Meter, meterOf } from '../meters.ts';
import { pipeline } from '../pipeline.ts';
import { hostFlows, neighborFlows, portFlows } from '../program.ts';
import { qualityOf } from '../quality.ts';
import type { FlowChange, Switch, SwitchEvent } from '../switch.ts';
import { unknownFlows } from '../unknown.ts';
import { addressGroupFlows, securityGroupFlows } from '../security-groups.ts';
import type { SecurityView } from '../security.ts';
import { neighborOf, never, port, rule } from '../testing/region.ts';
import { arpRequest, type Packet } from './packet.ts';

const { clock } = realRuntime();

export interface SwitchUnderTest {
  readonly driver: Switch;
  /** A driver for the same switch, as the next process makes it. */
  another(): Switch;
  plug(ifaceId: string): Promise<void>;
  unplug(ifaceId: string): Promise<void>;
  /** Has the interface receive a packet from its VM. */
  inject(ifaceId: string, packet: Packet): Promise<void>;
  /** The switch dies with its flows and comes back. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface Heard {
  readonly events: SwitchEvent[];
  /** Resolves with the first event, past or future, that `wanted` takes. */
  until(wanted: (event: SwitchEvent) => boolean): Promise<SwitchEvent>;
}

const portOfP = port('p', { ips: ['10.0.0.1', 'fd00::1'], securityGroupIds: ['g', 'h'] });
const remotes = [{ remoteGroupId: 'g' }, { remoteAddressGroupId: 'a' }, { remoteIpPrefix: '10.0.0.0/9' }, {}];
const protocols = [
  rule({}),
  rule({ protocol: 17, portRangeMin: 1, portRangeMax: 1000 }),
  rule({ protocol: 1, portRangeMin: 8 }),
];
const rules = remotes.flatMap((remote, n) =>
  protocols.flatMap((each, m) => [
    { ...each, ...remote, id: `in ${n} ${m}` },
    { ...each, ...remote, id: `out ${n} ${m}`, direction: 'egress' as const },
    ...(n === 2 ? [] : [{ ...each, ...remote, id: `six ${n} ${m}`, ethertype: 'IPv6' as const }]),
  ]),
);
const security: SecurityView = { isStateless: (id) => id === 'h', isAsked: () => true, isNamed: () => true };
const all: readonly Flow[] = [
  ...hostFlows(1),
  ...portFlows(portOfP, 7, security),
  ...neighborFlows(
    neighborOf(
      port('n', {
        mac: '02:00:00:00:00:02',
        ips: ['10.0.0.2', 'fd00::2'],
        allowedAddressPairs: ['10.1.0.0/16', 'fd01::/50', '::/0'].map((ip) => ({ ip, mac: '02:00:00:00:00:02' })),
        securityGroupIds: ['g'],
      }),
      '192.0.2.2',
    ),
    '',
    security,
  ),
  ...unknownFlows({ id: 'v', vni: 100, gateway: '192.0.2.9' }, { hostIp: '192.0.2.1', gatewayPort: 8 }),
  ...unknownFlows({ id: 'w', vni: 200, gateway: '192.0.2.1', isWhole: true }, { hostIp: '192.0.2.1', gatewayPort: 8 }),
  ...securityGroupFlows({ id: 'g', rules, stateful: true, revision: 1 }),
  ...securityGroupFlows({ id: 'h', rules, stateful: false, revision: 1 }),
  ...addressGroupFlows({ id: 'a', addresses: ['10.0.0.0/8', 'fd00::1', 'fd00::/17'], revision: 1 }),
];
const limits = (['egress', 'ingress'] as const).flatMap((direction) =>
  (['kilobits', 'kilopackets'] as const).map((unit) => ({ direction, unit, rate: 1_000, burst: 0 })),
);
const drop = { table: pipeline.classify.id, priority: 5, match: { in_port: 9 }, instructions: [] };

export function switchContract(name: string, make: () => Promise<SwitchUnderTest>): void {
  describe(`${name} keeps the contract of a switch`, () => {
    let made: SwitchUnderTest;
    let heard: Heard;

    beforeEach(async ({ onTestFinished }) => {
      const stop = new AbortController();
      made = await make();
      onTestFinished(async () => {
        stop.abort();
        await made.stop();
      });
      heard = listener();
      await made.driver.start((event) => (heard as Listener).push(event), stop.signal);
    });

    test('what is written is read back as what it was', async () => {
      expect(await made.driver.apply(all.map(write), never)).toEqual([]);
      expect(await keys(made.driver)).toEqual(all.map(named).sort());
    });

    test('a write replaces what has its place', async () => {
      const before = stamped(1n << 32n, drop);
      const after = stamped(2n << 32n, drop);
      expect(await made.driver.apply([write(before), write(after)], never)).toEqual([]);
      expect(await keys(made.driver)).toEqual([named(after)]);
    });

    test('a deletion takes the flow with this cookie and no other', async () => {
      const one = stamped(1n << 32n, drop);
      const two = stamped(2n << 32n, { ...drop, priority: 6 });
      await made.driver.apply([write(one), write(two)], never);
      await made.driver.apply([remove({ ...one, cookie: 99n })], never);
      expect(await keys(made.driver)).toEqual([one, two].map(named).sort());
      await made.driver.apply([remove(one)], never);
      expect(await keys(made.driver)).toEqual([named(two)]);
      // Once more: what is not there is gone already.
      expect(await made.driver.apply([remove(one)], never)).toEqual([]);
    });

    test('a refused change says why and holds up no other', async () => {
      const bad: Flow = {
        ...stamped(1n << 32n, { ...drop, priority: 7 }),
        instructions: [{ type: 'goto_table', table: pipeline.classify.id }],
      };
      const failures = await made.driver.apply([write(stamped(1n, drop)), write(bad), write(all[0]!)], never);
      expect(failures).toEqual([{ index: 1, reason: expect.stringMatching(/\w/) }]);
      expect(await keys(made.driver)).toEqual([named(stamped(1n, drop)), named(all[0]!)].sort());
    });

    test('an interface is told of when it comes, and when it goes', async () => {
      await made.plug('one');
      const event = await heard.until(({ type }) => type === 'plugged');
      expect(event).toMatchObject({ type: 'plugged', iface: { ifaceId: 'one', ofport: expect.any(Number) } });
      await made.unplug('one');
      await heard.until((each) => each.type === 'unplugged' && each.ifaceId === 'one');
    });

    test('an interface that was there before is told of by the time that start is done', async () => {
      await made.plug('early');
      await heard.until(({ type }) => type === 'plugged');
      const late = listener();
      const stop = new AbortController();
      await made.another().start((event) => late.push(event), stop.signal);
      stop.abort();
      expect(late.events).toContainEqual(
        expect.objectContaining({ type: 'plugged', iface: expect.objectContaining({ ifaceId: 'early' }) }),
      );
    });

    test('the tunnel port is told of', async () => {
      await heard.until((event) => event.type === 'tunnel' && event.ofport !== null);
    });

    test('a packet is given to the agent with what the pipeline knew of it, and goes on from there when it is sent', async () => {
      await made.plug('p');
      const event = await heard.until((each) => each.type === 'plugged');
      const { ofport } = (event as Extract<SwitchEvent, { type: 'plugged' }>).iface;
      const asking = port('p', { ips: ['10.0.0.1'] });
      const give: Action = { type: 'controller', meter: meterOf('unknown', asking.vni) };
      const unknown = flowOf(1n << 32n, 'services', FALLBACK, { eth_type: 0x0806, arp_op: 1 }, [give]);
      await made.driver.apply([...hostFlows(1), ...portFlows(asking, ofport), unknown].map(write), never);
      const request = arpRequest({ mac: mac(asking.mac), ip: ipv4('10.0.0.1') }, ipv4('10.0.0.2'));
      await made.inject('p', request);
      const { packet } = (await heard.until(({ type }) => type === 'packet')) as Extract<
        SwitchEvent,
        { type: 'packet' }
      >;
      expect(packet.table).toBe('services');
      expect(packet.context).toEqual({ inPort: ofport, vni: asking.vni, registers: { reg0: ofport } });
      expect(decodeFrame(packet.frame).headers).toEqual(request);

      const found = port('n', { mac: '02:00:00:00:00:02', ips: ['10.0.0.2'] });
      await made.driver.apply(neighborFlows(neighborOf(found, '192.0.2.2'), '').map(write), never);
      expect(await packetsOf(made.driver, resourceCookie('n'), asking.vni)).toEqual([0n, 0n]);
      made.driver.send([packet]);
      await until(async () => (await packetsOf(made.driver, resourceCookie('n'), asking.vni)).includes(1n));
      expect(await packetsOf(made.driver, resourceCookie('n'), asking.vni + 1)).toEqual([]);
    });

    test('a meter is read back as what it is, changes in place, and goes with the flows that name it', async () => {
      const { driver } = made;
      const policy = { id: 'q', limits, dscpMark: 46, revision: 1 };
      const { meters, flows } = qualityOf(portOfP, 7, policy);
      const [refused] = await driver.apply(flows.map(write), never);
      expect(refused).toEqual({ index: 0, reason: expect.stringMatching(/\w/) });
      expect(
        await driver.applyMeters(
          meters.map((meter) => ({ type: 'add', meter })),
          never,
        ),
      ).toEqual([]);
      expect(await metersOf(driver)).toEqual(meters);
      expect(await driver.applyMeters([{ type: 'add', meter: meters[0]! }], never)).toHaveLength(1);
      expect(await driver.apply(flows.map(write), never)).toEqual([]);
      const slower = { ...meters[0]!, rate: 7 };
      expect(await driver.applyMeters([{ type: 'change', meter: slower }], never)).toEqual([]);
      expect(await metersOf(driver)).toEqual([slower, ...meters.slice(1)]);
      expect(await keys(driver)).toEqual(flows.map(named).sort());
      expect(await driver.applyMeters([{ type: 'delete', meter: slower }], never)).toEqual([]);
      expect(await metersOf(driver)).toEqual(meters.slice(1));
      expect(await keys(driver)).toEqual([named(flows.at(-1)!)]);
    });

    test('a switch that dies is lost, comes back without flows, and takes flows again', async () => {
      await made.driver.apply(all.map(write), never);
      await made.restart();
      await heard.until(({ type }) => type === 'lost');
      await heard.until(({ type }) => type === 'connected');
      expect(await keys(made.driver)).toEqual([]);
      expect(await made.driver.apply([write(all[0]!)], never)).toEqual([]);
      expect(await keys(made.driver)).toEqual([named(all[0]!)]);
    });

    test('an aborted caller gets its own reason', async () => {
      const reason = new Error('enough');
      await expect(made.driver.apply([write(all[0]!)], AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}

/** What a flow is known by, as text: equal texts, equal flows. */
export function named(flow: FlowIdentity): string {
  return `${flowKey(flow)} ${flow.cookie}`;
}

export async function keys(driver: Switch): Promise<string[]> {
  const found: string[] = [];
  for await (const flow of driver.flows(never)) found.push(named(flow));
  return found.sort();
}

async function metersOf(driver: Switch): Promise<Meter[]> {
  const found: Meter[] = [];
  for await (const meter of driver.meters(never)) found.push(meter);
  return found.sort((a, b) => a.id - b.id);
}

/** What the resource's flows in the network have counted. */
async function packetsOf(driver: Switch, owner: bigint, vni: number): Promise<bigint[]> {
  const found: bigint[] = [];
  for await (const { cookie, packets } of driver.uses({ metadata: BigInt(vni) }, never))
    if ((cookie & RESOURCE_MASK) === owner) found.push(packets);
  return found;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await clock.sleep(20);
}

function write(flow: Flow): FlowChange {
  return { type: 'write', flow };
}

function remove(flow: FlowIdentity): FlowChange {
  return { type: 'delete', flow };
}

interface Listener extends Heard {
  push(event: SwitchEvent): void;
}

function listener(): Listener {
  const events: SwitchEvent[] = [];
  const waiting = new Set<(event: SwitchEvent) => void>();
  return {
    events,
    push: (event) => {
      events.push(event);
      for (const wake of waiting) wake(event);
    },
    until: (wanted) =>
      new Promise((resolve) => {
        const past = events.find(wanted);
        if (past !== undefined) resolve(past);
        else waiting.add((event) => wanted(event) && resolve(event));
      }),
  };
}
