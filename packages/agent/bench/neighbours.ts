/**
 * How long an agent takes to program the neighbours of a large VPC into a real Open vSwitch: goal states as they come off the wire,
 * through the held state and the data plane, until the barrier of the last; against `ovs-ofctl --bundle add-flows` with the very same flows.
 *
 *   npm run bench:neighbours -- [--neighbours N,…] [--rounds N] [--json]
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GoalStateV2, goalsOf, NeighborConfiguration } from '@alcor/contract';
import { realRuntime } from '@alcor/runtime';
import { Dataplane } from '../src/index.ts';
import { HeldState } from '../src/held-state.ts';
import { missingOpenVswitch, OpenVswitch } from '../src/dataplane/testing/open-vswitch.ts';

const GOALS_PER_MESSAGE = 1_000;
const { clock } = realRuntime();
const never = new AbortController().signal;

interface Round {
  readonly agentS: number;
  readonly ofctlS: number;
  readonly flows: number;
}

/** The messages that tell a host of `count` neighbours, encoded as the config manager sends them. */
function* messages(count: number): Generator<Uint8Array> {
  yield GoalStateV2.encode(
    GoalStateV2.fromPartial({
      formatVersion: 2,
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
}

async function agentRound(ovs: OpenVswitch, encoded: readonly Uint8Array[]): Promise<number> {
  const stop = new AbortController();
  const dataplane = new Dataplane({ switch: ovs.driver(), hostIp: '172.16.255.254', clock });
  const held = new HeldState({ sink: dataplane, clock });
  await dataplane.start(stop.signal);
  const start = performance.now();
  const stream = held.openStream();
  for (const bytes of encoded) {
    held.apply(stream, goalsOf(GoalStateV2.decode(bytes)));
    const outcomes = await dataplane.flush(never);
    const failed = outcomes.find(({ status }) => status === 'failed');
    if (failed !== undefined) throw new Error(`${failed.resourceId}: ${failed.reason}`);
  }
  const seconds = (performance.now() - start) / 1000;
  stop.abort();
  return seconds;
}

async function measure(neighbours: number, rounds: number): Promise<Round[]> {
  const encoded = [...messages(neighbours)];
  const results: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const ovs = await OpenVswitch.start();
    try {
      const agentS = await agentRound(ovs, encoded);
      const dump = await ovs.ofctl('dump-flows', '--no-stats');
      const file = join(ovs.folder, 'flows.txt');
      await writeFile(file, dump.replaceAll(/^ /gm, ''));
      await ovs.ofctl('del-flows');
      const start = performance.now();
      await ovs.bundle(file);
      const ofctlS = (performance.now() - start) / 1000;
      const flows = dump.trim().split('\n').length;
      const again = (await ovs.ofctl('dump-aggregate')).match(/flow_count=(\d+)/)?.[1];
      if (Number(again) !== flows) throw new Error(`ovs-ofctl wrote ${again} of ${flows} flows`);
      results.push({ agentS, ofctlS, flows });
    } finally {
      await ovs.stop();
    }
  }
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
  const [agentS, ofctlS] = [median(rounds.map((round) => round.agentS)), median(rounds.map((round) => round.ofctlS))];
  const context = { neighbours, flows: rounds[0]?.flows, rounds: rounds.length };
  for (const line of [
    { measure: 'neighbours_programmed_s', value: agentS, unit: 's', ...context },
    { measure: 'ovs_ofctl_bundle_s', value: ofctlS, unit: 's', ...context },
    { measure: 'neighbours_to_ovs_ofctl_ratio', value: agentS / ofctlS, unit: '1', ...context },
  ])
    console.log(
      values.json
        ? JSON.stringify(line)
        : `${line.measure.padEnd(32)} ${line.value.toFixed(3)} ${line.unit}  (${neighbours})`,
    );
}
