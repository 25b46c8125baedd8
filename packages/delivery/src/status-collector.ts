import {
  type GoalStateOperationReply_GoalStateOperationStatus as OperationReport,
  OperationStatus,
  OperationType,
  ResourceType,
} from '@alcor/contract';
import type { NodeId, PortId, PortReport, PortStatus } from '@alcor/network';
import { type Clock, createWakeup } from '@alcor/runtime';

/** Keeps port statuses: the store. */
export interface StatusSink {
  /**
   * Keeps those that come from the host that the port is bound to now; the others speak of the past.
   * Rejects when it could not keep them; they are then offered again.
   */
  setPortStatuses(reports: readonly PortReport[]): Promise<void>;
}

/** OUT_OF_ORDER says nothing of the port: the word on its newer revision has been or will be said. */
const statuses: ReadonlyMap<OperationStatus, PortStatus['status']> = new Map([
  [OperationStatus.SUCCESS, 'ACTIVE'],
  [OperationStatus.PENDING, 'DOWN'],
  [OperationStatus.FAILURE, 'ERROR'],
  [OperationStatus.INVALID_ARG, 'ERROR'],
]);

const atMostPerWrite = 2_000;
const retryMs = 500;

/** Carries acknowledgements up to `port.status`: the newest word on each port, many ports in one write, until it is kept. */
export class StatusCollector {
  readonly #sink: StatusSink;
  readonly #clock: Clock;
  readonly #log: (message: string, error?: unknown) => void;
  readonly #wakeup = createWakeup();
  readonly #pending = new Map<string, PortReport>();

  constructor(options: { sink: StatusSink; clock: Clock; log: (message: string, error?: unknown) => void }) {
    this.#sink = options.sink;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Takes what a host says of one of its goals; only the presence of ports is kept. */
  take(hostId: string, report: OperationReport): void {
    if (report.resourceType !== ResourceType.PORT || report.operationType === OperationType.DELETE) return;
    const status = statuses.get(report.operationStatus);
    if (status === undefined) return;
    const { resourceId, reason } = report;
    const portReport = { portId: resourceId as PortId, nodeId: hostId as NodeId, status, reason };
    this.#pending.set(keyOf(portReport), portReport);
    this.#wakeup.raise();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#wakeup.wait(signal);
      while (this.#pending.size > 0 && !signal.aborted) await this.#write(signal);
    }
  }

  async #write(signal: AbortSignal): Promise<void> {
    const reports = [...this.#pending.values()].slice(0, atMostPerWrite);
    for (const report of reports) this.#pending.delete(keyOf(report));
    try {
      await this.#sink.setPortStatuses(reports);
    } catch (error) {
      for (const report of reports) {
        if (!this.#pending.has(keyOf(report))) this.#pending.set(keyOf(report), report);
      }
      this.#log(`cannot keep the status of ${reports.length} ports; trying again in ${retryMs} ms`, error);
      await this.#clock.sleep(retryMs, signal).catch(() => {});
    }
  }
}

function keyOf(report: PortReport): string {
  return `${report.portId} ${report.nodeId}`;
}
