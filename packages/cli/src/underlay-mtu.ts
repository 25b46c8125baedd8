import type { StatedGoal } from '@alcor/contract';
import { tunnelOverhead } from '@alcor/network';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** The device of this machine with an address, and the largest IP packet that it carries, in bytes. */
export interface UnderlayDevice {
  readonly name: string;
  readonly mtu: number;
}

/** Undefined where no device has the address, as where the tunnels end in another network namespace. */
export function deviceWith(ip: string): UnderlayDevice | undefined {
  const [name] =
    Object.entries(networkInterfaces()).find(([, all]) => all?.some(({ address }) => address === ip)) ?? [];
  return name === undefined ? undefined : { name, mtu: Number(readFileSync(`/sys/class/net/${name}/mtu`, 'utf8')) };
}

/**
 * Says of networks whose packets do not fit through this host's underlay, once for each MTU that a network has: those of guests would be lost
 * between hosts without a word. Networks that lie on a physical one are not tunnelled.
 */
export function watchUnderlay(options: {
  readonly hostIp: string;
  readonly log: (line: string) => void;
  readonly device?: (ip: string) => UnderlayDevice | undefined;
}): (stated: StatedGoal) => void {
  const { hostIp, log, device = deviceWith } = options;
  const said = new Map<string, number>();
  return ({ goal, removed }) => {
    if (goal.kind !== 'vpc') return;
    const { id, mtu, physicalNetwork } = goal.state;
    if (removed) said.delete(id);
    if (removed || physicalNetwork !== '' || said.get(id) === mtu) return;
    const underlay = device(hostIp);
    if (underlay === undefined || mtu + tunnelOverhead <= underlay.mtu) return;
    said.set(id, mtu);
    log(
      `network ${id} has an MTU of ${mtu}, which takes ${mtu + tunnelOverhead} bytes of the underlay, but ${underlay.name} (${hostIp}) ` +
        `carries ${underlay.mtu}: packets of more than ${underlay.mtu - tunnelOverhead} bytes are lost between hosts`,
    );
  };
}
