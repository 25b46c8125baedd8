import {
  type Goal,
  GoalStateOperationReply,
  GoalStateOperationReply_GoalStateOperationStatus as OperationReport,
  type GoalStateV2,
  goalsOf,
  OperationStatus,
  OperationType,
  pushGoalStatesStream,
  ResourceType,
  type StatedGoal,
} from '@alcor/contract';
import { createWakeup, handler, type Handler, reliable, type Runtime, type Stream, type Wakeup } from '@alcor/runtime';
import { Dataplane, type ResourceOutcome, type Switch } from './dataplane/index.ts';
import { HeldState } from './held-state.ts';

export interface AgentOptions {
  readonly runtime: Runtime;
  readonly switch: Switch;
  /** This host's underlay address. */
  readonly hostIp: string;
  readonly log: (message: string, error?: unknown) => void;
  /** Told of every goal that is taken in, before it is programmed; for tools that watch. */
  readonly observe?: (goal: StatedGoal) => void;
}

type GoalStream = Stream<GoalStateOperationReply, GoalStateV2>;

/** One stream from a config manager; the newest is the one that counts. */
interface Session {
  readonly stop: AbortController;
  /** Reports that have not been sent, the newest per resource. */
  readonly reports: Map<string, OperationReport>;
  readonly wakeup: Wakeup;
  applied: number;
  done: Promise<void>;
}

const emptyReply = (): GoalStateOperationReply => GoalStateOperationReply.fromPartial({ formatVersion: 2 });

/**
 * The host's agent: takes goal states, keeps the switch at them and says what became of each port. When the config manager is
 * away, what is in force stays in force; after the agent's own restart nothing is deleted before it has been told everything.
 */
export class Agent {
  readonly dataplane: Dataplane;
  readonly held: HeldState;
  readonly #options: AgentOptions;
  #session: Session | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.dataplane = new Dataplane({
      switch: options.switch,
      hostIp: options.hostIp,
      clock: options.runtime.clock,
      onPortOutcome: (outcome) => this.#onOutcome(outcome),
    });
    this.held = new HeldState(this.dataplane, options.observe);
  }

  /** Connects to the switch and serves the contract at `address`; resolves with the address once both stand. */
  async start(address: string, signal: AbortSignal): Promise<string> {
    await this.dataplane.start(signal);
    return this.#options.runtime.transport.serve(address, [this.#handler()], signal);
  }

  #handler(): Handler {
    return handler(pushGoalStatesStream, (stream, signal) => this.#serve(stream, signal));
  }

  /** A new stream takes over from the one before, once that one has let go of the data plane. */
  async #serve(wire: GoalStream, signal: AbortSignal): Promise<void> {
    const before = this.#session;
    const session: Session = {
      stop: new AbortController(),
      reports: new Map(),
      wakeup: createWakeup(),
      applied: 0,
      done: Promise.resolve(),
    };
    this.#session = session;
    before?.stop.abort(new Error('a newer stream has taken over'));
    session.done = (before?.done ?? Promise.resolve())
      .catch(() => {})
      .then(() => this.#converse(wire, session, AbortSignal.any([signal, session.stop.signal])));
    return session.done;
  }

  async #converse(wire: GoalStream, session: Session, until: AbortSignal): Promise<void> {
    if (until.aborted) return;
    const { clock } = this.#options.runtime;
    const stream = reliable(wire, { clock, empty: emptyReply });
    const over = new AbortController();
    const close = (): void => stream.close();
    until.addEventListener('abort', close, { once: true });
    this.held.beginStream();
    this.#options.log('a config manager has connected');
    try {
      await Promise.race([
        this.#take(stream, session, until),
        this.#answer(stream, session, AbortSignal.any([until, over.signal])),
      ]);
    } catch (error) {
      this.#options.log('the stream from the config manager broke; what is in force stays', error);
    } finally {
      over.abort();
      until.removeEventListener('abort', close);
      stream.close();
    }
  }

  async #take(stream: GoalStream, session: Session, signal: AbortSignal): Promise<void> {
    let sequence = 0;
    for await (const message of stream.received) {
      if (signal.aborted) return;
      sequence++;
      const goals = goalsOf(message);
      const verdicts = this.held.apply(goals);
      if (message.complete) this.held.completeStream();
      const outcomes = message.complete ? await this.dataplane.reconcile(signal) : await this.dataplane.flush(signal);
      if (signal.aborted) return;
      this.#report(session, goals, outcomes);
      for (const { goal, removed, status, reason } of verdicts)
        queue(session, operationReport(goal, removed, status, reason));
      session.applied = sequence;
      session.wakeup.raise();
    }
  }

  /** Answers for every port the message named, also where nothing had to be done, and for whatever went wrong. */
  #report(session: Session, goals: readonly StatedGoal[], outcomes: readonly ResourceOutcome[]): void {
    const byId = new Map(outcomes.map((outcome) => [outcome.resourceId, outcome]));
    for (const { goal, removed } of goals) {
      const outcome = byId.get(goal.state.id);
      if (goal.kind === 'port' && this.held.waitsForVpc(goal.state.vpcId)) {
        queue(session, operationReport(goal, removed, OperationStatus.PENDING, 'the state of its VPC has not arrived'));
      } else if (outcome !== undefined && (goal.kind === 'port' || outcome.status === 'failed')) {
        queue(session, outcomeReport(goal, removed, outcome));
      }
    }
    // A port that waited for its VPC is answered for when the VPC comes, in a message that does not name the port.
    const named = new Set(goals.map(({ goal }) => goal.state.id));
    for (const outcome of outcomes) if (!named.has(outcome.resourceId)) this.#queueOutcome(session, outcome);
  }

  #onOutcome(outcome: ResourceOutcome): void {
    if (this.#session === undefined) return;
    this.#queueOutcome(this.#session, outcome);
    this.#session.wakeup.raise();
  }

  #queueOutcome(session: Session, outcome: ResourceOutcome): void {
    const state = this.held.findPort(outcome.resourceId);
    if (state === undefined) return;
    queue(session, outcomeReport({ kind: 'port', state }, false, outcome));
  }

  async #answer(stream: GoalStream, session: Session, signal: AbortSignal): Promise<void> {
    let answered = 0;
    while (!signal.aborted) {
      await session.wakeup.wait(signal);
      if (session.reports.size === 0 && session.applied === answered) continue;
      const reply = emptyReply();
      reply.operationStatuses = [...session.reports.values()];
      reply.appliedSequence = answered = session.applied;
      session.reports.clear();
      await stream.send(reply);
    }
  }
}

function queue(session: Session, report: OperationReport): void {
  session.reports.set(`${report.resourceType} ${report.resourceId}`, report);
}

const resourceTypes = {
  vpc: ResourceType.VPC,
  subnet: ResourceType.SUBNET,
  port: ResourceType.PORT,
  neighbor: ResourceType.NEIGHBOR,
  'security-group': ResourceType.SECURITYGROUP,
  'address-group': ResourceType.ADDRESS_GROUP,
  router: ResourceType.ROUTER,
} as const;

function operationReport(
  goal: Goal,
  removed: boolean,
  operationStatus: OperationStatus,
  reason: string,
): OperationReport {
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
  if (off) return operationReport(goal, removed, OperationStatus.PENDING, 'administratively down');
  return operationReport(goal, removed, statusOf(outcome), outcome.reason);
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
