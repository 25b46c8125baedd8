import {
  type Goal,
  GoalStateOperationReply_GoalStateOperationStatus as OperationReport,
  OperationStatus,
  OperationType,
  ResourceType,
  type StatedGoal,
} from '@alcor/contract';
import type { ResourceOutcome } from './dataplane/index.ts';
import type { HeldState, Verdict } from './held-state.ts';

const resourceTypes = {
  vpc: ResourceType.VPC,
  subnet: ResourceType.SUBNET,
  port: ResourceType.PORT,
  neighbor: ResourceType.NEIGHBOR,
  'security-group': ResourceType.SECURITYGROUP,
  'address-group': ResourceType.ADDRESS_GROUP,
  'network-acl': ResourceType.NETWORK_ACL,
  'qos-policy': ResourceType.QOS_POLICY,
  'floating-ip': ResourceType.FLOATING_IP,
  router: ResourceType.ROUTER,
  gateway: ResourceType.GATEWAY,
} as const;

const failuresAtMost = 10_000;

/**
 * What became of goals, for whoever listens: the newest report per resource. Ports and failures are kept, so that a new listener, which
 * did not tell of them itself, hears of them.
 */
export class Reports {
  readonly #held: Pick<HeldState, 'find' | 'waitsForVpc'>;
  readonly #tell: (report: OperationReport) => void;
  readonly #kept = new Map<string, OperationReport>();

  constructor(held: Pick<HeldState, 'find' | 'waitsForVpc'>, tell: (report: OperationReport) => void) {
    this.#held = held;
    this.#tell = tell;
  }

  /** How the ports stand that are here, and what failed last. */
  get standing(): readonly OperationReport[] {
    return [...this.#kept.values()].filter(
      ({ resourceType, resourceId }) =>
        resourceType !== ResourceType.PORT || this.#held.find(resourceId)?.kind === 'port',
    );
  }

  /** Answers for every port that `goals` name, also where nothing had to be done, and for whatever went wrong. */
  answer(
    goals: readonly StatedGoal[],
    outcomes: readonly ResourceOutcome[],
    verdicts: readonly Verdict[],
  ): OperationReport[] {
    const reports: OperationReport[] = [];
    const byId = new Map(outcomes.map((outcome) => [outcome.resourceId, outcome]));
    const namedPorts = new Set<string>();
    // What was refused says nothing of what is held.
    const refused = new Set(verdicts.map(({ goal }) => goal));
    for (const { goal, removed } of goals) {
      if (refused.has(goal)) continue;
      // The neighbour of the same id is no answer for the port.
      if (goal.kind === 'port') namedPorts.add(goal.state.id);
      const outcome = byId.get(goal.state.id);
      if (goal.kind === 'port' && !removed && this.#held.waitsForVpc(goal.state.vpcId)) {
        reports.push(report(goal, removed, OperationStatus.PENDING, 'the state of its VPC has not arrived'));
      } else if (outcome !== undefined && this.#isNews(goal, outcome)) {
        reports.push(outcomeReport(goal, removed, outcome));
      }
    }
    for (const { goal, removed, status, reason } of verdicts) reports.push(report(goal, removed, status, reason));
    for (const each of reports) this.#note(each);
    // A port that waited for its VPC is answered for when the VPC comes, in a message that does not name the port.
    for (const outcome of outcomes) if (!namedPorts.has(outcome.resourceId)) this.outcome(outcome);
    return reports;
  }

  /** Takes what the data plane says of its own accord. */
  outcome(outcome: ResourceOutcome): void {
    const goal = this.#held.find(outcome.resourceId);
    if (goal === undefined) return;
    if (this.#isNews(goal, outcome)) this.#note(outcomeReport(goal, false, outcome));
  }

  /** Of what is no port only trouble is told, and its end. */
  #isNews({ kind, state: { id } }: Goal, { status }: ResourceOutcome): boolean {
    if (kind === 'port' || status === 'failed') return true;
    return this.#kept.size > 0 && this.#kept.has(keyOf({ resourceType: resourceTypes[kind], resourceId: id }));
  }

  #note(next: OperationReport): void {
    this.#tell(next);
    if (next.operationStatus === OperationStatus.OUT_OF_ORDER) return;
    const key = keyOf(next);
    const isPort = next.resourceType === ResourceType.PORT && next.operationType !== OperationType.DELETE;
    const failed = next.operationStatus === OperationStatus.FAILURE;
    if (isPort || (failed && this.#kept.size < failuresAtMost)) this.#kept.set(key, next);
    else this.#kept.delete(key);
  }
}

export function keyOf({ resourceType, resourceId }: Pick<OperationReport, 'resourceType' | 'resourceId'>): string {
  return `${resourceType} ${resourceId}`;
}

/** Says that nothing was wrong with the goal. */
export function successOf({ goal, removed }: StatedGoal): OperationReport {
  return report(goal, removed, OperationStatus.SUCCESS, '');
}

function report(goal: Goal, removed: boolean, operationStatus: OperationStatus, reason: string): OperationReport {
  return OperationReport.fromPartial({
    resourceId: goal.state.id,
    resourceType: resourceTypes[goal.kind],
    operationType: removed ? OperationType.DELETE : OperationType.UPDATE,
    operationStatus,
    revisionNumber: goal.state.revisionNumber,
    reason,
  });
}

/** A port that is switched off is as wanted, but not active. */
function outcomeReport(goal: Goal, removed: boolean, outcome: ResourceOutcome): OperationReport {
  const off = !removed && goal.kind === 'port' && !goal.state.adminStateUp && outcome.status === 'ok';
  if (off) return report(goal, removed, OperationStatus.PENDING, 'administratively down');
  return report(goal, removed, statusOf(outcome), outcome.reason);
}

function statusOf(outcome: ResourceOutcome): OperationStatus {
  switch (outcome.status) {
    case 'ok':
      return OperationStatus.SUCCESS;
    case 'unplugged':
      return OperationStatus.PENDING;
    case 'failed':
      return OperationStatus.FAILURE;
  }
}
