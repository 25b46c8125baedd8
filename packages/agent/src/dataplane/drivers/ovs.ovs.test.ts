import { test } from 'vitest';
import { injected } from '../testing/injection.ts';
import { missingOpenVswitch, OpenVswitch } from '../testing/open-vswitch.ts';
import { switchContract } from './switch.contract.ts';

const missing = missingOpenVswitch();

if (missing === '') {
  switchContract('Open vSwitch', async () => {
    const ovs = await OpenVswitch.start();
    return {
      driver: ovs.driver(),
      another: () => ovs.driver(),
      stop: () => ovs.stop(),
      plug: async (id) => void (await ovs.plug(id)),
      unplug: (id) => ovs.unplug(id),
      inject: (id, packet) => injected(ovs, id, packet),
      restart: async () => {
        await ovs.killDaemon();
        await ovs.startDaemon();
      },
    };
  });
} else {
  test.skip(`Open vSwitch keeps the contract of a switch: ${missing}`);
}
