import pc from 'picocolors';
import { table } from '../output.ts';
import type { DemoPing, DemoResult } from './demo.ts';
import type { HostSet } from './hosts.ts';

/** The one JSON object that `--json` promises. */
export function regionJson({ dataplane, hosts }: HostSet, { ports, pings }: DemoResult): string {
  return JSON.stringify({
    dataplane,
    hosts: hosts.map(({ id, name, ip, netns, ovsdb, bridge }) => ({ id, name, ip, netns, ovsdb, bridge })),
    ports: ports.map(({ id, network, host, ip, mac, status }) => ({ id, network, host, ip, mac, status })),
    pings,
  });
}

/** The same for people. */
export function regionText({ dataplane, hosts }: HostSet, { ports, pings }: DemoResult): string {
  const hostRows = hosts.map(({ id, ip, netns, bridge, ovsdb }) => [id, ip, netns ?? '-', bridge ?? '-', ovsdb ?? '-']);
  const portRows = ports.map(({ name, networkName, host, ip, mac, status }) => [
    name,
    networkName,
    host,
    ip,
    mac,
    status,
  ]);
  const nameOf = new Map(ports.map(({ id, name }) => [id, name]));
  const pingRows = pings.map((ping) => [
    nameOf.get(ping.from)!,
    nameOf.get(ping.to)!,
    ping.sameVpc ? 'same' : 'other',
    result(ping),
  ]);
  return [
    `Hosts (${dataplane === 'ovs' ? 'Open vSwitch' : 'in-memory switches, not Open vSwitch'})`,
    table(['HOST', 'UNDERLAY', 'NETNS', 'BRIDGE', 'OVSDB'], hostRows),
    ...(ports.length === 0
      ? []
      : ['', 'Ports', table(['PORT', 'NETWORK', 'HOST', 'ADDRESS', 'MAC', 'STATUS'], portRows)]),
    ...(pings.length === 0 ? [] : ['', 'Pings', table(['FROM', 'TO', 'VPC', 'RESULT'], pingRows)]),
  ].join('\n');
}

function result({ ok, sameVpc, rttMs }: DemoPing): string {
  const text = ok ? `reached in ${rttMs?.toFixed(2)} ms` : 'no answer';
  return ok === sameVpc ? `${text} (as it should be)` : pc.red(`${text} (WRONG)`);
}
