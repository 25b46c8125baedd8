import {
  GatewayConfiguration,
  type Goal,
  goalKey,
  HostRequest_ResourceStateRequest as Question,
  NeighborConfiguration,
  SecurityGroupConfiguration,
  type StatedGoal,
  VpcConfiguration,
} from '@alcor/contract';
import { Bus, createSchedule, createWorld, type Schedule, seededRandom } from '@alcor/runtime';
import type { Answer } from '../answer.ts';
import type { FairTurns } from '../fair-turns.ts';
import type { Learner } from '../learner.ts';
import { OnDemand, type OnDemandOptions } from '../on-demand.ts';
import { questionTurns } from '../requests.ts';

export const vpcId = 'vpc';
export const vni = 7;

/** A host that writes down what it is told: what it holds by now, and how often it was told. */
export class RecordingHost implements Learner {
  readonly hostId: string;
  readonly hostIp: string;
  /** By VPC and id: the host that each neighbour is on. */
  readonly held = new Map<string, string>();
  told = 0;
  /** Of those, what may come with others. */
  soon = 0;
  /** Said and not applied: who waits for it. */
  readonly waiting: (() => void)[] = [];
  slow = false;

  constructor(n: number) {
    this.hostId = `host${n}`;
    this.hostIp = `172.16.0.${n}`;
  }

  learn(vpc: string, { goal, removed }: StatedGoal, when: 'now' | 'soon'): void {
    this.told++;
    if (when === 'soon') this.soon++;
    if (goal.kind !== 'neighbor') return;
    const place = `${vpc}/${goal.state.id}`;
    if (removed) this.held.delete(place);
    else this.held.set(place, goal.state.hostIpAddress);
  }

  afterApplied(run: () => void): void {
    if (this.slow) this.waiting.push(run);
    else run();
  }

  get names(): string[] {
    return [...this.held.keys()].map((place) => place.slice(place.indexOf('/') + 1)).toSorted();
  }
}

export interface OnDemandRegionOptions {
  readonly introduce?: OnDemandOptions['introduce'];
  readonly predictedPerPort?: number;
}

/** A process that answers hosts, without streams: goals as delivery would publish them, hosts that write down. */
export class OnDemandRegion {
  readonly schedule: Schedule;
  readonly goals: Bus<Goal>;
  readonly onDemand: OnDemand;
  /** The turns in which it answers. */
  readonly questions: FairTurns;
  #revision = 0;

  /** `beside`: another process of the same region. */
  constructor(beside?: OnDemandRegion, { introduce, predictedPerPort: perPort = 0 }: OnDemandRegionOptions = {}) {
    this.schedule = beside?.schedule ?? createSchedule();
    this.goals = beside?.goals ?? new Bus();
    const world = createWorld(this.schedule, seededRandom(1), () => {});
    const { clock } = world.start('manager').runtime;
    this.questions = questionTurns(clock);
    const prediction = { perPort, questions: this.questions };
    const { goals } = this;
    this.onDemand = new OnDemand({ goals, clock, prediction, ...(introduce === undefined ? {} : { introduce }) });
    void this.onDemand.run(new AbortController().signal);
    if (beside === undefined) this.vpc(vpcId, vni);
  }

  vpc(id: string, tunnelId: number): void {
    this.put(id, { kind: 'vpc', state: VpcConfiguration.fromPartial({ id, tunnelId }) });
  }

  /** Port `pN` with address 10.0.0.N, on host number `host`. */
  port(n: number, host: number, securityGroupIds: readonly string[] = [], vpc = vpcId): void {
    this.put(vpc, {
      kind: 'neighbor',
      state: NeighborConfiguration.fromPartial({
        id: `p${n}`,
        vpcId: vpc,
        revisionNumber: ++this.#revision,
        hostIpAddress: `172.16.0.${host}`,
        fixedIps: [{ ipAddress: `10.0.0.${n}` }],
        securityGroupIds: [...securityGroupIds],
      }),
    });
  }

  unbind(n: number, vpc = vpcId): void {
    const topic = this.goals.topic(`vpc/${vpc}`);
    const goal = topic.get(`neighbor/p${n}`);
    const state = NeighborConfiguration.fromPartial({ id: `p${n}`, vpcId: vpc, revisionNumber: ++this.#revision });
    if (goal !== undefined) topic.remove(goalKey(goal), { kind: 'neighbor', state });
  }

  group(id: string, rules: SecurityGroupConfiguration['securityGroupRules'], vpc = vpcId): void {
    const state = SecurityGroupConfiguration.fromPartial({ id, vpcId: vpc, revisionNumber: ++this.#revision });
    this.put(vpc, { kind: 'security-group', state: { ...state, securityGroupRules: [...rules] } });
  }

  /** Host number `n` is told all of the VPC, and asks for nothing. */
  gateway(n: number): void {
    const destinations = [{ ipAddress: `172.16.0.${n}` }];
    this.put(vpcId, {
      kind: 'gateway',
      state: GatewayConfiguration.fromPartial({ id: `host${n}`, vpcId, destinations }),
    });
  }

  put(vpc: string, goal: Goal): void {
    this.goals.topic(`vpc/${vpc}`).put(goalKey(goal), goal);
  }

  /** The hosts, told of the VPC on demand. */
  async hosts(numbers: readonly number[], vpc = vpcId): Promise<RecordingHost[]> {
    const hosts = numbers.map((n) => new RecordingHost(n));
    for (const host of hosts) await this.join(host, [], vpc);
    return hosts;
  }

  async join(host: RecordingHost, kept: readonly string[] | 'everything' = [], vpc = vpcId): Promise<void> {
    this.onDemand.enter(host);
    const whole = this.onDemand.whole(vpc);
    await this.pass();
    await whole;
    this.onDemand.join(vpc, host, kept);
  }

  /** Lets everything that can happen at once happen. */
  async pass(ms = 50): Promise<void> {
    this.schedule.after(ms, () => {});
    await this.schedule.run(ms);
  }

  /** The host says that nothing uses these, and nothing ever has; `used`: has once. */
  idle(host: RecordingHost, ids: readonly string[], used?: 'used'): void {
    const idle = ids.map((id) => ({ id, used: used !== undefined }));
    this.onDemand.idle(vpcId, host, idle);
  }

  ask(host: RecordingHost, from: number, to: number, tunnelId = vni): Answer {
    return this.onDemand.ask(host.hostId, question(`10.0.0.${from}`, `10.0.0.${to}`, tunnelId));
  }
}

export function question(sourceIp: string, destinationIp: string, tunnelId = vni): Question {
  return Question.fromPartial({ requestId: 'q', tunnelId, sourceIp, destinationIp });
}
