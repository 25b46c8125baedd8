import type { GoalStateOperationReply, HeldVpc, LearntNeighbor, StatedGoal } from '@alcor/contract';
import { aborted, type Clock, type Timer } from '@alcor/runtime';
import type { HostGoals } from './host-goals.ts';
import type { Learner } from './learner.ts';
import type { OnDemand } from './on-demand.ts';
import type { Pace } from './pace.ts';

/** How long others wait for a host to apply what it was to learn, in ms. */
const patienceMs = 100;
export interface HostLearnerOptions {
  readonly host: { readonly id: string; readonly ip?: string };
  readonly onDemand: OnDemand;
  readonly goals: Pick<HostGoals, 'tell' | 'telling' | 'learn' | 'owesLearnt'>;
  readonly clock: Clock;
  /** How often hosts are told of what nobody waits for. */
  readonly pace: Pace;
  /** Aborts when the host has said what it holds, or has taken too long. */
  readonly heard: AbortSignal;
}

/** Who waits for the host to have applied something. */
interface Waiting {
  readonly run: () => void;
  /** Sequence of the message that says the last of it; infinite while some of it has not been sent. */
  after: number;
}

/** What one host learns on demand for as long as one stream to it lasts. */
export class HostLearner implements Learner {
  readonly hostId: string;
  readonly hostIp: string;
  readonly #options: HostLearnerOptions;
  readonly #heard: Promise<void>;
  /** VPCs that are told on demand, or are about to be; the value is the try. */
  readonly #vpcs = new Map<string, { isJoined: boolean }>();
  /** What the host holds of VPCs that it is not told of yet, by ids of neighbours. */
  readonly #held = new Map<string, readonly string[]>();
  readonly #waiting = new Set<Waiting>();
  /** What may wait for a while, in order. */
  readonly #gathered: { readonly vpcId: string; readonly neighbor: StatedGoal }[] = [];
  /** Until it ends, what nobody waits for is gathered. */
  #gathering: Timer | undefined;
  #sent = 0;
  #applied = 0;

  constructor(options: HostLearnerOptions) {
    this.hostId = options.host.id;
    this.hostIp = options.host.ip ?? '';
    this.#options = options;
    this.#heard = aborted(options.heard);
    options.onDemand.enter(this);
  }

  /** The VPC is to be told on demand. That begins when all of it is known, so that the host keeps what it has learnt, as it is meant now. */
  begin(vpcId: string): void {
    if (this.#vpcs.has(vpcId)) return;
    const vpc = { isJoined: false };
    this.#vpcs.set(vpcId, vpc);
    void this.#beginWhenWhole(vpcId, vpc);
  }

  async #beginWhenWhole(vpcId: string, vpc: { isJoined: boolean }): Promise<void> {
    const { onDemand, goals } = this.#options;
    await Promise.all([onDemand.whole(vpcId), this.#heard]);
    if (this.#vpcs.get(vpcId) !== vpc) return;
    const wasTold = goals.telling(vpcId);
    goals.tell(vpcId, 'on-demand');
    vpc.isJoined = true;
    onDemand.join(vpcId, this, wasTold === 'later' ? (this.#held.get(vpcId) ?? []) : 'everything');
    this.#held.delete(vpcId);
  }

  /** The VPC is told in another way, or the host is not in it any more. */
  end(vpcId: string): void {
    const vpc = this.#vpcs.get(vpcId);
    this.#vpcs.delete(vpcId);
    if (vpc?.isJoined === true) this.#options.onDemand.leave(vpcId, this);
    this.#settle();
  }

  /** Tells a VPC once more from nothing, if it is told on demand; what the host has learnt it keeps. */
  again(vpcId: string): void {
    if (this.#vpcs.get(vpcId)?.isJoined !== true) return;
    this.#held.set(vpcId, [...this.#options.onDemand.held(vpcId, this)]);
    this.end(vpcId);
    this.#options.goals.tell(vpcId, 'later');
    this.begin(vpcId);
  }

  close(): void {
    this.#options.onDemand.exit(this);
    for (const vpcId of this.#vpcs.keys()) this.end(vpcId);
    if (this.#gathering !== undefined) this.#endGathering();
    for (const { run } of this.#waiting) run();
  }

  learn(vpcId: string, neighbor: StatedGoal, when: 'now' | 'soon'): void {
    if (when === 'soon' && this.#gathering !== undefined) return void this.#gathered.push({ vpcId, neighbor });
    this.#passOn();
    this.#options.goals.learn(vpcId, neighbor);
    if (when === 'soon') this.#gather();
    return undefined;
  }

  #gather(): void {
    const { clock, pace } = this.#options;
    this.#gathering = clock.timer(pace.enter(), () => {
      this.#endGathering();
      if (this.#gathered.length > 0) this.#gather();
      this.#passOn();
    });
  }

  #endGathering(): void {
    this.#gathering?.cancel();
    this.#gathering = undefined;
    this.#options.pace.leave();
  }

  /** In order, so that whatever is said of a neighbour last is what the host is told. */
  #passOn(): void {
    if (this.#gathered.length === 0) return;
    for (const { vpcId, neighbor } of this.#gathered.splice(0)) this.#options.goals.learn(vpcId, neighbor);
  }

  afterApplied(run: () => void): void {
    this.#passOn();
    const after = this.#options.goals.owesLearnt ? Number.POSITIVE_INFINITY : this.#sent;
    if (after <= this.#applied) return run();
    const finish = (): void => {
      timer.cancel();
      if (this.#waiting.delete(waiting)) run();
    };
    const waiting: Waiting = { run: finish, after };
    const timer = this.#options.clock.timer(patienceMs, finish);
    this.#waiting.add(waiting);
    return undefined;
  }

  /** What the host says that it holds, when the stream begins. */
  offer(held: readonly HeldVpc[]): void {
    for (const { vpcId, onDemand, learntIds } of held) if (onDemand) this.#held.set(vpcId, learntIds);
  }

  /** The message of this sequence has been sent. */
  sent(sequence: number): void {
    this.#sent = sequence;
    this.#settle();
  }

  take({ appliedSequence, forgotten }: GoalStateOperationReply): void {
    this.#applied = Math.max(this.#applied, appliedSequence);
    const byVpc = new Map<string, LearntNeighbor[]>();
    for (const neighbor of forgotten) {
      const idle = byVpc.get(neighbor.vpcId);
      if (idle === undefined) byVpc.set(neighbor.vpcId, [neighbor]);
      else idle.push(neighbor);
    }
    for (const [vpcId, idle] of byVpc) this.#options.onDemand.idle(vpcId, this, idle);
    this.#settle();
  }

  /** Lets those go on who waited for what has been applied. */
  #settle(): void {
    if (this.#waiting.size === 0) return;
    const hasSaidAll = !this.#options.goals.owesLearnt;
    for (const waiting of this.#waiting) {
      if (hasSaidAll) waiting.after = Math.min(waiting.after, this.#sent);
      if (waiting.after <= this.#applied) waiting.run();
    }
  }
}
