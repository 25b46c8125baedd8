/**
 * The hosts of the on-demand benchmark, in a process of their own: their agents' end of the goal-state streams, without a switch, and questions.
 * The parent says by IPC what to ask; the answers' times go back the same way.
 */
import {
  GoalStateOperationReply,
  HostRequest,
  HostRequest_ResourceStateRequest,
  OperationStatus,
  pushGoalStatesStream,
  requestGoalStates,
} from '@alcor/contract';
import { createQueue, handler, realRuntime, reliable, type Runtime, seededRandom } from '@alcor/runtime';
import { type Span, standstills, stoodStillMs } from '../../runtime/bench/standstills.ts';

/** What to ask: with a rate, so many questions a second at even times, whatever the answers; without, the next when one is answered. */
export interface Asking {
  readonly hosts: readonly number[];
  /** Of the VPCs, which are asked about in turn. */
  readonly vnis: { readonly first: number; readonly count: number };
  /** Ports of each: the destinations, by their number. */
  readonly ports: number;
  readonly perMessage: number;
  /** Messages of one host under way, without a rate. */
  readonly underWay: number;
  readonly perSecond: number | null;
  readonly ms: number;
}

export interface Asked {
  readonly answered: number;
  readonly routable: number;
  readonly putOff: number;
  /** Questions that a rate would have asked for and that were still not answered at the end. */
  readonly behind: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of those that were asked when the machine had not stood still for `AFTERMATH_MS`, and did not until they were answered. */
  readonly undisturbedP99Ms: number;
}

export function addressOf(n: number): string {
  const at = n + 2;
  return `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;
}

/** Of the region; port N is on host N modulo so many. */
export const HOSTS = 64;

export function hostId(n: number): string {
  return `host-${n}`;
}

/** Until what has gathered while the machine stood still has been answered, in ms. */
const AFTERMATH_MS = 500;

/** Through a VPC's ports, so that each comes once before any comes again: it shares no factor with how many there are. */
const STRIDE = 7_919;

/** The machine's own costs more than a question. */
const random = seededRandom(1);

/** Takes goal states and says that they are applied, as an agent would whose switch takes no time. */
function agent({ clock }: Runtime): Parameters<Runtime['transport']['serve']>[1][number] {
  return handler(pushGoalStatesStream, async (wire) => {
    const stream = reliable(wire, { clock, empty: () => GoalStateOperationReply.fromPartial({ formatVersion: 2 }) });
    const reply = (appliedSequence: number): Promise<void> => {
      const allSubscriptions = appliedSequence === 0;
      return stream.send(GoalStateOperationReply.fromPartial({ formatVersion: 2, appliedSequence, allSubscriptions }));
    };
    await reply(0);
    let sequence = 0;
    for await (const _ of stream.received) await reply(++sequence);
  });
}

/** One host's questions: a message after the other on one stream, each known by its first question. */
class Questioner {
  readonly #host: number;
  readonly #runtime: Runtime;
  readonly #waiting = new Map<string, (reply: { readonly routable: number; readonly putOff: number }) => void>();
  #messages = 0;
  readonly #requests = createQueue<HostRequest>();
  /** Questions so far, by the first VNI that they were about. */
  readonly #asked = new Map<number, number>();

  constructor(host: number, address: string, runtime: Runtime, signal: AbortSignal) {
    this.#host = host;
    this.#runtime = runtime;
    // It ends with the manager.
    this.#converse(address, signal).catch(() => undefined);
  }

  ask({ vnis, ports, perMessage }: Asking): Promise<{ readonly routable: number; readonly putOff: number }> {
    // Ports are dealt out over the hosts: who asks is one of this host's.
    const own = (): number => this.#host + HOSTS * any(Math.ceil((ports - this.#host) / HOSTS));
    const asked = this.#asked.get(vnis.first) ?? 0;
    this.#asked.set(vnis.first, asked + perMessage);
    const first = String(++this.#messages);
    const stateRequests = Array.from({ length: perMessage }, (_, n) => {
      const [vpc, round] = [(asked + n) % vnis.count, Math.floor((asked + n) / vnis.count)];
      return HostRequest_ResourceStateRequest.fromPartial({
        requestId: n === 0 ? first : `${first}-${n}`,
        tunnelId: vnis.first + vpc,
        sourceIp: addressOf(own()),
        destinationIp: addressOf((this.#host + round * STRIDE) % ports),
      });
    });
    this.#requests.push(HostRequest.fromPartial({ formatVersion: 2, hostId: hostId(this.#host), stateRequests }));
    return new Promise((resolve) => this.#waiting.set(first, resolve));
  }

  async #converse(address: string, signal: AbortSignal): Promise<void> {
    const stream = await this.#runtime.transport.open(requestGoalStates, address, signal);
    signal.addEventListener('abort', () => this.#requests.end());
    const send = async (): Promise<void> => {
      for await (const request of this.#requests) await stream.send(request);
    };
    send().catch(() => undefined);
    for await (const { operationStatuses } of stream.received) {
      const count = (status: OperationStatus): number =>
        operationStatuses.filter(({ operationStatus }) => operationStatus === status).length;
      const first = operationStatuses[0]?.requestId ?? '';
      const answered = this.#waiting.get(first);
      this.#waiting.delete(first);
      answered?.({ routable: count(OperationStatus.SUCCESS), putOff: count(OperationStatus.PENDING) });
    }
  }
}

function any(of: number): number {
  return Math.floor(random.next() * of);
}

/** In ms since 1970. */
interface Waited extends Span {
  readonly ms: number;
}

class Tally {
  readonly #waited: Waited[] = [];
  routable = 0;
  putOff = 0;
  asked = 0;

  take(waited: Waited, reply: { readonly routable: number; readonly putOff: number }): void {
    this.#waited.push(waited);
    this.routable += reply.routable;
    this.putOff += reply.putOff;
  }

  sum(perMessage: number, ms: number): Asked {
    const answered = this.#waited.length * perMessage;
    const among = standstills();
    const isDisturbed = ({ from, to }: Span): boolean => stoodStillMs({ from: from - AFTERMATH_MS, to }, among) > 0;
    const undisturbed = this.#waited.filter((waited) => !isDisturbed(waited));
    return {
      answered,
      routable: this.routable,
      putOff: this.putOff,
      behind: this.asked * perMessage - answered,
      perSecond: (answered / ms) * 1_000,
      p50Ms: quantile(this.#waited, 0.5),
      p99Ms: quantile(this.#waited, 0.99),
      undisturbedP99Ms: quantile(undisturbed, 0.99),
    };
  }
}

function quantile(waited: readonly Waited[], q: number): number {
  const sorted = waited.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

async function ask(asking: Asking, of: (host: number) => Questioner, { clock }: Runtime): Promise<Asked> {
  const { hosts, perMessage, perSecond, underWay, ms } = asking;
  const tally = new Tally();
  const begun = clock.now();
  const all: Promise<void>[] = [];
  let isOver = false;
  const one = async (host: number, at: number): Promise<void> => {
    tally.asked++;
    const reply = await of(host).ask(asking);
    const [waitedMs, to] = [clock.now() - at, clock.wall()];
    if (!isOver) tally.take({ ms: waitedMs, from: to - waitedMs, to }, reply);
  };
  const closedLoop = async (host: number): Promise<void> => {
    while (clock.now() - begun < ms) await one(host, clock.now());
  };
  if (perSecond === null) {
    await Promise.all(hosts.flatMap((host) => Array.from({ length: underWay }, () => closedLoop(host))));
  } else {
    const everyMs = (perMessage / perSecond) * 1_000;
    // Late is late from when it was due, not from when there was time to ask.
    for (let n = 0; n * everyMs < ms; n++) {
      const due = begun + n * everyMs;
      while (clock.now() < due) await clock.sleep(Math.max(due - clock.now(), 0));
      all.push(one(hosts[n % hosts.length]!, due));
    }
    await clock.sleep(Math.max(0, begun + ms - clock.now()));
  }
  isOver = true;
  const asked = tally.sum(perMessage, clock.now() - begun);
  // What is asked next is not to wait behind what is left of this.
  await Promise.all(all);
  return asked;
}

/** What the parent says: first where to ask, then what. */
export type Order = { readonly requestAddress: string } | { readonly id: number; readonly asking: Asking };
export type Word = { readonly agentAddress: string } | { readonly id: number; readonly asked: Asked };

function say(word: Word): void {
  process.send?.(word);
}

async function serve(): Promise<void> {
  const runtime = realRuntime();
  const stop = new AbortController();
  const questioners = new Map<number, Questioner>();
  let address = '';
  const of = (host: number): Questioner => {
    let questioner = questioners.get(host);
    if (questioner === undefined)
      questioners.set(host, (questioner = new Questioner(host, address, runtime, stop.signal)));
    return questioner;
  };
  process.on('disconnect', () => process.exit());
  process.on('message', (order: Order) => {
    if ('requestAddress' in order) address = order.requestAddress;
    else void ask(order.asking, of, runtime).then((asked) => say({ id: order.id, asked }));
  });
  say({ agentAddress: await runtime.transport.serve('127.0.0.1:0', [agent(runtime)], stop.signal) });
}

if (process.argv[2] === 'hosts') await serve();
