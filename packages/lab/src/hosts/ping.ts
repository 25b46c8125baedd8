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

const intervalMs = 50;

/** Sends ICMP echo requests from inside a VM. No answer is a result, not an error. */
export async function ping(vm: Pick<Vm, 'netns'>, ip: string, options: PingOptions = {}): Promise<PingResult> {
  const { count = 1, timeoutMs = 1000, signal } = options;
  // Once it has had an answer, ping waits for the last one no longer than for the next: where it is given a deadline it goes on instead, and
  // the answer to what it sends later tells that one is lost.
  const patience = ['-w', String(Math.ceil((count * intervalMs + timeoutMs) / 1000))];
  const args = ['-n', '-c', String(count), '-i', String(intervalMs / 1000), '-W', String(timeoutMs / 1000)];
  return parsePing(await outputOf(vm.netns, [...args, ...(count > 1 ? patience : []), ip], { signal }), count);
}

/** What ping prints, of the first `count` of its requests. */
export function parsePing(output: string, count: number): PingResult {
  const transmitted = /(\d+) packets transmitted, \d+ received/.exec(output);
  if (transmitted === null) throw new Error(`unexpected output of ping: ${output}`);
  const sent = Math.min(Number(transmitted[1]), count);
  const answered = [...output.matchAll(/^\d+ bytes from .* icmp_seq=(\d+) /gm)].map(([, sequence]) => Number(sequence));
  const received = new Set(answered.filter((sequence) => sequence <= count)).size;
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
