/** Network namespaces with a veth end on the bridge: what VMs are to a real switch. Gone when the test ends. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import type { LocalPort } from '../resources.ts';
import type { OpenVswitch } from './open-vswitch.ts';

const run = promisify(execFile);

export function vmNamespace(ovs: OpenVswitch, index: number): string {
  return `${ovs.netns}-${index}`;
}

/** With the port's first IPv4 and IPv6 address, in this order. */
export async function boot(ovs: OpenVswitch, vm: LocalPort, index: number): Promise<void> {
  const netns = vmNamespace(ovs, index);
  onTestFinished(async () => void (await ip('netns', 'del', netns).catch(() => undefined)));
  const inside = (...command: string[]) => insideNamespace(netns, ...command);
  await ip('netns', 'add', netns);
  const peer = ['peer', 'name', 'eth0', 'netns', netns];
  await ip('-n', ovs.netns, 'link', 'add', `vm${index}`, 'type', 'veth', ...peer);
  await ip('-n', ovs.netns, 'link', 'set', `vm${index}`, 'up');
  await inside('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=0', 'net.ipv6.conf.eth0.disable_ipv6=0');
  await ip('-n', netns, 'link', 'set', 'lo', 'up');
  await ip('-n', netns, 'link', 'set', 'eth0', 'address', vm.mac, 'up');
  await inside('ethtool', '-K', 'eth0', 'tx', 'off');
  await ip('-n', netns, 'addr', 'add', `${vm.ips[0]}/24`, 'dev', 'eth0');
  await ip('-n', netns, 'addr', 'add', `${vm.ips[1]}/64`, 'dev', 'eth0', 'nodad');
  const claim = ['set', 'interface', `vm${index}`, `external_ids:iface-id=${vm.id}`];
  await ovs.vsctl('add-port', 'br-int', `vm${index}`, '--', ...claim);
}

export function insideNamespace(netns: string, ...command: string[]): Promise<{ stdout: string; stderr: string }> {
  return ip('netns', 'exec', netns, ...command);
}

function ip(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return run('ip', args);
}
