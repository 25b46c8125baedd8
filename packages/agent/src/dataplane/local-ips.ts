/**
 * Local IPs, as flows of a port that stands for some: guests of its network that are on this host reach it by them, whatever MAC they send to.
 * Translated where a guest sends, before anything judges the packet, and back where it gets the answer, after everything has: so groups and
 * ACLs of both ends see the port's own address. Of two ports on one host that stand for one local IP the tracker takes the one of the smaller id.
 */
import { ipv4, mac } from '@alcor/openflow';
import { EXCEPTION, FALLBACK, flow, RULE, set } from './build.ts';
import { hash32 } from './cookie.ts';
import type { Action, CtAction, Flow, Match } from './flow.ts';
import { pipeline } from './pipeline.ts';
import type { LocalIp, LocalPort } from './resources.ts';
import { arpReply } from './responder.ts';
import { markOf, OPENING, VALID } from './router-gateway.ts';

/** `key`: what the port is known by. */
export function localIpFlows(owner: bigint, key: number, port: LocalPort): Flow[] {
  const { localIps = [] } = port;
  // Two local IPs of different networks may have one address, of which the first counts.
  const its = localIps.filter(({ ip }, at) => localIps.findIndex((other) => other.ip === ip) === at);
  const translated = its.filter(({ isTranslated }) => isTranslated);
  return [
    ...its.flatMap((each) => (each.isTranslated ? toItself(owner, key, port, each) : asItIs(owner, key, port, each))),
    ...[...new Set(translated.map(({ fixedIp }) => fixedIp))].map((fixedIp) => answer(owner, key, port, fixedIp)),
  ];
}

/** The port gets what is sent to its own address. What it sends to the local IP itself goes to who has that address elsewhere. */
function toItself(owner: bigint, key: number, port: LocalPort, { ip, fixedIp }: LocalIp): Flow[] {
  const metadata = BigInt(port.vni);
  const to: Match = { metadata, eth_type: 0x0800, ipv4_dst: ipv4(ip) };
  const mark = markOf(`${ip} ${fixedIp} ${port.id}`);
  const known: Match = { metadata, eth_type: 0x0800, ct_state: VALID, ct_mark: mark };
  const translate: CtAction = {
    type: 'ct',
    commit: true,
    zone: ZONE,
    table: pipeline.leavingSubnet.id,
    actions: [
      { type: 'set_field', field: 'ct_mark', value: mark },
      { type: 'nat', side: 'dst', ipv4: { min: ipv4(fixedIp) } },
    ],
  };
  return [
    answerArp(owner, port, ip),
    flow(owner, 'localIp', EXCEPTION, { reg0: key, ...asksFor(ip) }, [], 'leavingSubnet'),
    flow(owner, 'localIp', EXCEPTION, { reg0: key, eth_type: 0x0800, ipv4_dst: ipv4(ip) }, [], 'leavingSubnet'),
    flow(owner, 'localIp', RULE, to, [
      set('eth_dst', mac(port.mac)),
      ...throughZone(port.id, fixedIp, pipeline.localIpOpened.id),
    ]),
    flow(owner, 'localIpOpened', EXCEPTION, known, [], 'leavingSubnet'),
    flow(owner, 'localIpOpened', RULE, { ...to, ct_state: OPENING, ct_mark: 0 }, [translate]),
  ];
}

/** The port has the local IP as an address of its own, of which no other host is to hear: what it asks in its name is answered here or not at all. */
function asItIs(owner: bigint, key: number, port: LocalPort, { ip }: LocalIp): Flow[] {
  const to: Match = { metadata: BigInt(port.vni), eth_type: 0x0800, ipv4_dst: ipv4(ip) };
  return [
    answerArp(owner, port, ip),
    flow(owner, 'localIp', EXCEPTION, { reg0: key, ...asksFor(ip) }, []),
    flow(owner, 'localIp', RULE, to, [set('eth_dst', mac(port.mac))], 'leavingSubnet'),
    flow(owner, 'services', FALLBACK, { reg0: key, eth_type: 0x0806, arp_spa: ipv4(ip) }, []),
  ];
}

/** The local IPs that its VM has itself, and sends from. */
export function addressedAs({ localIps = [] }: LocalPort): string[] {
  return localIps.filter(({ isTranslated }) => !isTranslated).map(({ ip }) => ip);
}

function answerArp(owner: bigint, port: LocalPort, ip: string): Flow {
  const match: Match = { metadata: BigInt(port.vni), ...asksFor(ip) };
  return flow(owner, 'localIp', RULE, match, arpReply(mac(port.mac), ipv4(ip)));
}

function asksFor(ip: string): Match {
  return { eth_type: 0x0806, arp_op: 1, arp_tpa: ipv4(ip) };
}

function answer(owner: bigint, key: number, { id }: LocalPort, fixedIp: string): Flow {
  const match: Match = { reg0: key, eth_type: 0x0800, ipv4_src: ipv4(fixedIp) };
  return flow(owner, 'localIpAnswer', RULE, match, throughZone(id, fixedIp, pipeline.output.id));
}

const ZONE = { field: 'reg15', bits: 16 } as const;

/**
 * Through the tracker, addresses as the connection has them translated. The zone is that of the port and its address, so that connections end
 * with what they led to; never one of groups (`router-gateway.ts`). Marks tell connections apart where two have one zone.
 */
function throughZone(portId: string, fixedIp: string, table: number): Action[] {
  const zone = 0x8000 | (hash32(`zone local ${portId} ${fixedIp}`) & 0x7fff);
  return [set('reg15', zone), { type: 'ct', zone: ZONE, table, actions: [{ type: 'nat' }] }];
}
