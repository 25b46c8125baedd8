/** What flows and meters have counted, each asked for by itself: Open vSwitch finds a whole cookie by hash, so it looks at nothing else. */
import { SwitchError, type MultipartQuery, type OpenFlowConnection } from '@alcor/openflow';
import type { FlowIdentity } from '../flow.ts';
import type { Count } from '../switch.ts';

const WHOLE_COOKIE = 0xffff_ffff_ffff_ffffn;
/** Questions on their way at once: what else the switch is asked meanwhile waits for no more of them. */
const AT_ONCE = 64;
const NOTHING: Count = { packets: 0n, bytes: 0n };

export async function flowCounts(
  connection: OpenFlowConnection,
  flows: readonly FlowIdentity[],
  signal: AbortSignal,
): Promise<Count[]> {
  return inTurns(flows, async ({ table, cookie }) => {
    const filter = { table, cookie, cookieMask: WHOLE_COOKIE };
    return ask(connection, { kind: 'aggregate', filter }, signal);
  });
}

export async function meterCounts(
  connection: OpenFlowConnection,
  meters: readonly number[],
  signal: AbortSignal,
): Promise<Count[]> {
  return inTurns(meters, async (meter) => {
    try {
      return await ask(connection, { kind: 'meter_stats', meter }, signal);
    } catch (error) {
      // There is no such meter.
      if (error instanceof SwitchError) return NOTHING;
      throw error;
    }
  });
}

async function ask(connection: OpenFlowConnection, query: MultipartQuery, signal: AbortSignal): Promise<Count> {
  let count = NOTHING;
  for await (const part of connection.multipart(query, { signal })) {
    if (part.kind === 'aggregate') count = sumOf([count, part.stats]);
    if (part.kind === 'meter_stats') count = sumOf([count, ...part.meters.flatMap(({ bands }) => bands)]);
  }
  return count;
}

function sumOf(counts: readonly Count[]): Count {
  return {
    packets: counts.reduce((sum, { packets }) => sum + packets, 0n),
    bytes: counts.reduce((sum, { bytes }) => sum + bytes, 0n),
  };
}

async function inTurns<T>(questions: readonly T[], answer: (question: T) => Promise<Count>): Promise<Count[]> {
  const answers: Count[] = [];
  for (let at = 0; at < questions.length; at += AT_ONCE)
    answers.push(...(await Promise.all(questions.slice(at, at + AT_ONCE).map(answer))));
  return answers;
}
