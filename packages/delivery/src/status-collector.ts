import type { NodeId, PortId, PortStatus } from '@alcor/network';
import { type Clock, createWakeup } from '@alcor/runtime';

/** What a host says of one of its ports. */
export interface PortReport extends PortStatus {
  readonly nodeId: NodeId;
}

/** Keeps port statuses: the store. */
export interface StatusSink {
  /** Rejects when it could not keep them; they are then offered again. */
  setPortStatuses(reports: readonly PortReport[]): Promise<void>;
}

const atMostPerWrite = 2_000;
const retryMs = 500;

/** Carries acknowledgements up to `port.status`: the newest word on each port, many ports in one write, until it is kept. */
export class StatusCollector {
  readonly #sink: StatusSink;
  readonly #clock: Clock;
  readonly #log: (message: string, error?: unknown) => void;
  readonly #wakeup = createWakeup();
  readonly #pending = new Map<PortId, PortReport>();

  constructor(options: { sink: StatusSink; clock: Clock; log: (message: string, error?: unknown) => void }) {
    this.#sink = options.sink;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  report(report: PortReport): void {
    this.#pending.set(report.portId, report);
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
    for (const { portId } of reports) this.#pending.delete(portId);
    try {
      await this.#sink.setPortStatuses(reports);
    } catch (error) {
      for (const report of reports) if (!this.#pending.has(report.portId)) this.#pending.set(report.portId, report);
      this.#log(`cannot keep the status of ${reports.length} ports; trying again in ${retryMs} ms`, error);
      await this.#clock.sleep(retryMs, signal).catch(() => {});
    }
  }
}
