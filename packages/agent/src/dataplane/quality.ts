/** What QoS policies make of ports: meters, which what the VM sends and what it is sent has to pass, and a mark. */
import { EXCEPTION, flow, RULE, set } from './build.ts';
import { resourceCookie } from './cookie.ts';
import type { Action, Flow, Match } from './flow.ts';
import { type Meter, portMeter } from './meters.ts';
import type { LocalPort, QosPolicy, RateLimit } from './resources.ts';
import { portKey, portPlace, toVm } from './trunk.ts';

/** The largest that a guest may hand over at once, with segmentation offload: a burst with no room for it would end all of them. */
const LARGEST_KILOBITS = Math.ceil((65_536 * 8) / 1000);
/** Seconds of its rate that a limit lets pass at once where its rule says nothing, as Neutron has it. */
const DEFAULT_BURST = 0.8;
/** And at least: Open vSwitch fills a bucket each millisecond, and one that holds less than that never. */
const LEAST_BURST = 0.01;
const MOST = 0xffff_ffff;

export interface Quality {
  readonly flows: readonly Flow[];
  readonly meters: readonly Meter[];
}

/** Of a port whose interface is plugged at `ofport` and that has the policy. */
export function qualityOf(port: LocalPort, ofport: number, { limits, dscpMark }: QosPolicy): Quality {
  const owner = resourceCookie(port.id);
  const place = portPlace(port, ofport);
  const meterOfPort = (limit: RateLimit): Meter => meterFor(portMeter(place, limit.direction, unitOf(limit)), limit);
  const sent = limits.filter(({ direction }) => direction === 'egress').map(meterOfPort);
  const received = limits.filter(({ direction }) => direction === 'ingress').map(meterOfPort);
  const pass = sent.map(through);
  const from: Match = { reg0: portKey(port, ofport) };
  const marked = dscpMark === null ? [] : [0x0800, 0x86dd];
  return {
    meters: [...sent, ...received],
    flows: [
      ...(pass.length > 0 ? [flow(owner, 'policing', RULE, from, pass, 'antispoof')] : []),
      ...marked.map((eth_type) =>
        flow(owner, 'policing', EXCEPTION, { ...from, eth_type }, [...pass, set('ip_dscp', dscpMark!)], 'antispoof'),
      ),
      ...(received.length > 0 ? [narrow(owner, port, ofport, received)] : []),
    ],
  };
}

/** In a clone: of what is for all ports of a network, one that has had enough takes nothing from the others. */
function narrow(owner: bigint, port: LocalPort, ofport: number, meters: readonly Meter[]): Flow {
  const actions: Action[] = [...meters.map(through), ...toVm(port, ofport)];
  return flow(owner, 'output', EXCEPTION, { reg1: portKey(port, ofport) }, [{ type: 'clone', actions }]);
}

export function through({ id }: Meter): Action {
  return { type: 'meter', meter: id };
}

/** What holds the limit. */
export function meterFor(id: number, limit: RateLimit): Meter {
  const { rate, burst } = limit;
  const unit = unitOf(limit);
  const atOnce = Math.ceil(burst === 0 ? rate * DEFAULT_BURST : Math.max(burst, rate * LEAST_BURST));
  if (unit === 'kilobits') {
    const most = { rate: Math.min(rate, MOST), burst: Math.min(Math.max(atOnce, LARGEST_KILOBITS), MOST) };
    return { id, unit, ...most };
  }
  return { id, unit, rate: Math.min(rate * 1000, MOST), burst: Math.min(atOnce * 1000, MOST) };
}

export function unitOf({ unit }: RateLimit): Meter['unit'] {
  return unit === 'kilobits' ? 'kilobits' : 'packets';
}
