/**
 * Neighbours on demand: what the switch has no flow for waits here while the config manager is asked, and goes on once the
 * data plane has the neighbour in force.
 *
 *   switch ── packet ─▶ hold ── question ─▶ config manager ─┬─ answer: not routable ─▶ dropped, and not asked again for a while
 *     ▲                  │                                 └─ the neighbour, by the stream ─▶ held state ─▶ data plane
 *     └──── released ◀───┴───────────────── in force ◀──────────────────────────────────────────────────────┘
 *
 * The answer carries no state: what is to be programmed comes by the stream only, in order with all that follows.
 */
import {
  type HostRequestReply_HostRequestOperationStatus as Answer,
  type LearntNeighbor,
  OperationStatus,
} from '@alcor/contract';
import type { Runtime, Timer } from '@alcor/runtime';
import {
  type Dataplane,
  hasGoneToGateway,
  type Neighbor,
  type PacketIn,
  type ResourceOutcome,
} from './dataplane/index.ts';
import { Learnt, type LearntNeighbor as HeldNeighbor, placeKey } from './learnt.ts';
import { Asker } from './on-demand-asker.ts';
import { noCounts, type OnDemandCounters, type OnDemandSizes } from './on-demand-counters.ts';
import { type Ends, endsOf, questionOf } from './on-demand-destination.ts';
import { Allowance, defaultLimits, type OnDemandLimits, Refusals } from './on-demand-limits.ts';

/** Pause before a question that got no answer is asked again, in ms. */
const againMs = 100;
/** How long a promised neighbour may be on its way before it is asked for again, in ms. */
const promisedMs = 1_000;
/** For how long packets may still come that had missed a neighbour before it was in force, in ms. */
const lateMs = 3_000;
/** Before such a packet is sent once more, in ms: a switch that has lost the flow gives it back at once. */
const resendMs = 5;
/** How often the switch's counters are looked at, in ms. */
const idleCheckMs = 15_000;
/** The most that an answer may forbid to ask again, in ms. */
const refusedAtMostMs = 60_000;

export interface OnDemandOptions {
  readonly runtime: Runtime;
  readonly dataplane: Pick<Dataplane, 'send' | 'uses'>;
  /** Told of neighbours that nothing uses. */
  readonly onIdle: (neighbors: readonly LearntNeighbor[]) => void;
  /** Told of neighbours that may not be used any longer: nobody has spoken to this host for too long who would know. */
  readonly onExpired: (neighbors: readonly LearntNeighbor[]) => void;
  readonly log: (message: string, error?: unknown) => void;
  readonly limits?: Partial<OnDemandLimits>;
}

interface Network {
  readonly vpcId: string;
  readonly allowance: Allowance;
  held: number;
}

interface Held {
  /** Undefined: it has gone on by the gateway, and its question is all that waits. */
  readonly packet: PacketIn | undefined;
  readonly ends: Ends;
  readonly until: number;
}

/** A destination that packets wait for. */
interface Wanted {
  readonly key: string;
  readonly vni: number;
  packets: Held[];
  /** Whose question is out. */
  asking: Ends;
  /** Runs when the question is to be asked again. */
  timer: Timer | undefined;
  lifetimeMs: number;
}

export interface OnDemandDescription extends OnDemandSizes {
  readonly counters: Readonly<OnDemandCounters>;
}

export class OnDemand {
  readonly #options: OnDemandOptions;
  readonly #limits: OnDemandLimits;
  readonly #asker: Asker;
  readonly #learnt = new Learnt();
  readonly #refusals: Refusals;
  readonly #networks = new Map<number, Network>();
  readonly #vniOf = new Map<string, number>();
  readonly #wanted = new Map<string, Wanted>();
  readonly #counters = noCounts();
  #held = 0;
  #idleCheck: Timer | undefined;
  /** When the last one who knew everything has left, by `Clock.now`; undefined while one is there. */
  #unheardSince: number | undefined;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(options: OnDemandOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#refusals = new Refusals(options.runtime.clock, this.#limits.refusals);
    this.#asker = new Asker({
      runtime: options.runtime,
      onAnswer: (answer) => this.#onAnswer(answer),
      onUnanswered: (keys) => this.#onUnanswered(keys),
    });
  }

  /** Lives until `signal` aborts. */
  start(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#close(), { once: true });
  }

  /** Where to ask from now on, and who this host is there; an empty address: nowhere. */
  address(address: string, hostId: string): void {
    this.#asker.address(address, hostId);
  }

  /** Somebody speaks to this host, and has said everything: what is learnt is what is meant. */
  heard(): void {
    this.#unheardSince = undefined;
  }

  /** Nobody speaks to this host any more: what has been learnt may be used for a while. */
  unheard(): void {
    this.#unheardSince ??= this.#now();
  }

  /** The neighbours of the VPC are told only when asked for, from now on; without `vni` all of them again. */
  setVpc(vpcId: string, vni: number | undefined): void {
    const before = this.#vniOf.get(vpcId);
    if (before === vni) return;
    if (before !== undefined) this.#forgetNetwork(vpcId, before);
    if (vni === undefined) return;
    this.#vniOf.set(vpcId, vni);
    const allowance = new Allowance(this.#options.runtime.clock, this.#limits.questionsPerSecond);
    this.#networks.set(vni, { vpcId, allowance, held: 0 });
    this.#scheduleIdleCheck();
  }

  setNeighbor(neighbor: Neighbor): void {
    this.#learnt.set(neighbor, this.#now());
  }

  removeNeighbor(id: string): void {
    this.#learnt.delete(id);
  }

  /** What the data plane says of resources: packets to those that are in force now go on. */
  onOutcomes(outcomes: readonly ResourceOutcome[]): void {
    if (this.#learnt.size === 0) return;
    for (const { resourceId, status } of outcomes) {
      const learnt = this.#learnt.get(resourceId);
      if (learnt === undefined) continue;
      learnt.inForceSince = status === 'ok' ? this.#now() : undefined;
      if (status !== 'ok') continue;
      for (const key of learnt.keys) {
        const wanted = this.#wanted.get(key);
        if (wanted === undefined) continue;
        if (wanted.lifetimeMs > 0) learnt.lifetimeMs = wanted.lifetimeMs;
        this.#release(wanted);
      }
    }
  }

  /** A packet that the switch has no flow for. */
  onPacket(packet: PacketIn): void {
    this.#counters.packets++;
    const { vni } = packet.context;
    const network = this.#networks.get(vni);
    const ends = endsOf(packet);
    if (network === undefined || ends === undefined) return void this.#counters.strays++;
    const key = placeKey(vni, ends.destination);
    const known = this.#learnt.at(key);
    if (hasGoneToGateway(packet)) {
      this.#counters.forwarded++;
      // One question is enough, and none where the answer is known by now.
      const isRefused = this.#refusals.has(refusalKey(key, ends));
      if (known?.inForceSince !== undefined || this.#wanted.has(key) || isRefused) return undefined;
    }
    if (known?.inForceSince !== undefined) return this.#resend(packet, ends, known.inForceSince, known.mac);
    if (this.#refusals.has(refusalKey(key, ends))) return void this.#counters.refused++;
    return this.#hold(network, key, packet, ends);
  }

  describe(): OnDemandDescription {
    return {
      networks: this.#networks.size,
      learnt: this.#learnt.size,
      held: this.#held,
      refusals: this.#refusals.size,
      counters: { ...this.#counters },
    };
  }

  /** It had missed the neighbour by a moment; or it never will find it, being for another MAC. */
  #resend(packet: PacketIn, ends: Ends, inForceSince: number, mac: number): void {
    const isLate = this.#now() - inForceSince < lateMs && (ends.mac === undefined || ends.mac === mac);
    if (!isLate) return void this.#counters.strays++;
    this.#counters.released++;
    this.#options.runtime.clock.timer(resendMs, () => {
      if (!this.#signal.aborted) this.#options.dataplane.send([packet]);
    });
  }

  #hold(network: Network, key: string, packet: PacketIn, ends: Ends): void {
    const wanted = this.#wanted.get(key);
    const { perDestination, perNetwork, inAll, holdMs } = this.#limits;
    const isFull = this.#held >= inAll || network.held >= perNetwork;
    if (isFull || (wanted?.packets.length ?? 0) >= perDestination) return void this.#counters.crowded++;
    if (wanted === undefined && !network.allowance.take()) return void this.#counters.limited++;
    this.#held++;
    network.held++;
    const held: Held = { packet: hasGoneToGateway(packet) ? undefined : packet, ends, until: this.#now() + holdMs };
    if (wanted !== undefined) return void wanted.packets.push(held);
    const { vni } = packet.context;
    const next: Wanted = { key, vni, packets: [held], asking: ends, timer: undefined, lifetimeMs: 0 };
    this.#wanted.set(key, next);
    this.#ask(next);
  }

  #ask(wanted: Wanted): void {
    wanted.timer = undefined;
    const now = this.#now();
    const late = wanted.packets.filter(({ until }) => until <= now);
    this.#counters.expired += this.#letGo(wanted, late);
    const [first] = wanted.packets;
    if (first === undefined) return;
    wanted.asking = first.ends;
    this.#counters.questions++;
    this.#asker.ask(questionOf(wanted.key, wanted.vni, first.ends));
  }

  #askAgain(wanted: Wanted, ms: number): void {
    wanted.timer?.cancel();
    wanted.timer = this.#options.runtime.clock.timer(ms, () => this.#ask(wanted));
  }

  #onAnswer({ requestId, operationStatus, lifetimeMs, resourceId }: Answer): void {
    const wanted = this.#wanted.get(requestId);
    if (operationStatus === OperationStatus.SUCCESS) {
      this.#counters.routable++;
      const learnt = this.#learnt.get(resourceId);
      if (learnt !== undefined && lifetimeMs > 0) learnt.lifetimeMs = lifetimeMs;
      if (wanted === undefined) return;
      wanted.lifetimeMs = lifetimeMs;
      this.#askAgain(wanted, promisedMs);
    } else if (operationStatus === OperationStatus.PENDING) {
      this.#counters.putOff++;
      if (wanted !== undefined) this.#askAgain(wanted, Math.max(lifetimeMs, 1));
    } else {
      this.#counters.notRoutable++;
      if (wanted !== undefined) this.#refuse(wanted, Math.min(lifetimeMs, refusedAtMostMs));
    }
  }

  /** Speaks of who asked only: another may be allowed what this one is not. */
  #refuse(wanted: Wanted, ms: number): void {
    const { source } = wanted.asking;
    if (ms > 0) this.#refusals.add(refusalKey(wanted.key, wanted.asking), ms);
    const its = wanted.packets.filter(({ ends }) => ends.source === source);
    this.#counters.refused += this.#letGo(wanted, its);
    if (wanted.packets.length > 0) this.#ask(wanted);
  }

  #onUnanswered(keys: readonly string[]): void {
    this.#counters.unanswered += keys.length;
    for (const key of keys) {
      const wanted = this.#wanted.get(key);
      if (wanted !== undefined) this.#askAgain(wanted, againMs);
    }
  }

  #release(wanted: Wanted): void {
    const { packets } = wanted;
    this.#counters.released += this.#letGo(wanted, packets);
    this.#options.dataplane.send(packets.flatMap(({ packet }) => packet ?? []));
  }

  /** Takes packets out, whatever becomes of them; answers with how many had waited here. */
  #letGo(wanted: Wanted, packets: readonly Held[]): number {
    if (packets.length === 0) return 0;
    const going = new Set(packets);
    wanted.packets = wanted.packets.filter((held) => !going.has(held));
    this.#held -= going.size;
    const network = this.#networks.get(wanted.vni);
    if (network !== undefined) network.held -= going.size;
    if (wanted.packets.length === 0) {
      wanted.timer?.cancel();
      this.#wanted.delete(wanted.key);
    }
    return packets.filter(({ packet }) => packet !== undefined).length;
  }

  #forgetNetwork(vpcId: string, vni: number): void {
    for (const wanted of this.#wanted.values())
      if (wanted.vni === vni) this.#counters.expired += this.#letGo(wanted, wanted.packets);
    this.#networks.delete(vni);
    this.#vniOf.delete(vpcId);
  }

  #scheduleIdleCheck(): void {
    if (this.#idleCheck !== undefined || this.#networks.size === 0 || this.#signal.aborted) return;
    this.#idleCheck = this.#options.runtime.clock.timer(idleCheckMs, () => {
      void this.#checkIdle().finally(() => {
        this.#idleCheck = undefined;
        this.#scheduleIdleCheck();
      });
    });
  }

  /** Asks the switch for what it has counted in networks on demand; never rejects. */
  async #checkIdle(): Promise<void> {
    this.#expire();
    if (this.#learnt.size === 0) return;
    try {
      for (const vni of this.#networks.keys()) {
        const uses = [];
        for await (const use of this.#options.dataplane.uses({ metadata: BigInt(vni) }, this.#signal)) uses.push(use);
        this.#learnt.count(uses, this.#now());
      }
    } catch (error) {
      // Who is not seen to be used might be.
      return this.#options.log('the switch does not say which neighbours are in use', error);
    }
    const idle = this.#learnt.idle(this.#now()).map(nameOf);
    if (idle.length === 0) return;
    this.#counters.idle += idle.length;
    this.#options.onIdle(idle);
  }

  #expire(): void {
    const { unheardMs } = this.#limits;
    if (this.#unheardSince === undefined || this.#now() - this.#unheardSince <= unheardMs) return;
    const expired = this.#learnt.toldBy(this.#now() - unheardMs).map(nameOf);
    if (expired.length === 0) return;
    this.#counters.outlived += expired.length;
    this.#options.onExpired(expired);
  }

  #close(): void {
    this.#idleCheck?.cancel();
    this.#asker.close();
    for (const { timer } of this.#wanted.values()) timer?.cancel();
  }

  #now(): number {
    return this.#options.runtime.clock.now();
  }
}

function nameOf({ neighbor: { vpcId, id }, packets }: HeldNeighbor): LearntNeighbor {
  return { vpcId, id, used: packets > 0n };
}

function refusalKey(key: string, { source }: Ends): string {
  return `${key} ${source}`;
}
