/** Real switches for the third judge: one for each host, with an interface for every port that a plan may have. */
import { dialBytes } from '@alcor/runtime';
import { OpenVswitch } from '../../../../agent/src/dataplane/testing/open-vswitch.ts';
import { type Ofports, portIds } from '../hosts.ts';
import { OvsJudge, type RealSwitch } from '../ovs-judge.ts';
import { Unixctl } from '../unixctl.ts';

export { missingOpenVswitch } from '../../../../agent/src/dataplane/testing/open-vswitch.ts';

export interface RealSwitches {
  readonly judge: OvsJudge;
  readonly ofports: Ofports;
  close(): Promise<void>;
}

/** Three, as plans have hosts. */
export async function startSwitches(): Promise<RealSwitches> {
  const stop = new AbortController();
  const started = await Promise.all([1, 2, 3].map(() => OpenVswitch.start()));
  const each = await Promise.all(started.map((ovs) => prepared(ovs, stop.signal)));
  const [{ ofports }] = each as [Prepared];
  const texts = new Set(
    each.map((one) =>
      JSON.stringify([one.ofports.tunnel, one.ofports.gateway, one.ofports.wire, ...one.ofports.ports]),
    ),
  );
  if (texts.size !== 1) throw new Error('the switches number their ports differently');
  return {
    judge: new OvsJudge(
      each.map(({ real }) => real),
      ofports,
    ),
    ofports,
    async close() {
      stop.abort();
      for (const { real } of each) real.unixctl.close();
      for (const ovs of started) await ovs.stop();
    },
  };
}

interface Prepared {
  readonly real: RealSwitch;
  readonly ofports: Ofports;
}

/** Tunnels as the driver would make them, but with numbers that are the same on every switch. */
async function makeTunnel(ovs: OpenVswitch, name: string, ofport: number, options: readonly string[]): Promise<void> {
  const settings = ['type=vxlan', 'options:remote_ip=flow', 'options:key=flow', ...options, `ofport_request=${ofport}`];
  await ovs.vsctl('add-port', 'br-int', name, '--', 'set', 'interface', name, ...settings);
}

async function prepared(ovs: OpenVswitch, signal: AbortSignal): Promise<Prepared> {
  await makeTunnel(ovs, 'vxlan0', 1, []);
  await makeTunnel(ovs, 'vxlan0-gw', 2, ['options:dst_port=14789']);
  const driver = ovs.driver();
  const tunnels = new Map<string, number>();
  const made = new Promise<void>((resolve) => {
    void driver.start((event) => {
      if ((event.type === 'tunnel' || event.type === 'gateway-tunnel') && event.ofport !== null)
        tunnels.set(event.type, event.ofport);
      if (tunnels.size === 2) resolve();
    }, signal);
  });
  await made;
  const wire = await ovs.plug('wire');
  const ports = new Map<string, number>();
  for (const id of portIds) ports.set(id, await ovs.plug(id));
  const unixctl = new Unixctl(await dialBytes(`unix:${ovs.folder}/ovs-vswitchd.ctl`, signal));
  return {
    real: { bridge: 'br-int', unixctl, driver },
    ofports: { tunnel: tunnels.get('tunnel')!, gateway: tunnels.get('gateway-tunnel')!, wire, ports },
  };
}
