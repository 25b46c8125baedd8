import type { Flow, FlowMod } from './flow.ts';
import { instructionsKey } from './instructions.ts';
import { matchKey } from './match-codec.ts';
import { encodeMessage } from './messages/encode.ts';

/** What names a flow in a switch: two flows with equal keys cannot both be there (section 5.2). */
export function flowKey(flow: Pick<Flow, 'table' | 'priority' | 'match'>): string {
  return `${flow.table},${flow.priority},${matchKey(flow.match)}`;
}

/** Whether a switch that has `a` need not be told about `b`: counters and `check_overlap` do not count. */
export function sameFlow(a: Flow, b: Flow): boolean {
  return (
    flowKey(a) === flowKey(b) &&
    (a.cookie ?? 0n) === (b.cookie ?? 0n) &&
    (a.idleTimeout ?? 0) === (b.idleTimeout ?? 0) &&
    (a.hardTimeout ?? 0) === (b.hardTimeout ?? 0) &&
    (a.importance ?? 0) === (b.importance ?? 0) &&
    lastingFlags(a) === lastingFlags(b) &&
    instructionsKey(a.instructions) === instructionsKey(b.instructions)
  );
}

/** Flags that stay with the flow; `check_overlap` and `reset_counts` are about the moment of writing. */
function lastingFlags({ flags = [] }: Flow): string {
  const lasting = flags.filter((flag) => flag !== 'check_overlap' && flag !== 'reset_counts');
  return lasting.sort().join();
}

/** A flow-mod as one whole message. Throws `bad_value` for what does not fit. */
export function encodeFlowMod(mod: FlowMod, xid: number): Buffer {
  return encodeMessage(mod, xid);
}
