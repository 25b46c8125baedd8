import type { Fabric, Vm } from '@alcor/agent';
import type { Port } from '@alcor/network';
import { subnetOf } from './addresses.ts';
import type { SimulatedHost } from './host.ts';

/** Every VM has an interface for each sub-port of its trunk, as the trunk is now, wherever the VM is plugged. */
export function followTrunks(hosts: readonly SimulatedHost[], fabric: Fabric, ports: readonly Port[]): void {
  for (const host of hosts) {
    const wanted = ports.filter(({ trunk }) => trunk !== null && host.vms.has(trunk.parentId));
    const ids = new Set<string>(wanted.map(({ id }) => id));
    for (const [id, vm] of host.subVms) if (!ids.has(id)) drop(host, fabric, vm);
    for (const port of wanted) {
      const present = host.subVms.get(port.id);
      if (present?.trunk?.parentId === port.trunk!.parentId && present.trunk.vlan === port.trunk!.vlan) continue;
      if (present !== undefined) drop(host, fabric, present);
      host.subVms.set(port.id, fabric.addVm(host.node.ip, specOf(port)));
    }
  }
}

export function specOf({ id, mac, fixedIps, networkId, trunk }: Port) {
  const plain = { id, mac, ips: fixedIps.map(({ ip }) => ip), subnets: [subnetOf(networkId)] };
  return trunk === null ? plain : { ...plain, trunk };
}

function drop(host: SimulatedHost, fabric: Fabric, vm: Vm): void {
  host.subVms.delete(vm.id);
  fabric.removeVm(vm);
}
