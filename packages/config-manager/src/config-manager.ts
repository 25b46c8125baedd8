import type { Goal, GoalStateOperationReply_GoalStateOperationStatus as OperationReport } from '@alcor/contract';
import { type Bus, createWakeup, type Runtime, type Topic } from '@alcor/runtime';
import { HostSession, type HostState } from './host-session.ts';

export interface ManagedHost {
  readonly id: string;
  readonly agentAddress: string;
}

export interface ConfigManagerOptions {
  readonly runtime: Runtime;
  readonly goals: Bus<Goal>;
  readonly hosts: Topic<ManagedHost>;
  /** What a host says became of its goals. */
  readonly onReport: (hostId: string, report: OperationReport) => void;
  readonly log: (message: string, error?: unknown) => void;
}

interface Managed {
  readonly session: HostSession;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** The network configuration manager: one session per registered host, which keeps the host at what the topics say. */
export class ConfigManager {
  readonly #options: ConfigManagerOptions;
  readonly #managed = new Map<string, Managed>();

  constructor(options: ConfigManagerOptions) {
    this.#options = options;
  }

  /** How the host stands; undefined for a host that is not registered. */
  host(id: string): HostState | undefined {
    return this.#managed.get(id)?.session.state;
  }

  /** The hosts that answer now. */
  get connected(): readonly string[] {
    return [...this.#managed].flatMap(([id, { session }]) =>
      session.state.state === 'synchronising' || session.state.state === 'synchronised' ? [id] : [],
    );
  }

  /** Runs until `signal` aborts; begin when the topics are complete, because a session tells its host when it has said all. */
  async run(signal: AbortSignal): Promise<void> {
    const { hosts } = this.#options;
    const wakeup = createWakeup();
    const subscription = hosts.subscribe(wakeup.raise);
    while (!signal.aborted) {
      for (const { key, value, removed, position } of hosts.after(subscription.position, 1000)) {
        subscription.position = position;
        await this.#release(key);
        if (!removed) this.#manage(value, signal);
      }
      if (subscription.position === hosts.position) await wakeup.wait(signal);
    }
    subscription.close();
    await Promise.all([...this.#managed.keys()].map((id) => this.#release(id)));
  }

  #manage(host: ManagedHost, signal: AbortSignal): void {
    const stop = new AbortController();
    const session = new HostSession(host, this.#options);
    const done = session.run(AbortSignal.any([signal, stop.signal]));
    this.#managed.set(host.id, { session, stop, done });
  }

  async #release(id: string): Promise<void> {
    const managed = this.#managed.get(id);
    if (managed === undefined) return;
    this.#managed.delete(id);
    managed.stop.abort();
    await managed.done;
  }
}
