/** What end-to-end tests look at while a region works: pings that go on, and what has come to a switch. */
import { type ChildProcess, spawn } from 'node:child_process';
import { type RegionJson, sh } from './region-process.ts';

const pings: ChildProcess[] = [];

/** A ping each 20 ms until `end`, which answers with how many were sent and how many came back. */
export function ping(vm: string, to: string): { end(): Promise<{ sent: number; received: number }> } {
  const child = spawn('ip', ['netns', 'exec', vm, 'ping', '-q', '-i', '0.02', to], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  pings.push(child);
  return {
    async end() {
      child.kill('SIGINT');
      await ended;
      const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(said)!;
      return { sent: Number(sent), received: Number(received) };
    },
  };
}

/** For `afterEach`. */
export function stopPings(): void {
  for (const child of pings.splice(0)) child.kill('SIGKILL');
}

/** Whether a flow of the port that has the address has come to the host's switch. */
export function knows(json: RegionJson, host: number, ip: string): boolean {
  const socket = json.hosts[host]!.ovsdb.replace('db.sock', 'br-int.mgmt');
  return Number(sh(`ovs-ofctl -O OpenFlow15 dump-flows ${socket} | grep -c 'arp_tpa=${ip}[ ,]' || true`)) > 0;
}
