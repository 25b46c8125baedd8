/** What a region of many hosts is to be: networks of a hundred ports, each on ten hosts in a row, so that a host is in ten of them. */
import type { Change } from '@alcor/network';
import { put, rowsNamed } from '../../compiler/src/testing/rows.ts';

export interface Size {
  readonly hosts: number;
  readonly ports: number;
}

const portsOfNetwork = 100;
const hostsOfNetwork = 10;
const kinds = ['net', 'sub', 'port', 'group'];

/** Names as long as those of real resources; a host's name is its number. */
const rows = rowsNamed((kind, n) => {
  const hex = n.toString(16).padStart(12, '0');
  return kind === 'host' ? `host-${n}` : `0000000${kinds.indexOf(kind)}-0000-7000-8000-${hex}`;
});

export const hostName = rows.nodeId;
export const networkName = rows.networkId;

/** The networks that a host has ports in. */
export function networksOf(host: number, { hosts, ports }: Size): number[] {
  const networks = Math.ceil(ports / portsOfNetwork);
  return Array.from({ length: hostsOfNetwork }, (_, n) => (host + hosts - n) % hosts).filter((n) => n < networks);
}

/** Everything, what is referred to first; each host's agent is at `address`. */
export function* intentOf({ hosts, ports }: Size, address: string): Generator<Change> {
  for (let n = 0; n < hosts; n++) yield put('node', { ...rows.node(n, 1), agentAddress: address });
  for (let n = 0; n * portsOfNetwork < ports; n++) {
    yield put('network', rows.network(n, 1));
    yield put('security-group', rows.group(n, 1, [rows.rule(0), rows.rule(1, { direction: 'egress' })]));
    yield put('subnet', rows.subnet(n, 1));
  }
  for (let n = 0; n < ports; n++) {
    const network = Math.floor(n / portsOfNetwork);
    const host = (network + (n % hostsOfNetwork)) % hosts;
    yield put('port', rows.port(n, 1, { network, host, groups: [network] }));
  }
}
