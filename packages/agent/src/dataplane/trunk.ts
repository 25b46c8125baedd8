/**
 * Trunks, as flows: frames under a tag on the interface of a trunk's parent are those of a sub-port, which from there on is a port as any
 * other. It is known by a key of its own in place of the interface's number; only where frames come in, go out or are answered does the tag
 * exist. A tag that is no sub-port's ends in `classify`.
 */
import { apply, flow, goto, RULE, set } from './build.ts';
import { stamped } from './cookie.ts';
import { VLAN_TAGGED } from './fields.ts';
import { IN_PORT, type Action, type Flow, type Instruction, type Match } from './flow.ts';
import { pipeline } from './pipeline.ts';
import type { LocalPort } from './resources.ts';

/** As the port that a packet came in by, no interface's number: so that it may go out by any. */
const NOWHERE = 0;

/** A number of the port's own, of 29 bits: the OpenFlow number of its interface, which has 16 bits; of a sub-port one above these. */
export function portPlace({ trunk }: Pick<LocalPort, 'trunk'>, ofport: number): number {
  return trunk === undefined ? ofport : 0x1_0000 + ofport * 0x1000 + trunk.vlan;
}

/**
 * What the port is known by in reg0 and reg1: its interface's number, or that of a sub-port mixed, so that the low 16 bits, by which
 * connections are tracked, differ as chance would have it. No two ports have the same, because every step of the mixing can be undone.
 */
export function portKey(port: Pick<LocalPort, 'trunk'>, ofport: number): number {
  if (port.trunk === undefined) return ofport;
  let mixed = Math.imul(portPlace(port, ofport), 0x2c1b3c6d) & 0x7fff_ffff;
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x297a2d39) & 0x7fff_ffff;
  return (mixed | 0x8000_0000) >>> 0;
}

/** Where the port's frames come in. */
export function entrance({ trunk }: LocalPort, ofport: number): Match {
  return { in_port: ofport, vlan_vid: trunk === undefined ? 0 : VLAN_TAGGED | trunk.vlan };
}

/** The frames of a port that is up. */
export function entranceFlow(owner: bigint, port: LocalPort, ofport: number, mark: readonly Action[]): Flow {
  const untag: Action[] = port.trunk === undefined ? [] : [{ type: 'pop_vlan' }];
  const instructions: Instruction[] = [
    apply([...untag, set('reg0', portKey(port, ofport)), ...mark]),
    { type: 'write_metadata', value: BigInt(port.vni) },
    goto(port.qosPolicyId === undefined ? 'antispoof' : 'policing'),
  ];
  return stamped(owner, { table: pipeline.classify.id, priority: RULE, match: entrance(port, ofport), instructions });
}

/** The way back to who asked, for all ports that have an interface of their own. */
export function outputHostFlows(owner: bigint): Flow[] {
  return [flow(owner, 'back', RULE, {}, [{ type: 'output', port: IN_PORT }])];
}

/** The way to the port's VM, which counts what it gets. To a sub-port it leads under its tag, without which goes on what is sent to many. */
export function outputFlows(owner: bigint, port: LocalPort, ofport: number): Flow[] {
  const key = portKey(port, ofport);
  if (port.trunk === undefined) return [flow(owner, 'output', RULE, { reg1: key }, OUT)];
  return [
    flow(owner, 'output', RULE, { reg1: key }, [...toVm(port, ofport), { type: 'pop_vlan' }]),
    flow(owner, 'back', RULE + 1, { reg0: key }, [...tag(port.trunk), { type: 'output', port: IN_PORT }]),
  ];
}

/** Out to the VM that is reg1's; to a sub-port under its tag. */
export function toVm({ trunk }: LocalPort, ofport: number): Action[] {
  return trunk === undefined ? OUT : [...tag(trunk), set('reg1', ofport), ...OUT];
}

/** Two ports of one trunk send to each other by the interface that they share. */
const OUT: Action[] = [set('in_port_nxm', NOWHERE), { type: 'output_reg', field: 'reg1' }];

function tag({ vlan }: NonNullable<LocalPort['trunk']>): Action[] {
  return [{ type: 'push_vlan', ethertype: 0x8100 }, set('vlan_vid', VLAN_TAGGED | vlan)];
}
