/**
 * How long an agent takes to program the neighbours of a large VPC into a real Open vSwitch: goal states as they come off the wire,
 * through its session until the barrier of the last; against `ovs-ofctl --bundle add-flows` with the very same flows, into a switch of
 * its own.
 *
 *   npm run bench:neighbours -- [--neighbours N,…] [--rounds N] [--json]
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { GoalStateV2, NeighborConfiguration, OperationStatus } from '@alcor/contract';
import { realRuntime } from '@alcor/runtime';
import { Dataplane, HeldState, Reports, Session } from '../src/index.ts';
import type { GoalStream } from '../src/session.ts';
import { missingOpenVswitch, OpenVswitch } from '../src/dataplane/testing/open-vswitch.ts';

const GOALS_PER_MESSAGE = 1_000;
const { clock } = realRuntime();
const never = new AbortController().signal;

interface Programmed {
  readonly seconds: number;
  readonly cpuS: number;
  /** What the agent's process holds beside the messages, in MB. */
  readonly memory: number;
}

interface Round extends Programmed {
  readonly ofctlS: number;
  readonly flows: number;
}

/** The messages that tell a host of `count` neighbours, encoded as the config manager sends them. */
function* messages(count: number): Generator<Uint8Array> {
  yield GoalStateV2.encode(
    GoalStateV2.fromPartial({
      formatVersion: 2,
      begunVpcs: ['vpc'],
      vpcStates: { vpc: { operationType: 2, configuration: { id: 'vpc', revisionNumber: 1, tunnelId: 7, mtu: 1450 } } },
      portStates: {
        own: {
          operationType: 2,
          configuration: {
            id: 'own',
            revisionNumber: 1,
            vpcId: 'vpc',
            macAddress: 'fa:16:3e:ff:ff:ff',
            adminStateUp: true,
          },
        },
      },
    }),
  ).finish();
  for (let at = 0; at < count; at += GOALS_PER_MESSAGE) {
    const message = GoalStateV2.fromPartial({ formatVersion: 2 });
    for (let n = at; n < Math.min(count, at + GOALS_PER_MESSAGE); n++) {
      const id = `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
      const bytes = [n >> 16, (n >> 8) & 255, n & 255];
      const macAddress = `fa:16:3e:${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
      const hostIpAddress = `172.16.${(n >> 7) & 255}.${(n & 127) + 1}`;
      message.neighborStates[id] = {
        operationType: 2,
        configuration: NeighborConfiguration.fromPartial({
          id,
          revisionNumber: 1,
          vpcId: 'vpc',
          macAddress,
          hostIpAddress,
          fixedIps: [{ subnetId: 'subnet', ipAddress: `10.${bytes.join('.')}` }],
        }),
      };
    }
    yield GoalStateV2.encode(message).finish();
  }
  yield GoalStateV2.encode(
    GoalStateV2.fromPartial({ formatVersion: 2, completedVpcs: ['vpc'], complete: true }),
  ).finish();
}

async function* decoded(encoded: readonly Uint8Array[]): AsyncGenerator<GoalStateV2, void> {
  for (const bytes of encoded) yield GoalStateV2.decode(bytes);
}

async function agentRound(ovs: OpenVswitch, encoded: readonly Uint8Array[]): Promise<Programmed> {
  const stop = new AbortController();
  const dataplane = new Dataplane({ switch: ovs.driver(), hostIp: '172.16.255.254', clock });
  const held = new HeldState({ sink: dataplane, clock });
  await dataplane.start(stop.signal);
  const stream: Pick<GoalStream, 'send'> = {
    async send({ operationStatuses }) {
      const failed = operationStatuses.find(({ operationStatus }) => operationStatus === OperationStatus.FAILURE);
      if (failed !== undefined) throw new Error(`${failed.resourceId}: ${failed.reason}`);
    },
  };
  const reports = new Reports(held, (report) => session.tell(report));
  const session = new Session({
    stream: stream as GoalStream,
    held,
    dataplane,
    reports,
    clock,
    subscriptions: [],
  });
  const before = process.memoryUsage().rss;
  const [cpu, start] = [process.cpuUsage(), performance.now()];
  await session.run(decoded(encoded), never);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  stop.abort();
  return { seconds, cpuS: (user + system) / 1e6, memory: (process.memoryUsage().rss - before) / 1e6 };
}

/** Writes what the switch holds into a file that `ovs-ofctl` adds flows from. */
async function dumpTo(ovs: OpenVswitch, file: string): Promise<void> {
  const dump = `ovs-ofctl -O OpenFlow15 dump-flows --no-stats unix:${ovs.folder}/br-int.mgmt | sed 's/^ //' > ${file}`;
  await promisify(execFile)('bash', ['-o', 'pipefail', '-c', dump]);
}

async function flowsIn(ovs: OpenVswitch): Promise<number> {
  return Number((await ovs.ofctl('dump-aggregate')).match(/flow_count=(\d+)/)?.[1]);
}

async function inSwitch<T>(use: (ovs: OpenVswitch) => Promise<T>): Promise<T> {
  const ovs = await OpenVswitch.start();
  try {
    return await use(ovs);
  } finally {
    await ovs.stop();
  }
}

async function measureOnce(encoded: readonly Uint8Array[], file: string): Promise<Round> {
  const agent = await inSwitch(async (ovs) => {
    const programmed = await agentRound(ovs, encoded);
    await dumpTo(ovs, file);
    return { ...programmed, flows: await flowsIn(ovs) };
  });
  const ofctlS = await inSwitch(async (ovs) => {
    const start = performance.now();
    await ovs.bundle(file);
    const seconds = (performance.now() - start) / 1000;
    const flows = await flowsIn(ovs);
    if (flows !== agent.flows) throw new Error(`ovs-ofctl wrote ${flows} of ${agent.flows} flows`);
    return seconds;
  });
  return { ...agent, ofctlS };
}

async function measure(neighbours: number, rounds: number): Promise<Round[]> {
  const encoded = [...messages(neighbours)];
  const folder = await mkdtemp(join(tmpdir(), 'neighbours-'));
  const results: Round[] = [];
  for (let round = 0; round < rounds; round++) results.push(await measureOnce(encoded, join(folder, 'flows.txt')));
  await rm(folder, { recursive: true });
  return results;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const { values } = parseArgs({
  options: {
    neighbours: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
if (missingOpenVswitch() !== '') throw new Error(`this bench needs a real Open vSwitch: ${missingOpenVswitch()}`);
for (const text of values.neighbours.split(',')) {
  const neighbours = Number(text);
  const rounds = await measure(neighbours, Number(values.rounds));
  const [agentS, ofctlS] = [median(rounds.map(({ seconds }) => seconds)), median(rounds.map((round) => round.ofctlS))];
  const context = { neighbours, flows: rounds[0]?.flows, rounds: rounds.length };
  for (const line of [
    { measure: 'neighbours_programmed_s', value: agentS, unit: 's', ...context },
    { measure: 'neighbours_agent_cpu_s', value: median(rounds.map(({ cpuS }) => cpuS)), unit: 's', ...context },
    { measure: 'neighbours_agent_memory_mb', value: rounds[0]?.memory ?? 0, unit: 'MB', ...context },
    { measure: 'ovs_ofctl_bundle_s', value: ofctlS, unit: 's', ...context },
    { measure: 'neighbours_to_ovs_ofctl_ratio', value: agentS / ofctlS, unit: '1', ...context },
  ])
    console.log(
      values.json
        ? JSON.stringify(line)
        : `${line.measure.padEnd(32)} ${line.value.toFixed(3)} ${line.unit}  (${neighbours})`,
    );
}
