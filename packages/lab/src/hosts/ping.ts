import type { Abortable } from './means.ts';
import { runIn } from './namespace.ts';
import { CommandError } from './run.ts';
import type { Vm } from './vm.ts';

export interface PingOptions extends Abortable {
  /** 1 unless given. */
  readonly count?: number;
  /** How long to wait for each answer; 1000 unless given. */
  readonly timeoutMs?: number;
}

export interface PingResult {
  /** True where every request was answered. */
  readonly ok: boolean;
  readonly sent: number;
  readonly received: number;
  /** Mean of the answers; `undefined` where none came. */
  readonly rttMs: number | undefined;
}

/** Sends ICMP echo requests from inside a VM. No answer is a result, not an error. */
export async function ping(vm: Pick<Vm, 'netns'>, ip: string, options: PingOptions = {}): Promise<PingResult> {
  const { count = 1, timeoutMs = 1000, signal } = options;
  const args = ['-n', '-q', '-c', String(count), '-i', '0.05', '-W', String(timeoutMs / 1000), ip];
  return parsePing(await outputOf(vm.netns, args, { signal }));
}

/** Reads the summary that ping ends with. */
export function parsePing(output: string): PingResult {
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(output);
  if (counts === null) throw new Error(`unexpected output of ping: ${output}`);
  const [sent, received] = [Number(counts[1]), Number(counts[2])];
  const mean = /= [\d.]+\/([\d.]+)\//.exec(output)?.[1];
  return { ok: sent > 0 && received === sent, sent, received, rttMs: mean === undefined ? undefined : Number(mean) };
}

async function outputOf(netns: string, args: readonly string[], options: Abortable): Promise<string> {
  try {
    return await runIn(netns, 'ping', args, options);
  } catch (error) {
    // Status 1 says that nobody answered. The rest ("unreachable" above all) says the same in the summary, where there is one.
    if (error instanceof CommandError && error.stdout.includes('packets transmitted')) return error.stdout;
    if (error instanceof CommandError && /unreachable/i.test(error.stderr)) return '0 packets transmitted, 0 received';
    throw error;
  }
}
