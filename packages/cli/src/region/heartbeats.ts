import type { NodeId } from '@alcor/network';
import type { Clock } from '@alcor/runtime';

/** How soon a host that has just connected shows as alive. */
const lookMs = 2_000;
/** How often a connected host is noted; it counts as alive for two and a half of these. */
const beatMs = 30_000;

/** Notes in the store which hosts' agents are there, until `signal` aborts. What cannot be noted now is noted the next time. */
export async function noteHeartbeats(
  options: {
    /** The hosts that are in conversation with their config manager. */
    readonly connected: () => readonly string[];
    readonly heard: (nodeIds: readonly NodeId[]) => Promise<void>;
    readonly clock: Clock;
    readonly log: (message: string, error?: unknown) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { connected, heard, clock, log } = options;
  let noted = new Map<string, number>();
  while (!signal.aborted) {
    const now = clock.now();
    const present = connected();
    const due = present.filter((id) => now - (noted.get(id) ?? Number.NEGATIVE_INFINITY) >= beatMs);
    try {
      if (due.length > 0) await heard(due.map((id) => id as NodeId));
      const before = noted;
      noted = new Map(present.map((id) => [id, before.get(id) ?? now]));
      for (const id of due) noted.set(id, now);
    } catch (error) {
      log(`cannot note that ${due.length} agents were heard of`, error);
    }
    await clock.sleep(lookMs, signal).catch(() => {});
  }
}
