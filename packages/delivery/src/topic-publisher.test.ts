import type { Goal } from '@alcor/contract';
import { Bus, createMemoryQueue, Fenced, type MessageQueue, type Process, Topic } from '@alcor/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { Delivery, type Host } from './delivery.ts';
import { contentOf, feedOf, TestRegion, wantedOf } from './testing/region.ts';
import { type PublishCounters, TopicPublisher } from './topic-publisher.ts';

const hour = 3_600_000;

/** A delivery and one publisher of VPC `v`, as a fresh process has them. */
class Publishing {
  readonly process: Process;
  readonly delivery: Delivery;
  readonly counters: PublishCounters = { multicast: 0, unicast: 0, bytes: 0, unchanged: 0 };
  readonly publisher: TopicPublisher;
  readonly ended: Promise<unknown>;
  readonly #stop = new AbortController();
  readonly #region: TestRegion;
  #wholes = 0;

  constructor(region: TestRegion, queue: MessageQueue, fence: number) {
    this.#region = region;
    this.process = region.world.start(`fence ${fence}`);
    const { clock } = this.process.runtime;
    const shared = { clock, log: () => {} };
    const feed = feedOf(this.process, region.feed);
    this.delivery = new Delivery({ ...shared, feed, goals: new Bus<Goal>(), hosts: new Topic<Host>() });
    this.publisher = new TopicPublisher({
      ...shared,
      vpcId: 'v',
      multicast: this.delivery.goals.topic('vpc/v'),
      unicast: this.delivery.unicast.open('v'),
      queue,
      fence,
      counters: this.counters,
      onWhole: () => void this.#wholes++,
    });
    void this.delivery.run(this.#stop.signal);
    this.ended = this.delivery.ready.then(() => this.publisher.run(this.#stop.signal)).catch((error: unknown) => error);
  }

  /** What it has published since the last time it was asked. */
  published(): { multicast: number; unicast: number } {
    const { multicast, unicast } = this.counters;
    Object.assign(this.counters, { multicast: 0, unicast: 0 });
    return { multicast, unicast };
  }

  /** Until everything that is known when it begins is in the queue. */
  async whole(): Promise<this> {
    await this.#region.until(() => this.#wholes > 0);
    return this;
  }

  async kill(): Promise<void> {
    this.process.kill();
    this.#stop.abort();
    await this.ended;
  }
}

/** Revisions aside. */
function plain(goals: ReadonlyMap<string, Goal>) {
  return [...goals].map(([subject, { state }]) => [subject, { ...state, revisionNumber: 0 }]).toSorted();
}

describe('a publisher of a topic', () => {
  let region: TestRegion;
  let queue: MessageQueue;
  beforeEach(() => {
    region = new TestRegion();
    queue = createMemoryQueue();
    region.node('h1');
    region.node('h.2');
    region.network('v');
    region.network('other');
    region.port('p1', 'v', 'h1');
    region.port('p2', 'v', 'h.2');
    region.port('p3', 'other', 'h1');
  });

  const expectWhole = async ({ delivery }: Publishing): Promise<void> => {
    const { live } = await contentOf(queue, 'v');
    expect(plain(live)).toEqual(plain(wantedOf(delivery, 'v')));
  };

  it('publishes what every host must know once, and what one host must under its key', async () => {
    const publishing = await new Publishing(region, queue, 1).whole();
    const { live } = await contentOf(queue, 'v');
    expect([...live.keys()].toSorted()).toEqual([
      'multicast.neighbor.p1',
      'multicast.neighbor.p2',
      'multicast.vpc.v',
      'unicast.h%2E2.port.p2',
      'unicast.h1.port.p1',
    ]);
    expect(publishing.published()).toEqual({ multicast: 3, unicast: 2 });
  });

  it('publishes one multicast and one unicast message per host for a change, whatever the size', async () => {
    for (let n = 10; n < 200; n++) region.port(`p${n}`, 'v', 'h1');
    const publishing = await new Publishing(region, queue, 1).whole();
    publishing.published();
    region.port('new', 'v', 'h1');
    await region.pass(50);
    expect(publishing.published()).toEqual({ multicast: 1, unicast: 1 });
    region.port('new', 'v', 'h.2', 'moved');
    await region.pass(50);
    expect(publishing.published()).toEqual({ multicast: 1, unicast: 2 });
    region.removePort('new');
    await region.pass(50);
    expect(publishing.published()).toEqual({ multicast: 1, unicast: 1 });
    await expectWhole(publishing);
  });

  it('says that the topic is whole only while it surely is, whenever a process that fills it dies', async () => {
    let [halfFilled, whole] = [0, 0];
    const wanted: unknown[] = [];
    await region.queue.content.openWriter('vpc-v', 0, new AbortController().signal);
    const killAfter = async (ms: number, fence: number): Promise<void> => {
      const connection = region.world.start(`connection ${fence}`);
      const publishing = new Publishing(region, region.queue.seenBy(connection), fence);
      await region.pass(ms);
      wanted.push(plain(wantedOf(publishing.delivery, 'v')));
      publishing.process.kill();
      connection.kill();
      const { live, isWhole } = await contentOf(region.queue.content, 'v');
      // As it was for one of them: the last may have died before it came to the queue.
      if (isWhole) expect(wanted).toContainEqual(plain(live));
      if (isWhole) whole++;
      else if (live.size > 0) halfFilled++;
    };
    for (let n = 10; n < 60; n++) region.port(`p${n}`, 'v', 'h1');
    for (let n = 1; n <= 60; n++) {
      await killAfter(1 + (n % 20), n);
      if (n % 5 === 0) region.removePort(`p${9 + n / 5}`);
      if (n % 7 === 0) region.port(`new ${n}`, 'v', 'h.2');
    }
    expect(Math.min(halfFilled, whole)).toBeGreaterThan(5);
  });

  it('publishes nothing when it begins again and nothing has changed', async () => {
    const first = await new Publishing(region, queue, 1).whole();
    region.removePort('p2');
    await region.pass(50);
    await first.kill();
    const second = await new Publishing(region, queue, 2).whole();
    expect(second.published()).toEqual({ multicast: 0, unicast: 0 });
    expect(second.counters.unchanged).toBe(3);
    await expectWhole(second);
  });

  it('says once more, when it begins again, what has a newer revision: hosts may have heard that it was gone meanwhile', async () => {
    const first = await new Publishing(region, queue, 1).whole();
    region.port('p1', 'v', 'h1', 'renamed');
    await region.pass(50);
    await first.kill();
    const second = await new Publishing(region, queue, 2).whole();
    // The neighbour, which a name does not change; the port had been said.
    expect(second.published()).toEqual({ multicast: 1, unicast: 0 });
    await expectWhole(second);
  });

  it('publishes the difference when it begins again, and last words on what went meanwhile', async () => {
    const first = await new Publishing(region, queue, 1).whole();
    await first.kill();
    region.removePort('p1');
    region.port('p2', 'v', 'h1');
    region.port('p4', 'v', 'h1');
    const second = await new Publishing(region, queue, 2).whole();
    await expectWhole(second);
    // Neighbours p1 gone, p2 elsewhere, p4 new; ports p1 gone, p2 gone there and here now, p4 new.
    expect(second.published()).toEqual({ multicast: 3, unicast: 4 });
    expect((await contentOf(queue, 'v')).gone).toEqual([
      'multicast.neighbor.p1',
      'unicast.h%2E2.port.p2',
      'unicast.h1.port.p1',
    ]);
  });

  it('puts aside what nobody can read', async () => {
    const writer = await queue.openWriter('vpc-v', 1, new AbortController().signal);
    const junk = { subject: 'multicast.port.junk', payload: new Uint8Array([255, 255, 1]) };
    await writer.publish([junk], new AbortController().signal);
    const publishing = await new Publishing(region, queue, 1).whole();
    await expectWhole(publishing);
  });

  it('is fenced when it was stopped for longer than its lease, and the other loses nothing', async () => {
    const gate = gated(queue);
    const first = await new Publishing(region, gate.queue, 1).whole();
    gate.close();
    region.port('p5', 'v', 'h1');
    region.removePort('p2');
    await region.pass(50);
    const second = await new Publishing(region, queue, 2).whole();
    region.removePort('p5');
    region.port('p6', 'v', 'h1');
    await region.pass(50);
    gate.open();
    expect(await first.ended).toBeInstanceOf(Fenced);
    await expectWhole(second);
    expect((await contentOf(queue, 'v')).gone).toContain('unicast.h1.port.p5');
  });

  it('catches up with the newest when the queue comes back', async () => {
    queue = region.queue.content;
    const publishing = await new Publishing(region, region.queue.seenBy(region.world.start('p')), 1).whole();
    publishing.published();
    region.queue.restart(25_000);
    for (let n = 0; n < 20; n++) {
      region.port('p7', 'v', n % 2 === 0 ? 'h1' : 'h.2', `name ${n}`);
      region.port(`p${10 + n}`, 'v', 'h1');
      await region.pass(1_000);
    }
    region.removePort('p1');
    await region.pass(60_000);
    await expectWhole(publishing);
    // A change that was overwritten while the queue was away is not published any more.
    expect(publishing.published().multicast).toBeLessThan(30);
  });

  it('keeps last words for an hour, and then takes them away', async () => {
    const publishing = await new Publishing(region, queue, 1).whole();
    region.removePort('p1');
    await region.pass(hour / 2);
    region.removePort('p2');
    await region.pass(hour / 2 - 120_000);
    expect((await contentOf(queue, 'v')).gone).toHaveLength(4);
    await region.pass(240_000);
    expect((await contentOf(queue, 'v')).gone).toEqual(['multicast.neighbor.p2', 'unicast.h%2E2.port.p2']);
    region.port('p2', 'v', 'h1');
    await region.pass(hour);
    expect((await contentOf(queue, 'v')).gone).toEqual([]);
    await expectWhole(publishing);
  });

  it('says everything again when the queue has lost it', async () => {
    const publishing = await new Publishing(region, queue, 1).whole();
    await queue.drop('vpc-v', new AbortController().signal);
    publishing.publisher.restart();
    await region.pass(1_000);
    await expectWhole(publishing);
  });
});

function newGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const result = { opened: Promise.resolve(), open: (): void => undefined };
  result.opened = new Promise((resolve) => (result.open = resolve));
  return result;
}

/** The queue, for a process that can be stopped in the middle of its publishing. */
function gated(queue: MessageQueue): { queue: MessageQueue; close(): void; open(): void } {
  let gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined;
  return {
    close: () => void (gate = newGate()),
    open: () => gate?.open(),
    queue: {
      ...bound(queue),
      async openWriter(topic, fence, signal) {
        const writer = await queue.openWriter(topic, fence, signal);
        return {
          get position() {
            return writer.position;
          },
          async publish(messages, until) {
            await gate?.opened;
            return writer.publish(messages, until);
          },
          purge: (subjects, until) => writer.purge(subjects, until),
        };
      },
    },
  };
}

function bound(queue: MessageQueue): MessageQueue {
  return {
    openWriter: (...given) => queue.openWriter(...given),
    read: (...given) => queue.read(...given),
    drop: (...given) => queue.drop(...given),
    topics: (signal) => queue.topics(signal),
    close: () => queue.close(),
  };
}
