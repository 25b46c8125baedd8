/** A guest that floods those who answer it with what it likes, on real Open vSwitch. */
import { realRuntime, seededRandom } from '@alcor/runtime';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent } from './agent.ts';
import { HOST_IP } from './dataplane/index.ts';
import { meterOf, meterPurposes, type MeterPurpose } from './dataplane/meters.ts';
import { missingOpenVswitch, OpenVswitch } from './dataplane/testing/open-vswitch.ts';
import { port } from './dataplane/testing/region.ts';
import { boot, insideNamespace, vmNamespace } from './dataplane/testing/virtual-machines.ts';
import { goalsOfBoth, OTHER_VNI, properFrames, VNI } from './testing/two-tenants.ts';

const missing = missingOpenVswitch();
const FRAMES = 60_000;

/** Sends the frames of a file, one a line in hexadecimal, over and over as fast as it can. */
const FLOOD = `
import socket, sys
frames = [bytes.fromhex(line) for line in open(sys.argv[1])]
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("eth0", 0))
sent = 0
while sent < int(sys.argv[2]):
    for frame in frames:
        try:
            sock.send(frame)
        except OSError:
            pass
        sent += 1
`;

/** Asks the host for a name until it is told; prints the address. */
const ASK = `
import socket
question = b"\\0\\1\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\6hidden\\0\\0\\1\\0\\1"
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(1)
for _ in range(30):
    try:
        sock.sendto(question, ("${HOST_IP}", 53))
        print(socket.inet_ntoa(sock.recv(512)[-4:]))
        break
    except OSError:
        pass
`;

/** Proper questions, and such with some bytes changed or cut off: behind the addresses, so that most of them come to who answers. */
function mangled(count: number): string[] {
  const random = seededRandom(6);
  const below = (bound: number): number => Math.floor(random.next() * bound);
  return Array.from({ length: count }, () => {
    const bytes = Uint8Array.from(properFrames[below(properFrames.length)]!);
    const from = below(3) === 0 ? 14 : Math.min(42, bytes.length - 1);
    for (let change = below(4); change > 0; change--) bytes[from + below(bytes.length - from)] = below(256);
    const whole = below(4) === 0 ? bytes.subarray(0, 14 + below(bytes.length - 13)) : bytes;
    return Buffer.from(whole).toString('hex');
  });
}

describe.skipIf(missing !== '')(`a flood of packets from a guest${missing && ` (skipped: ${missing})`}`, () => {
  let ovs: OpenVswitch;

  beforeEach(async () => {
    ovs = await OpenVswitch.start();
  });

  afterEach(() => ovs.stop());

  /** What a meter was given of packets, and what it let pass. */
  async function metered(purpose: MeterPurpose, vni: number): Promise<{ given: number; passed: number }> {
    const text = await ovs.ofctl('meter-stats', `meter=${meterOf(purpose, vni)}`);
    const [given = 0, dropped = 0] = [...text.matchAll(/packet_(?:in_)?count:(\d+)/g)].map(([, count]) =>
      Number(count),
    );
    return { given, passed: given - dropped };
  }

  test('reaches the agent as far as its meters allow, and nobody else; others are answered meanwhile', async () => {
    const runtime = realRuntime();
    const stop = new AbortController();
    const driver = ovs.driver();
    const start = driver.start.bind(driver);
    let came = 0;
    driver.start = (tell, signal) =>
      start((event) => {
        if (event.type === 'packet') came += 1;
        tell(event);
      }, signal);
    const agent = new Agent({ runtime, switch: driver, hostIp: '192.0.2.1', log: () => undefined });
    await agent.start(`unix:${join(ovs.folder, 'agent.sock')}`, stop.signal);
    // The first tenant's neighbours are told on demand, so that packets to nobody come to the agent as well.
    const stream = agent.held.openStream();
    agent.held.begin(stream, ['w'], ['v']);
    agent.held.apply(stream, goalsOfBoth.map((goal) => ({ goal, removed: false }))); // prettier-ignore
    await agent.dataplane.flush(stop.signal);
    const place = { mac: '02:00:00:00:00:05', ips: ['10.0.0.5', 'fd00::5'] };
    await boot(ovs, port('p', { vni: VNI, ...place }), 1);
    await boot(ovs, port('q', { vni: OTHER_VNI, ...place }), 2);
    const [attacker, neighbour] = [vmNamespace(ovs, 1), vmNamespace(ovs, 2)];
    await insideNamespace(neighbour, 'ip', 'route', 'add', `${HOST_IP}/32`, 'dev', 'eth0');
    while ((await insideNamespace(neighbour, 'python3', '-c', ASK)).stdout.trim() !== '10.0.0.5');
    const frames = join(ovs.folder, 'frames');
    await writeFile(frames, mangled(5_000).join('\n'));
    // Not the database's statistics, which are seconds old.
    const received = async (index: number): Promise<number> =>
      Number(/tx pkts=(\d+)/.exec(await ovs.ofctl('dump-ports', `vm${index}`))?.[1]);
    const begun = runtime.clock.now();
    const flood = insideNamespace(attacker, 'python3', '-c', FLOOD, frames, String(FRAMES));
    const { stdout } = await insideNamespace(neighbour, 'python3', '-c', ASK);
    expect(stdout.trim()).toBe('10.0.0.5');
    await flood;
    // Before the meters are read: what comes in between has passed them by then.
    const comeSoFar = came;
    const service = await metered('service', VNI);
    const unknown = await metered('unknown', VNI);
    const seconds = (runtime.clock.now() - begun) / 1_000;
    for (const [purpose, { passed }] of [['service', service], ['unknown', unknown]] as const) {
      const { rate, burst } = meterPurposes[purpose];
      expect(passed).toBeLessThanOrEqual(burst + rate * seconds);
    } // prettier-ignore
    // More was asked than was let through, or the test would show nothing.
    expect(service.given).toBeGreaterThan(2 * service.passed);
    expect(service.passed).toBeGreaterThan(100);
    const others = await metered('service', OTHER_VNI);
    expect(comeSoFar).toBeLessThanOrEqual(service.passed + unknown.passed + others.passed);
    // The other tenant has got what it asked for: an answer to each ARP request and question.
    expect(await received(2)).toBeLessThan(100);
    expect(await received(1)).toBeGreaterThan(100);
    stop.abort();
  });
});
