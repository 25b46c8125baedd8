/** What end-to-end tests look at while a region works: pings that go on, and what has come to a switch. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RegionJson, sh } from './region-process.ts';

/** More than are ever on their way. */
const answersAtTheEnd = 50;
const patienceMs = 60_000;

const pings: ChildProcess[] = [];

/**
 * A ping each 20 ms until `end`, which answers with how many were sent and how many of those came back. What is on its way then is not lost: it
 * waits for an answer to one that is sent later, as long as answers come at all.
 */
export function ping(vm: string, to: string): { end(): Promise<{ sent: number; received: number }> } {
  const child = spawn('ip', ['netns', 'exec', vm, 'ping', '-i', '0.02', to], { stdio: ['ignore', 'pipe', 'ignore'] });
  const answered = new Set<number>();
  let rest = '';
  child.stdout.on('data', (data: Buffer) => {
    const lines = (rest + data.toString()).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const [, sequence] = /bytes from .* icmp_seq=(\d+)/.exec(line) ?? [];
      if (sequence !== undefined) answered.add(Number(sequence));
    }
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  pings.push(child);
  return {
    async end() {
      const begun = performance.now();
      const before = answered.size;
      const isAnswered = (): boolean => answered.size >= before + answersAtTheEnd;
      while (!isAnswered() && performance.now() - begun < patienceMs) await sleep(20);
      child.kill('SIGINT');
      await ended;
      const last = Math.max(...answered);
      // Where nothing came in the end, the last ones are lost as well.
      return { sent: last + (isAnswered() ? 0 : answersAtTheEnd), received: answered.size };
    },
  };
}

/** For `afterEach`. */
export function stopPings(): void {
  for (const child of pings.splice(0)) child.kill('SIGKILL');
}

/** Whether a flow of the port that has the address has come to the host's switch. */
export function knows(json: RegionJson, host: number, ip: string): boolean {
  return hasFlow(json, host, `arp_tpa=${ip}[ ,]`);
}

/** Whether the host's switch gives its agent what goes to nobody whom it knows of a network, to ask who that is. */
export function asksAbout(json: RegionJson, host: number, vni: number): boolean {
  return hasFlow(json, host, `metadata=0x${vni.toString(16)},dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 .*controller`);
}

function hasFlow(json: RegionJson, host: number, pattern: string): boolean {
  const socket = json.hosts[host]!.ovsdb.replace('db.sock', 'br-int.mgmt');
  return Number(sh(`ovs-ofctl -O OpenFlow15 dump-flows ${socket} | grep -c '${pattern}' || true`)) > 0;
}
