/**
 * Floating IPs, as flows of the host that answers for them. One that stands for an address is put in its place packet by packet, without
 * connections: it loses none when its port moves, and stops with its flows. One of which ports are forwarded is the connection tracker's, in its router's zone.
 */
import { ipv4, mac } from '@alcor/openflow';
import { type AddressQuality, noQuality } from './address-quality.ts';
import { EXCEPTION, flow, RULE, set } from './build.ts';
import { resourceCookie } from './cookie.ts';
import type { Action, Flow, Match } from './flow.ts';
import { meterOf } from './meters.ts';
import type { FloatingIp, PortForwarding, RouterGateway } from './resources.ts';
import {
  answersOf,
  answersOnWire,
  answersThroughZone,
  commit,
  markOf,
  OPENING,
  related,
  throughZone,
  toServer,
  VALID,
} from './router-gateway.ts';
import { keyOf, keySet } from './routes.ts';
import { portPrefixes } from './traffic-match.ts';

/** ICMP errors: what they quote has addresses as well, which no flow can write. */
const ERRORS = [3, 11, 12];

/** `gateway`: of the floating IP's router. */
export function floatingIpFlows(
  floating: FloatingIp,
  gateway: RouterGateway,
  quality: AddressQuality = noQuality,
): readonly Flow[] {
  const { id, ip, mac: own, fixedIp, forwardings } = floating;
  const owner = resourceCookie(id);
  return [
    ...answersOnWire(owner, gateway.vni, own, [ip], 'host'),
    ...(fixedIp === null ? [] : inPlaceOf(owner, floating, fixedIp, gateway, quality)),
    ...(fixedIp === null && forwardings.length > 0 ? forwarded(owner, floating, gateway, quality) : []),
  ];
}

function inPlaceOf(
  owner: bigint,
  { routerId, ip, mac: own }: FloatingIp,
  fixedIp: string,
  { vni }: RouterGateway,
  quality: AddressQuality,
): Flow[] {
  const key = keyOf(routerId);
  const give: Action = { type: 'controller', meter: meterOf('service', vni) };
  const from: Match = { ...key, eth_type: 0x0800, ipv4_src: ipv4(fixedIp) };
  const to: Match = { metadata: BigInt(vni), eth_dst: mac(own), eth_type: 0x0800, ipv4_dst: ipv4(ip) };
  const outward = [...quality.outward, set('ipv4_src', ipv4(ip)), set('eth_src', mac(own))];
  return [
    // From a port of this host, and from another host where the port's own has no way out.
    ...(['departing', 'translation'] as const).flatMap((table) => [
      flow(owner, table, EXCEPTION, from, outward, 'outward'),
      ...ERRORS.map((icmpv4_type) =>
        flow(owner, table, EXCEPTION + 1, { ...from, ip_proto: 1, icmpv4_type }, [set('eth_src', mac(own)), give]),
      ),
    ]),
    flow(owner, 'arriving', RULE, to, [...quality.inward, set('ipv4_dst', ipv4(fixedIp)), ...keySet(key)], 'routing'),
    ...ERRORS.map((icmpv4_type) =>
      flow(owner, 'arriving', EXCEPTION, { ...to, ip_proto: 1, icmpv4_type }, [...keySet(key), give]),
    ),
  ];
}

function forwarded(owner: bigint, floating: FloatingIp, gateway: RouterGateway, quality: AddressQuality): Flow[] {
  const { routerId, ip, mac: own, forwardings } = floating;
  const { vni } = gateway;
  const key = keyOf(routerId);
  const to: Match = { metadata: BigInt(vni), eth_dst: mac(own), eth_type: 0x0800, ipv4_dst: ipv4(ip) };
  return [
    flow(owner, 'arriving', RULE, to, [
      ...quality.inward,
      ...keySet(key),
      ...throughZone(routerId, gateway, 'returned'),
    ]),
    ...forwardings.flatMap((each) => [
      ...forwarding(owner, { ...key, eth_type: 0x0800 }, ipv4(ip), each, quality),
      ...helped(owner, to, floating, each, gateway, quality),
    ]),
  ];
}

function forwarding(owner: bigint, v4: Match, ip: number, each: PortForwarding, quality: AddressQuality): Flow[] {
  const mark = markOf(each.id);
  const known: Match = { ...v4, ct_state: VALID, ct_mark: mark };
  const opens: Match = { ...v4, ct_state: OPENING, ct_mark: 0, ip_proto: each.protocol, ipv4_dst: ip };
  const port = each.protocol === 6 ? 'tcp_dst' : 'udp_dst';
  return [
    flow(owner, 'returned', EXCEPTION, known, [], 'routing'),
    flow(owner, 'translated', EXCEPTION, known, quality.outward, 'outward'),
    ...translations(each).map(({ ports, to }) => {
      const translation = { type: 'nat', side: 'dst', ipv4: { min: ipv4(each.fixedIp) } } as const;
      const nat = to === null ? translation : { ...translation, ports: { min: to } };
      const match = ports === undefined ? opens : { ...opens, [port]: ports };
      return flow(owner, 'returned', RULE, match, [commit(mark, 'routing', nat)]);
    }),
  ];
}

/** What the router's helpers make of connections that come by a forwarding. `to`: what arrives for the floating IP. */
function helped(
  owner: bigint,
  to: Match,
  { routerId, ip }: FloatingIp,
  each: PortForwarding,
  gateway: RouterGateway,
  quality: AddressQuality,
): Flow[] {
  const v4: Match = { ...keyOf(routerId), eth_type: 0x0800 };
  const mark = markOf(each.id);
  const [first, last] = each.external;
  const helpers = (gateway.helpers ?? []).filter(
    ({ protocol, port }) => protocol === each.protocol && port >= first && port <= last,
  );
  const control = helpers.flatMap((helper) => {
    const { application, port } = helper;
    const within = internalPort(each, port);
    const nat = { type: 'nat', side: 'dst', ipv4: { min: ipv4(each.fixedIp) }, ports: { min: within } } as const;
    const opens: Match = { ...v4, ...toServer(helper), ct_state: OPENING, ct_mark: 0, ipv4_dst: ipv4(ip) };
    const from: Match = { ...v4, ipv4_src: ipv4(each.fixedIp) };
    return [
      flow(owner, 'arriving', RULE + 1, { ...to, ...toServer(helper) }, [
        ...quality.inward,
        ...keySet(v4),
        ...throughZone(routerId, gateway, 'returned', application),
      ]),
      flow(owner, 'returned', RULE + 1, opens, [commit(mark, 'routing', nat, application)]),
      ...answersOf({ ...helper, port: within }).map((answers) =>
        flow(owner, 'translation', RULE + 2, { ...from, ...answers }, [
          set('eth_src', mac(gateway.mac)),
          ...answersThroughZone(routerId, gateway, 'translated', application),
        ]),
      ),
    ];
  });
  return control.length === 0 ? [] : [...control, ...related(owner, v4, mark, quality.outward)];
}

function internalPort({ external: [first, last], internal: [to, end] }: PortForwarding, port: number): number {
  return to === end && first !== last ? to : to + port - first;
}

/** Which ports become which; null: they stay as they are. What moves all ports by as much has a flow for each, else prefixes do. */
function translations({ external: [first, last], internal: [to, end] }: PortForwarding) {
  if (first === to && last === end) return portPrefixes(first, last).map((ports) => ({ ports, to: null }));
  if (to === end) return portPrefixes(first, last).map((ports) => ({ ports, to }));
  return Array.from({ length: last - first + 1 }, (_, n) => ({ ports: first + n, to: to + n }));
}
