import {
  hostKey,
  NodeSubscribeInfo,
  OperationStatus,
  pushNodeSubscribeInfo,
  SubscribeOperation,
  type SubscribeOperationReply,
  type SubscriptionReport,
  SubscriptionState,
  topicOf,
  vpcOfTopic,
} from '@alcor/contract';
import { aborted, type Runtime } from '@alcor/runtime';
import type { Telling } from './host-goals.ts';

/** How long a host may try to read a topic before the stream begins to tell it of the VPC, in ms. */
const patienceMs = 2_000;
/** How long a host may take to say what it is subscribed to, and to take a subscription back. */
const answerMs = 5_000;
/** How long it may take to read all that a topic holds. */
const catchUpMs = 60_000;
/** From how many VPCs on those that the host has left are forgotten. */
const rememberedAtMost = 1_000;
const firstRetryMs = 500;
const lastRetryMs = 60_000;

export interface SubscriberOptions {
  readonly host: { readonly id: string; readonly agentAddress: string; readonly fence?: number };
  readonly runtime: Runtime;
  readonly queueUrl: string;
  /** Whether the VPC goes by the message queue now. */
  readonly wantsTopic: (vpcId: string) => boolean;
  /** Has the stream tell of the VPC or not. */
  readonly tell: (vpcId: string, telling: Telling) => void;
  /** Has the stream tell the VPC once more from nothing. */
  readonly again: (vpcId: string) => void;
  /** Has the stream say that the host is not in the VPC any more. */
  readonly sayLeft: (vpcId: string) => void;
  readonly log: (message: string) => void;
}

interface Vpc {
  readonly id: string;
  /** The host is in it. */
  joined: boolean;
  /** The host's last word on the request that was made last. */
  state: 'none' | 'reading' | 'caught-up';
  /** A subscription may stand, or come to stand. */
  mayStand: boolean;
  /** A subscription has stood, and the stream has not yet had the last word since. */
  stood: boolean;
  /** Number of the last request that the host has taken; what is reported on an earlier one is of the past. */
  taken: number;
  working: boolean;
  /** Aborted when the work, if there is any, has to look again. */
  interrupt: AbortController | undefined;
  retryMs: number;
  /** No further try before that time of the clock. */
  notBefore: number;
  /** Why the host does not read the topic, though it should. */
  reason: string;
}

/**
 * Has one host, for as long as one stream to it lasts, read the topics of those of its VPCs that go by the message queue:
 *
 *          ┌────────── channel is grpc, or the topic is lost ───────────┐
 *          ▼                                                            │
 *   told by stream ── channel is mq ─▶ subscribing, still told ── caught up ─▶ reads the topic
 *                                          by the stream
 *
 * What subscriptions the host has, it says itself when the stream begins, so a new manager takes them over without a word.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #signal: AbortSignal;
  readonly #vpcs = new Map<string, Vpc>();
  /** Until the host has said what it is subscribed to; by then it has had its time. */
  readonly #heard = new AbortController();
  #request = 0;

  constructor(options: SubscriberOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    const timer = options.runtime.clock.timer(answerMs, () => this.#heard.abort('no answer'));
    signal.addEventListener('abort', () => timer.cancel(), { once: true });
  }

  /** The host has come into the VPC: how is it to learn of it for now? */
  join(vpcId: string): Telling {
    const vpc = this.#vpc(vpcId);
    vpc.joined = true;
    this.#look(vpc);
    if (!this.#options.wantsTopic(vpcId)) return 'stream';
    this.#options.runtime.clock.timer(patienceMs, () => {
      if (vpc.joined && vpc.state !== 'caught-up' && !this.#signal.aborted) this.#options.tell(vpcId, 'stream');
    });
    return 'later';
  }

  leave(vpcId: string): void {
    const vpc = this.#vpc(vpcId);
    vpc.joined = false;
    this.#look(vpc);
  }

  /** The VPC goes by another channel. */
  reconsider(vpcId: string): void {
    const vpc = this.#vpcs.get(vpcId);
    if (vpc === undefined) return;
    vpc.retryMs = firstRetryMs;
    vpc.notBefore = Number.NEGATIVE_INFINITY;
    this.#look(vpc);
  }

  /** Has the host read its topics, or one, again from the beginning. */
  again(vpcId: string): void {
    const vpc = this.#vpcs.get(vpcId);
    if (vpc?.state !== 'caught-up' || !this.#options.wantsTopic(vpcId)) return;
    const info = this.#info(vpc, SubscribeOperation.Subscribe, true);
    this.#call(info, catchUpMs, this.#signal).catch((error: unknown) => this.#options.log(describe(error)));
  }

  /** Takes what the host reports; `all`: it has no other subscriptions. */
  take(reports: readonly SubscriptionReport[], all: boolean): void {
    for (const report of reports) this.#takeReport(report);
    if (all) this.#heard.abort('answered');
  }

  /** How the host learns of the VPC, and why not by its topic if it should. */
  describe(vpcId: string): { readonly channel: 'grpc' | 'subscribing' | 'mq'; readonly reason: string } {
    const vpc = this.#vpcs.get(vpcId);
    if (vpc === undefined || !this.#options.wantsTopic(vpcId)) return { channel: 'grpc', reason: '' };
    return { channel: vpc.state === 'caught-up' ? 'mq' : 'subscribing', reason: vpc.reason };
  }

  #vpc(id: string): Vpc {
    let vpc = this.#vpcs.get(id);
    if (vpc === undefined) {
      this.#forgetOne();
      vpc = {
        id,
        joined: false,
        state: 'none',
        mayStand: false,
        stood: false,
        taken: 0,
        working: false,
        interrupt: undefined,
        retryMs: firstRetryMs,
        notBefore: Number.NEGATIVE_INFINITY,
        reason: '',
      };
      this.#vpcs.set(id, vpc);
    }
    return vpc;
  }

  /** VPCs that the host has left are remembered for a while, because reports of their past may be under way. */
  #forgetOne(): void {
    if (this.#vpcs.size < rememberedAtMost) return;
    for (const { id, joined, mayStand, working } of this.#vpcs.values()) {
      if (joined || mayStand || working) continue;
      this.#vpcs.delete(id);
      return;
    }
  }

  #takeReport(report: SubscriptionReport): void {
    const { topic, key, state, request, reason } = report;
    const vpcId = vpcOfTopic(topic);
    if (vpcId === undefined) return;
    this.#request = Math.max(this.#request, request);
    const vpc = this.#vpc(vpcId);
    if (request < vpc.taken) return;
    const before = vpc.state;
    if (state === SubscriptionState.LOST) {
      vpc.state = 'none';
      vpc.mayStand = false;
      if (this.#wants(vpc)) this.#failed(vpc, reason);
    } else {
      vpc.mayStand = vpc.stood = true;
      const isRight = key === hostKey(this.#options.host.id);
      vpc.state = isRight && state === SubscriptionState.CAUGHT_UP ? 'caught-up' : 'reading';
    }
    if (vpc.state !== before) this.#look(vpc);
  }

  #wants(vpc: Vpc): boolean {
    return vpc.joined && this.#options.wantsTopic(vpc.id);
  }

  /** Has the work on the VPC look at it as it is now. */
  #look(vpc: Vpc): void {
    vpc.interrupt?.abort('look again');
    vpc.interrupt = undefined;
    if (vpc.working) return undefined;
    // Where no topic is wanted and none may be read, nobody needs to wait for the host's word.
    if (!this.#wants(vpc) && !vpc.mayStand) return this.#conclude(vpc);
    vpc.working = true;
    return void this.#work(vpc);
  }

  /** Brings the host's subscription to what it should be; never rejects. */
  async #work(vpc: Vpc): Promise<void> {
    await aborted(AbortSignal.any([this.#heard.signal, this.#signal]));
    const { clock } = this.#options.runtime;
    while (!this.#signal.aborted) {
      vpc.interrupt ??= new AbortController();
      const until = AbortSignal.any([this.#signal, vpc.interrupt.signal]);
      const isSettled = this.#wants(vpc) ? vpc.state === 'caught-up' : !vpc.mayStand;
      if (!isSettled && clock.now() < vpc.notBefore) {
        await clock.sleep(vpc.notBefore - clock.now(), until).catch(() => {});
        continue;
      }
      if (this.#wants(vpc)) {
        if (vpc.state === 'caught-up') {
          vpc.reason = '';
          vpc.retryMs = firstRetryMs;
          this.#options.tell(vpc.id, 'topic');
          break;
        }
        await this.#subscribe(vpc, until);
      } else if (vpc.mayStand) {
        await this.#unsubscribe(vpc);
      } else {
        this.#conclude(vpc);
        break;
      }
    }
    vpc.working = false;
  }

  /** No topic tells of the VPC any more, so the stream has the last word. */
  #conclude(vpc: Vpc): void {
    const { again, tell, sayLeft } = this.#options;
    if (vpc.joined) {
      // What the stream has told already, the topic may have contradicted since.
      if (vpc.stood) again(vpc.id);
      tell(vpc.id, 'stream');
    } else if (vpc.stood) sayLeft(vpc.id);
    vpc.stood = false;
  }

  async #subscribe(vpc: Vpc, until: AbortSignal): Promise<void> {
    vpc.mayStand = vpc.stood = true;
    const info = this.#info(vpc, SubscribeOperation.Subscribe);
    const reply = await this.#call(info, catchUpMs, until).catch(describe);
    if (until.aborted) return;
    if (typeof reply === 'object' && reply.operationStatus === OperationStatus.SUCCESS) {
      vpc.state = 'caught-up';
      vpc.taken = info.request;
      return;
    }
    this.#failed(vpc, typeof reply === 'string' ? reply : reply.reason);
  }

  /** The host does not read the topic: it is told by the stream, and may try again after a while. */
  #failed(vpc: Vpc, reason: string): void {
    const { host, log, tell } = this.#options;
    log(`${host.id} does not read ${topicOf(vpc.id)}: ${reason}`);
    vpc.reason = reason;
    this.#putOff(vpc);
    tell(vpc.id, 'stream');
  }

  #putOff(vpc: Vpc): void {
    const { clock, random } = this.#options.runtime;
    vpc.notBefore = clock.now() + vpc.retryMs * (0.5 + random.next());
    vpc.retryMs = Math.min(vpc.retryMs * 2, lastRetryMs);
  }

  async #unsubscribe(vpc: Vpc): Promise<void> {
    const info = this.#info(vpc, SubscribeOperation.Unsubscribe);
    const reply = await this.#call(info, answerMs, this.#signal).catch(describe);
    if (this.#signal.aborted) return;
    if (typeof reply === 'object' && reply.operationStatus === OperationStatus.SUCCESS) {
      vpc.state = 'none';
      vpc.mayStand = false;
      vpc.taken = info.request;
      return;
    }
    if (vpc.joined && !this.#wants(vpc)) this.#options.tell(vpc.id, 'stream');
    this.#putOff(vpc);
  }

  #info({ id }: Vpc, subscribeOperation: SubscribeOperation, again = false): NodeSubscribeInfo {
    const { host, queueUrl } = this.#options;
    return NodeSubscribeInfo.fromPartial({
      subscribeOperation,
      topic: topicOf(id),
      key: hostKey(host.id),
      queueUrl,
      request: ++this.#request,
      fence: host.fence ?? 0,
      again,
    });
  }

  async #call(info: NodeSubscribeInfo, withinMs: number, until: AbortSignal): Promise<SubscribeOperationReply> {
    const { host, runtime } = this.#options;
    const over = new AbortController();
    const timer = runtime.clock.timer(withinMs, () => over.abort(new Error(`no answer within ${withinMs / 1000} s`)));
    const signal = AbortSignal.any([until, over.signal]);
    try {
      return await runtime.transport.call(pushNodeSubscribeInfo, host.agentAddress, info, signal);
    } finally {
      timer.cancel();
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
