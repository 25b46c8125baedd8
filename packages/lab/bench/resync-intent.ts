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

/** Everything, what is referred to first; each host's agent is at `address`. */
export function* intentOf(size: Size, address: string): Generator<Change> {
  for (let n = 0; n < size.hosts; n++) yield inOnePiece(node(n, address));
  for (let n = 0; n < networkCount(size); n++) for (const change of networkAlone(n, size)) yield inOnePiece(change);
}

/**
 * With strings as those of rows that were read. One that a program puts together V8 keeps in pieces until somebody looks at its characters, which
 * would be whoever is measured.
 */
function inOnePiece<T>(value: T): T {
  // To see whether it is a number all pieces are put together.
  if (typeof value === 'string') Number(value);
  else if (typeof value === 'object') for (const name in value) inOnePiece(value[name]);
  return value;
}

/** One network, and the hosts that it is on. */
export function* intentOfNetwork(network: number, size: Size, address: string): Generator<Change> {
  for (const host of hostsOf(network, size)) yield node(host, address);
  yield* networkAlone(network, size);
}

export function networkCount({ ports }: Size): number {
  return Math.ceil(ports / portsOfNetwork);
}

/** The hosts that a network has ports on. */
export function hostsOf(network: number, { hosts }: Size): number[] {
  return Array.from({ length: hostsOfNetwork }, (_, n) => (network + n) % hosts);
}

function node(n: number, agentAddress: string): Change {
  return put('node', { ...rows.node(n, 1), agentAddress });
}

function* networkAlone(network: number, size: Size): Generator<Change> {
  yield put('network', rows.network(network, 1));
  yield put('security-group', rows.group(network, 1, [rows.rule(0), rows.rule(1, { direction: 'egress' })]));
  yield put('subnet', rows.subnet(network, 1));
  const on = hostsOf(network, size);
  const first = network * portsOfNetwork;
  for (let n = first; n < Math.min(first + portsOfNetwork, size.ports); n++)
    yield put('port', rows.port(n, 1, { network, host: on[n % hostsOfNetwork]!, groups: [network] }));
}
