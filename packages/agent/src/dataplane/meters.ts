/**
 * How much the agent is given of one network's packets, and how many of them are copied to all of it. Each purpose has a few meters, and a network the one that its VNI
 * falls on: nothing is allocated, so a new process finds the meters that it would make, and a flood takes from few.
 */
export const meterPurposes = {
  /** Packets to who is not known yet: the first ones, and whatever a scan of the network sends. */
  unknown: { rate: 2_000, burst: 2_000 },
  /** What the agent answers itself, e.g. a DHCP client. */
  service: { rate: 500, burst: 500 },
  /** What is said to all of a network, of which each packet becomes as many as there are hosts and ports. */
  broadcast: { rate: 1_000, burst: 1_000 },
} as const;

export type MeterPurpose = keyof typeof meterPurposes;

export interface Meter {
  readonly id: number;
  readonly unit: 'packets' | 'kilobits';
  /** Units per second. */
  readonly rate: number;
  /** Units at once. */
  readonly burst: number;
}

const perPurpose = 64;
const purposes = Object.keys(meterPurposes) as MeterPurpose[];

export function meterOf(purpose: MeterPurpose, vni: number): number {
  return 1 + purposes.indexOf(purpose) * perPurpose + (vni % perPurpose);
}

/** All that a switch needs, whatever ports are plugged. */
export const meters: readonly Meter[] = purposes.flatMap((purpose) =>
  Array.from({ length: perPurpose }, (_, vni) => ({
    id: meterOf(purpose, vni),
    unit: 'packets' as const,
    ...meterPurposes[purpose],
  })),
);

const FIRST_OF_PORTS = 0x1_0000;
const FIRST_OF_ADDRESSES = 0x8000_0000;
const PER_PLACE = 4;
/** As many as fit below the numbers that OpenFlow keeps for itself. */
export const ADDRESS_PLACES = 0x1000_0000;

type Direction = 'ingress' | 'egress';

/**
 * The meter of the port at this place (`trunk.ts`), for one direction and unit. Nothing is allocated: a new process finds those that it
 * would make, and no two ports share one.
 */
export function portMeter(place: number, direction: Direction, unit: Meter['unit']): number {
  return FIRST_OF_PORTS + place * PER_PLACE + offsetOf(direction, unit);
}

/** The meter of the address on an external network at this place (`address-quality.ts`). */
export function addressMeter(place: number, direction: Direction, unit: Meter['unit']): number {
  return FIRST_OF_ADDRESSES + place * PER_PLACE + offsetOf(direction, unit);
}

function offsetOf(direction: Direction, unit: Meter['unit']): number {
  return (direction === 'ingress' ? 2 : 0) + (unit === 'packets' ? 1 : 0);
}

/** Of which direction a port's meter is. */
export function directionOf(id: number): Direction {
  return (id - FIRST_OF_PORTS) % PER_PLACE < offsetOf('ingress', 'kilobits') ? 'egress' : 'ingress';
}

/** Whether it is one of those that come and go with ports and addresses. */
export function isResourceMeter(id: number): boolean {
  return id >= FIRST_OF_PORTS;
}
