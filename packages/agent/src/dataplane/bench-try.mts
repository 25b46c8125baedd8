import { OpenVswitch } from './testing/open-vswitch.ts';
import { Dataplane } from './dataplane.ts';
import { MemorySwitch } from './drivers/memory.ts';
import { realRuntime } from '@alcor/runtime';
const { clock } = realRuntime();
const N = 100_000;
const never = new AbortController().signal;
async function go(name: string, sw: any, stop: AbortController) {
  const d = new Dataplane({ switch: sw, hostIp: '192.0.2.1', clock });
  await d.start(stop.signal);
  await clock.sleep(300);
  const t0 = performance.now();
  for (let n = 0; n < N; n++)
    d.setNeighbor({
      id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      vpcId: 'v',
      vni: 100,
      mac: (0x020000000000 + n).toString(16).padStart(12, '0').match(/../g)!.join(':'),
      ips: [`10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`],
      hostIp: `192.0.3.${n % 250}`,
      revision: 1,
    });
  const t1 = performance.now();
  const out = await d.reconcile(never);
  const t2 = performance.now();
  console.log(
    name,
    N,
    'neighbours: program',
    Math.round(t1 - t0),
    'ms, write',
    Math.round(t2 - t1),
    'ms',
    'not ok',
    out.filter((o) => o.status !== 'ok').length,
    d.describe().flows,
    'heap MB',
    Math.round(process.memoryUsage().heapUsed / 1e6),
  );
  const t3 = performance.now();
  d.setNeighbor({
    id: 'x',
    vpcId: 'v',
    vni: 100,
    mac: '02:ff:00:00:00:00',
    ips: ['11.0.0.1'],
    hostIp: '192.0.3.1',
    revision: 1,
  });
  await d.flush(never);
  console.log('one more', (performance.now() - t3).toFixed(2), 'ms');
  return d;
}
await go('memory', new MemorySwitch(), new AbortController());
const ovs = await OpenVswitch.start();
try {
  const stop = new AbortController();
  await go('ovs', ovs.driver(), stop);
  stop.abort();
  const stop2 = new AbortController();
  const d = new Dataplane({ switch: ovs.driver(), hostIp: '192.0.2.1', clock });
  const t0 = performance.now();
  await d.start(stop2.signal);
  console.log('restart: read back', Math.round(performance.now() - t0), 'ms');
  stop2.abort();
} finally {
  await ovs.stop();
}
process.exit(0);
