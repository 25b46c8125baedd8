import { HostRequest_ResourceStateRequest as Question, type NeighborConfiguration } from '@alcor/contract';
import type { Clock } from '@alcor/runtime';
import { type Answer, learntLifetimeMs } from './answer.ts';
import { FairTurns } from './fair-turns.ts';
import type { Learner } from './learner.ts';
import type { Place } from './routes.ts';
import { type Destination, kindOf, SimilarPorts } from './similar-ports.ts';
import type { ToldVpc } from './told-vpc.ts';

/** How neighbours are told before they are asked for. */
export interface PredictionOptions {
  /** Of one port that comes to a host; 0: nothing is predicted. */
  readonly perPort: number;
  /** The turns of questions: nothing is predicted while one waits. */
  readonly questions: FairTurns;
}

/** A question that can be answered: who asks, and whom it looks for. */
export interface Found {
  readonly asker: Learner;
  /** The port that sends, where it is known, also behind a router. */
  readonly port: NeighborConfiguration | undefined;
  readonly place: Place;
  readonly destination: Destination;
}

export interface PredictorOptions<F extends Found> {
  readonly clock: Clock;
  /** Without: nothing is predicted. */
  readonly prediction: PredictionOptions | undefined;
  /** As for a question of the host. */
  readonly find: (hostId: string, question: Question) => F | Answer;
  /** Has those told whom it concerns. */
  readonly meet: (found: F) => void;
  readonly told: (vpcId: string) => ToldVpc | undefined;
}

/** What came of predictions since the start. */
export interface PredictionCounters {
  /** Neighbours that hosts were told unasked. */
  readonly predicted: number;
  /** Of those: in use by the time that what nothing uses is said to be idle; questions that were not asked. */
  readonly used: number;
  /** Of those: never used. */
  readonly wasted: number;
  /** Of those: asked for all the same, before they had come. */
  readonly late: number;
  /** Of those: not known yet. Others are gone before it was known. */
  readonly open: number;
  /** Ports for which nothing was predicted, because there was too much else to do. */
  readonly leftOut: number;
  /** What is remembered of similar ports: hosts, and destinations of hosts. */
  readonly remembered: number;
  readonly rememberedAtMost: number;
}

const rememberedAtMost = 500_000;
const openAtMost = 100_000;
/** Ports that are on hosts which may be told of their VPC a moment later. */
const arrivalsAtMost = 10_000;
/** Ports of one tenant that may wait for predictions. */
const waitingAtMost = 1_024;
/** Neighbours predicted for one tenant in a second, where others' ports come, too. */
const sharedPerSecond = 1_000;
/** By then a host has said that nothing uses a neighbour, if nothing has. */
const knownAfterMs = learntLifetimeMs + 60_000;

interface Prediction {
  readonly kind: string;
  readonly destination: Destination;
  readonly hostIp: string;
  readonly vpcId: string;
  readonly id: string;
  readonly at: number;
}

/**
 * Tells hosts neighbours before they ask: when a port comes to a host, those that other hosts with ports like it have needed. What it tells is as
 * learnt by a question of that port: by the same rules, for as long, and taken back when nothing uses it. Questions come first.
 */
export class Predictor<F extends Found> {
  readonly #options: PredictorOptions<F>;
  readonly #similar = new SimilarPorts(rememberedAtMost);
  /** Undefined where nothing is predicted. */
  readonly #turns: FairTurns | undefined;
  readonly #perPort: number = 0;
  /** VPC and port, the newest last. */
  readonly #arrivals = new Set<string>();
  /** By host and neighbour, the newest last. */
  readonly #open = new Map<string, Prediction>();
  readonly #counters = { predicted: 0, used: 0, wasted: 0, late: 0, leftOut: 0 };

  constructor(options: PredictorOptions<F>) {
    this.#options = options;
    const { clock, prediction } = options;
    if (prediction === undefined || prediction.perPort === 0) return;
    this.#turns = new FairTurns({ clock, waitingAtMost, sharedPerSecond, behind: prediction.questions });
    this.#perPort = prediction.perPort;
  }

  get counters(): PredictionCounters {
    this.#settle();
    return { ...this.#counters, open: this.#open.size, remembered: this.#similar.size, rememberedAtMost };
  }

  /** A host has asked, and is told: so its port needs the destination. */
  learn({ asker, port, place, destination }: F): void {
    if (this.#turns === undefined) return;
    if (this.#open.delete(keyOf(asker.hostIp, place.directory.vpcId, place.neighbor.id))) this.#counters.late++;
    if (port?.hostIpAddress === asker.hostIp) this.#similar.note(kindOf(port), asker.hostIp, destination);
  }

  /** A port has come to a host. */
  arrive(told: ToldVpc, { id, hostIpAddress }: NeighborConfiguration): void {
    if (this.#turns === undefined || hostIpAddress === '') return;
    if (told.learners.has(hostIpAddress)) return void this.#soon(told, id);
    this.#arrivals.add(`${told.directory.vpcId} ${id}`);
    const [oldest] = this.#arrivals;
    if (this.#arrivals.size > arrivalsAtMost && oldest !== undefined) this.#arrivals.delete(oldest);
    return undefined;
  }

  /** A host is told of the VPC on demand from now on: it may be so because a port has come. Costs the ports on the host. */
  join(told: ToldVpc, hostIp: string): void {
    if (this.#arrivals.size === 0) return;
    const { directory } = told;
    for (const id of directory.on(hostIp))
      if (this.#arrivals.delete(`${directory.vpcId} ${id}`)) void this.#soon(told, id);
  }

  /** The host says that nothing uses the neighbour, and whether anything ever has. */
  idle({ hostIp }: Learner, vpcId: string, { id, used }: { readonly id: string; readonly used: boolean }): void {
    const key = keyOf(hostIp, vpcId, id);
    const prediction = this.#open.get(key);
    this.#open.delete(key);
    if (prediction !== undefined) this.#judge(prediction, used);
  }

  async #soon(told: ToldVpc, id: string): Promise<void> {
    const { projectId, id: vpcId } = told.directory.vpc ?? {};
    const tenant = projectId || vpcId || '';
    const isDone = await this.#turns?.run(tenant, this.#perPort, () => this.#predict(told, id));
    if (isDone === false) this.#counters.leftOut++;
  }

  #predict({ directory, learners }: ToldVpc, id: string): void {
    this.#settle();
    const { find, meet, told, clock } = this.#options;
    const port = directory.neighbor(id);
    const host = learners.get(port?.hostIpAddress ?? '');
    if (port === undefined || host === undefined) return;
    const kind = kindOf(port);
    let left = this.#perPort;
    for (const destination of this.#similar.likely(kind)) {
      const question = questionOf(port, destination);
      const found = question === undefined ? undefined : find(host.hostId, question);
      if (found === undefined || 'status' in found) continue;
      const { neighbor, directory: there } = found.place;
      const key = keyOf(host.hostIp, there.vpcId, neighbor.id);
      const isHeld = told(there.vpcId)?.interest.held(host.hostIp).has(neighbor.id) === true;
      if (neighbor.hostIpAddress === host.hostIp || isHeld || this.#open.has(key)) continue;
      if (left-- === 0 || this.#open.size >= openAtMost) return;
      meet(found);
      const at = clock.now();
      this.#open.set(key, { kind, destination, hostIp: host.hostIp, vpcId: there.vpcId, id: neighbor.id, at });
      this.#counters.predicted++;
    }
  }

  /** Of what a host was told long ago and still holds it would have said so if nothing had used it. */
  #settle(): void {
    const since = this.#options.clock.now() - knownAfterMs;
    for (const [key, prediction] of this.#open) {
      if (prediction.at > since) return;
      this.#open.delete(key);
      const { hostIp, vpcId, id } = prediction;
      if (this.#options.told(vpcId)?.interest.held(hostIp).has(id) === true) this.#judge(prediction, true);
    }
  }

  #judge({ kind, hostIp, destination }: Prediction, used: boolean): void {
    if (used) {
      this.#counters.used++;
      this.#similar.note(kind, hostIp, destination);
    } else {
      this.#counters.wasted++;
      this.#similar.noteUnneeded(kind, hostIp, destination);
    }
  }
}

function keyOf(hostIp: string, vpcId: string, id: string): string {
  return `${hostIp} ${vpcId} ${id}`;
}

/** As the port would ask; undefined: it has no address of that family. */
function questionOf({ fixedIps }: NeighborConfiguration, { tunnelId, address }: Destination): Question | undefined {
  const own = fixedIps.find(({ ipAddress }) => ipAddress.includes(':') === address.includes(':'));
  if (own === undefined) return undefined;
  return Question.fromPartial({ tunnelId, sourceIp: own.ipAddress, destinationIp: address });
}
