import { ipv4, ipv4Text, ipv6, ipv6Text, mac, macText } from '@alcor/openflow';
import type { Clock, Timer } from '@alcor/runtime';
import {
  arpRequest,
  BROADCAST,
  type Dataplane,
  decodeFrame,
  encodeFrame,
  neighborAdvertisement,
  neighborSolicitation,
  NO_PORT,
  type OutsideNeighbor,
  type Packet,
  type PacketIn,
  type ServedAddress,
} from './dataplane/index.ts';
import { translatedError } from './translated-errors.ts';

/** How often a machine that is known is asked whether it is still there, and one that does not answer is asked again, in ms. */
const REFRESH_MS = 30_000;
const RETRY_MS = 1_000;
const TRIES = 3;
/** Packets that wait for one machine's answer, as of most kernels, and machines that are known or asked for at once. */
const MOST_HELD = 4;
const MOST_MACHINES = 4_096;
/** When what this host begins to answer for is told to the wire, in ms: the first time may come before its flows. */
const ANNOUNCE_MS = [100, 1_000, 5_000];

const ALL_NODES = { mac: 0x3333_0000_0001, ip: ipv6('ff02::1') };
/** It overrides what was known (RFC 4861 section 4.4). */
const OVERRIDE = 0x2000_0000;

interface Machine {
  readonly vni: number;
  readonly ip: string;
  /** In whose name it is asked for. */
  asker: ServedAddress;
  /** Empty while it has not answered. */
  mac: string;
  /** `Clock.now` of when the switch had its flow; undefined before. */
  inForceSince: number | undefined;
  unanswered: number;
  readonly held: PacketIn[];
  timer: Timer | undefined;
}

export interface OutsideMachinesOptions {
  readonly dataplane: Pick<
    Dataplane,
    'send' | 'flush' | 'setOutsideNeighbor' | 'removeOutsideNeighbor' | 'servedAt' | 'servedOn' | 'floatingIpAt'
  >;
  readonly clock: Clock;
  readonly log: (message: string, error?: unknown) => void;
}

/**
 * Machines on the wires of external networks, by ARP and neighbour discovery in the name of what this host answers for there: packets to who is
 * not known wait a moment for the answer. And what the wire is told when this host begins to answer for an address.
 */
export class OutsideMachines {
  readonly #options: OutsideMachinesOptions;
  readonly #machines = new Map<string, Machine>();
  /** Of what is still to be told the wire. */
  readonly #announcing = new Set<Timer>();
  #signal: AbortSignal = AbortSignal.abort();

  constructor(options: OutsideMachinesOptions) {
    this.#options = options;
  }

  start(signal: AbortSignal): void {
    this.#signal = signal;
    const stop = (): void => {
      for (const { timer } of this.#machines.values()) timer?.cancel();
      for (const timer of this.#announcing) timer.cancel();
    };
    signal.addEventListener('abort', stop, { once: true });
  }

  /** Tells the wire where these addresses are: what has known them elsewhere learns it, and switches on the way do. */
  onServing(addresses: readonly ServedAddress[]): void {
    if (this.#signal.aborted) return;
    for (const after of ANNOUNCE_MS) {
      const timer = this.#options.clock.timer(after, () => {
        this.#announcing.delete(timer);
        for (const each of addresses) if (this.#serves(each)) this.#send(each.vni, announcement(each));
      });
      this.#announcing.add(timer);
    }
  }

  /** False if the packet is none of this. */
  onPacket(packet: PacketIn): boolean {
    const { table } = packet;
    if (table === 'outsideHop') this.#resolve(packet);
    else if (table === 'departing' || table === 'translation') this.#translate(packet);
    else if (table !== 'arriving') return false;
    else if (!this.#learn(packet)) this.#translate(packet);
    return true;
  }

  #serves({ vni, ip, mac: own }: ServedAddress): boolean {
    return this.#options.dataplane.servedAt(vni, own).some((each) => each.ip === ip);
  }

  #translate(packet: PacketIn): void {
    const { dataplane } = this.#options;
    const answer = translatedError(packet, {
      floatingIpAt: (vni, ip) => dataplane.floatingIpAt(vni, ip),
      servedAt: (vni, own) => dataplane.servedAt(vni, own),
    });
    if (answer !== undefined) dataplane.send([answer]);
  }

  /** The packet waits until its next hop has said where it is. */
  #resolve(packet: PacketIn): void {
    const { vni, registers } = packet.context;
    const { headers } = decodeFrame(packet.frame);
    const ip = headers.eth_type === 0x86dd ? nextHop6(registers) : ipv4Text(registers.reg4 ?? 0);
    const known = this.#machines.get(keyOf({ vni, ip }));
    if (known !== undefined) {
      this.#resolveKnown(known, packet);
      return;
    }
    const served = this.#options.dataplane.servedAt(vni, macText(Number(headers.eth_src ?? 0)));
    const asker = served.find((each) => isAlike(each.ip, ip));
    if (asker === undefined || this.#machines.size >= MOST_MACHINES || !isOneMachine(ip)) return;
    const machine: Machine = { vni, ip, asker, ...unknown(), held: [packet] };
    this.#machines.set(keyOf(machine), machine);
    this.#ask(machine);
  }

  /** A packet may have been on its way here when the flow came into force; one that is missed later is missed for another reason, and would go in circles. */
  #resolveKnown({ held, inForceSince }: Machine, packet: PacketIn): void {
    if (inForceSince === undefined) {
      if (held.length < MOST_HELD) held.push(packet);
    } else if (this.#options.clock.now() - inForceSince < RETRY_MS)
      this.#flush(() => this.#options.dataplane.send([packet]));
  }

  #ask(machine: Machine): void {
    const asker = this.#askerFor(machine);
    if (machine.unanswered >= TRIES || asker === undefined) return this.#forget(machine);
    machine.asker = asker;
    machine.unanswered++;
    // Before the question is sent: its answer may be here by the time it has been.
    machine.timer = this.#options.clock.timer(RETRY_MS, () => this.#ask(machine));
    this.#send(machine.vni, questionFor(machine));
    return undefined;
  }

  /** Another address of this host may still need a machine that was first asked for in the name of one that is gone. */
  #askerFor({ vni, ip, asker }: Machine): ServedAddress | undefined {
    if (this.#serves(asker)) return asker;
    for (const each of this.#options.dataplane.servedOn(vni)) if (isAlike(each.ip, ip)) return each;
    return undefined;
  }

  #forget(machine: Machine): void {
    machine.timer?.cancel();
    this.#machines.delete(keyOf(machine));
    if (machine.mac === '') return;
    this.#options.dataplane.removeOutsideNeighbor(machine);
    this.#flush();
  }

  /** False if the packet is no answer. Nobody who was not asked for is listened to. */
  #learn({ frame, context: { vni } }: PacketIn): boolean {
    const { headers } = decodeFrame(frame);
    const said = answerIn(headers);
    if (said === undefined) return false;
    const machine = this.#machines.get(keyOf({ vni, ip: said.ip }));
    if (machine === undefined) return true;
    machine.unanswered = 0;
    machine.timer?.cancel();
    machine.timer = this.#options.clock.timer(REFRESH_MS, () => this.#ask(machine));
    if (machine.mac === said.mac) return true;
    machine.mac = said.mac;
    this.#options.dataplane.setOutsideNeighbor({ vni, ip: said.ip, mac: said.mac });
    this.#flush(() => {
      machine.inForceSince ??= this.#options.clock.now();
      this.#options.dataplane.send(machine.held.splice(0));
    });
    return true;
  }

  #flush(then: () => void = () => undefined): void {
    this.#options.dataplane
      .flush(this.#signal)
      .then(then)
      .catch((error: unknown) => {
        if (!this.#signal.aborted) this.#options.log('cannot write where machines outside are', error);
      });
  }

  /** To all of the network: ports of this host, and the wire. */
  #send(vni: number, packet: Packet): void {
    const context = { inPort: NO_PORT, vni, registers: {} };
    this.#options.dataplane.send([{ table: 'neighbour', context, frame: encodeFrame(packet) }]);
  }
}

function unknown(): Pick<Machine, 'mac' | 'inForceSince' | 'unanswered' | 'timer'> {
  return { mac: '', inForceSince: undefined, unanswered: 0, timer: undefined };
}

function keyOf({ vni, ip }: Pick<OutsideNeighbor, 'vni' | 'ip'>): string {
  return `${vni} ${ip}`;
}

function nextHop6(registers: PacketIn['context']['registers']): string {
  const words = [registers.reg8, registers.reg9, registers.reg10, registers.reg11];
  return ipv6Text(words.reduce((all, word) => (all << 32n) | BigInt(word ?? 0), 0n));
}

/** Whether both are of one version of IP. */
function isAlike(one: string, other: string): boolean {
  return one.includes(':') === other.includes(':');
}

/** Not a group's, nor everybody's or nobody's. */
function isOneMachine(ip: string): boolean {
  return !/^(22[4-9]|23\d|24\d|25\d|0)\.|^ff|^::$/.test(ip);
}

function questionFor({ ip, asker }: Machine): Packet {
  if (ip.includes(':')) return neighborSolicitation({ mac: mac(asker.mac), ip: ipv6(asker.ip) }, ipv6(ip));
  return arpRequest({ mac: mac(asker.mac), ip: ipv4(asker.ip) }, ipv4(ip));
}

/** RFC 5227 section 2.3; RFC 4861 section 7.2.6. */
function announcement({ ip, mac: own }: ServedAddress): Packet {
  if (!ip.includes(':')) return arpRequest({ mac: mac(own), ip: ipv4(ip) }, ipv4(ip));
  const said = neighborAdvertisement({ mac: mac(own), ip: ipv6(ip) }, ALL_NODES);
  return { ...said, nd_reserved: OVERRIDE };
}

function answerIn(headers: Packet): { readonly ip: string; readonly mac: string } | undefined {
  if (headers.arp_op === 2 && headers.arp_sha !== BROADCAST)
    return { ip: ipv4Text(Number(headers.arp_spa)), mac: macText(Number(headers.arp_sha)) };
  if (headers.icmpv6_type !== 136 || headers.nd_options_type !== 2) return undefined;
  return { ip: ipv6Text(BigInt(headers.nd_target ?? 0n)), mac: macText(Number(headers.nd_tll ?? 0)) };
}
