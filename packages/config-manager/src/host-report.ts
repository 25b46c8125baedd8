import {
  type GoalStateOperationReply,
  type GoalStateOperationReply_GoalStateOperationStatus as OperationReport,
  OperationStatus,
  OperationType,
} from '@alcor/contract';

/** How many failures are remembered of one host; of more, only that there are. */
const failuresAtMost = 1_000;
/** How many messages may be unanswered before the oldest are left out of account. */
const unansweredAtMost = 1_000;

/** What a host has confirmed: positions of topics that the stream tells, and what went wrong, in the switch's words. */
export class HostReport {
  /** Failures by resource, the oldest first. */
  readonly #failures = new Map<string, OperationReport>();
  /** Applied positions by topic. */
  readonly #applied = new Map<string, number>();
  /** What the messages told that are not yet answered, by sequence. */
  readonly #sent = new Map<number, ReadonlyMap<string, number>>();
  #failuresLeftOut = 0;

  get failures(): readonly OperationReport[] {
    return [...this.#failures.values()];
  }

  /** Failures that there was no room for. */
  get failuresLeftOut(): number {
    return this.#failuresLeftOut;
  }

  /** Position up to which the host has applied the topic. */
  applied(topic: string): number {
    return this.#applied.get(topic) ?? 0;
  }

  /** A stream begins: its host is told from nothing again. */
  begin(): void {
    this.#applied.clear();
    this.#sent.clear();
  }

  sent(sequence: number, positions: ReadonlyMap<string, number>): void {
    if (positions.size > 0) this.#sent.set(sequence, positions);
    if (this.#sent.size <= unansweredAtMost) return;
    const [oldest] = this.#sent.keys();
    if (oldest !== undefined) this.#sent.delete(oldest);
  }

  take({ appliedSequence, operationStatuses }: GoalStateOperationReply): void {
    for (const [sequence, positions] of this.#sent) {
      if (sequence > appliedSequence) break;
      for (const [topic, position] of positions) this.#applied.set(topic, position);
      this.#sent.delete(sequence);
    }
    for (const report of operationStatuses) this.#takeReport(report);
  }

  /** The host is not told of the topic any more. */
  forget(topic: string): void {
    this.#applied.delete(topic);
  }

  #takeReport(report: OperationReport): void {
    if (report.operationStatus === OperationStatus.OUT_OF_ORDER) return;
    const key = `${report.resourceType} ${report.resourceId}`;
    const failed = [OperationStatus.FAILURE, OperationStatus.INVALID_ARG].some(
      (each) => each === report.operationStatus,
    );
    this.#failures.delete(key);
    if (!failed || report.operationType === OperationType.GET) return;
    if (this.#failures.size < failuresAtMost) this.#failures.set(key, report);
    else this.#failuresLeftOut++;
  }
}
