import {
  addGoal,
  emptyGoalState,
  type Goal,
  type GoalStateV2,
  NeighborConfiguration,
  PortConfiguration,
} from '@alcor/contract';
import { realRuntime } from '@alcor/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Dataplane } from './dataplane/index.ts';
import { neighborFlows } from './dataplane/program.ts';
import { missingOpenVswitch, OpenVswitch } from './dataplane/testing/open-vswitch.ts';
import { port as localPort, never, neighborOf } from './dataplane/testing/region.ts';
import type { FlowChange } from './dataplane/switch.ts';
import { boot, insideNamespace, vmNamespace } from './dataplane/testing/virtual-machines.ts';
import { HeldState } from './held-state.ts';
import { Reports } from './reports.ts';
import { type GoalStream, Session } from './session.ts';
import { says, vpc, vpcId } from './testing/small-vpc.ts';

const { clock } = realRuntime();
const here = '192.0.2.1';
const there = '192.0.2.2';
const missing = missingOpenVswitch();
const vms = [1, 2].map((n) =>
  localPort(`vm${n}`, { vni: 7, mac: `02:00:00:00:00:0${n}`, ips: [`10.0.0.${n}`, `fd00::${n}`] }),
);
const remote = localPort('remote', { vni: 7, mac: '02:00:00:00:00:09', ips: ['10.0.0.9'] });

function message(goals: readonly Goal[], more: Partial<GoalStateV2> = {}): GoalStateV2 {
  const state = { ...emptyGoalState(), ...more };
  for (const goal of goals) addGoal(state, says(goal));
  return state;
}

const portGoals = vms.map(({ id, mac, ips }): Goal => {
  const fixedIps = ips.map((ipAddress) => ({ subnetId: 'subnet', ipAddress }));
  const state = { id, vpcId, revisionNumber: 1, macAddress: mac, adminStateUp: true, fixedIps };
  return { kind: 'port', state: PortConfiguration.fromPartial({ ...state, portSecurityDisabled: true }) };
});

const neighborGoal: Goal = {
  kind: 'neighbor',
  state: NeighborConfiguration.fromPartial({
    id: remote.id,
    vpcId,
    revisionNumber: 1,
    macAddress: remote.mac,
    hostIpAddress: there,
    fixedIps: [{ ipAddress: '10.0.0.9' }],
  }),
};

/** Everything, from nothing, as a config manager tells it: in several messages. */
const messages: readonly GoalStateV2[] = [
  message([vpc()], { begunVpcs: [vpcId] }),
  message(portGoals.slice(0, 1)),
  message(portGoals.slice(1)),
  message([neighborGoal], { completedVpcs: [vpcId], complete: true }),
];

describe.skipIf(missing !== '')(`an agent that is started anew${missing && ` (skipped: ${missing})`}`, () => {
  let ovs: OpenVswitch;

  beforeEach(async () => {
    ovs = await OpenVswitch.start();
  });

  afterEach(() => ovs.stop());

  /** An agent's process that is told everything; each message after a pause. Answers with what ends it and what it has asked of the switch. */
  async function run(pauseMs: number): Promise<{ end: () => void; changes: FlowChange[] }> {
    const process = new AbortController();
    const driver = ovs.driver();
    const apply = driver.apply.bind(driver);
    const changes: FlowChange[] = [];
    driver.apply = (all, signal) => {
      changes.push(...all);
      return apply(all, signal);
    };
    const dataplane = new Dataplane({ switch: driver, hostIp: here, clock });
    await dataplane.start(process.signal);
    while (dataplane.describe().tunnelPort === null) await clock.sleep(20);
    const held = new HeldState({ sink: dataplane, clock });
    const stream: Pick<GoalStream, 'send'> = { send: async () => undefined };
    const reports: Reports = new Reports(held, (report) => session.tell(report));
    const session = new Session({
      stream: stream as GoalStream,
      held,
      dataplane,
      reports,
      clock,
      subscriptions: [],
    });
    async function* told(): AsyncGenerator<GoalStateV2, void> {
      for (const each of messages) {
        await clock.sleep(pauseMs);
        yield each;
      }
    }
    await session.run(told(), never);
    expect(dataplane.describe().ports.map(({ status }) => status)).toEqual(['ok', 'ok']);
    return { end: () => process.abort(), changes };
  }

  test('loses no packet, and rewrites nothing of what the switch has', async () => {
    for (const [index, vm] of vms.entries()) await boot(ovs, vm, index);
    const first = await run(0);
    expect(first.changes.length).toBeGreaterThan(neighborFlows(neighborOf(remote, there), here).length);
    // With a deadline ping goes on until it has its answers: whether the last one is late or lost, an answer to a later one tells.
    const ping = insideNamespace(vmNamespace(ovs, 0), 'ping', '-i', '0.02', '-c', '150', '-w', '30', '10.0.0.2');
    first.end();
    const second = await run(300);
    const { stdout } = await ping;
    second.end();
    const answered = [...stdout.matchAll(/ icmp_seq=(\d+) /g)].map(([, sequence]) => Number(sequence));
    expect(answered).toEqual(Array.from({ length: 150 }, (_, n) => n + 1));
    expect(second.changes).toEqual([]);
  });
});
