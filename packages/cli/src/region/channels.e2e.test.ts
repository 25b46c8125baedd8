import { decodeGoal, type StatedGoal, topicOf, wholeSubject } from '@alcor/contract';
import { canEmulate } from '@alcor/lab';
import { type MessageQueue, natsQueue } from '@alcor/runtime';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { missingNatsServer, NatsServer } from '../../../runtime/src/testing/nats-server.ts';
import { api, cleanUp, eventually, folder, start, stop, vmOf } from './testing/region-process.ts';
import { knows, ping, stopPings } from './testing/traffic.ts';

const emulation = await canEmulate();
const missing = emulation.ok ? missingNatsServer() : emulation.reason;
if (missing !== '') console.log(`skipped: channels on real Open vSwitch and NATS: ${missing}`);

interface TopicAnswer {
  readonly topic: {
    readonly channel: string;
    readonly subscribers: readonly { host_id: string; channel: string; wanted: number; applied: number }[];
  };
}

/** Ports from which on a VPC goes by the message queue; the demonstration's VPCs have two. */
const MANY = 6;

const undo: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});
afterEach(stopPings);
afterAll(cleanUp);

/** The newest word on each subject of the VPC's topic. */
async function wordsOn(queue: MessageQueue, vpcId: string): Promise<ReadonlyMap<string, StatedGoal>> {
  const over = new AbortController();
  const words = new Map<string, StatedGoal>();
  for await (const batch of queue.read(topicOf(vpcId), ['multicast.>', 'unicast.>'], 0, over.signal)) {
    for (const { subject, payload } of batch.messages)
      if (subject !== wholeSubject) words.set(subject, decodeGoal(payload));
    if (batch.caughtUp) over.abort();
  }
  return words;
}

async function openQueue(servers: readonly NatsServer[]): Promise<MessageQueue> {
  const queue = natsQueue({ servers: servers.map(({ url }) => url) });
  undo.push(() => queue.close());
  return queue;
}

class Vpc {
  readonly #url: string;
  readonly id: string;

  constructor(url: string, id: string) {
    this.#url = url;
    this.id = id;
  }

  async addPort(host: string): Promise<string> {
    const port = { network_id: this.id, 'binding:host_id': host };
    return (await api<{ port: { id: string } }>(this.#url, 'POST', '/v2.0/ports', { port })).port.id;
  }

  async removePort(id: string): Promise<void> {
    await api(this.#url, 'DELETE', `/v2.0/ports/${id}`);
  }

  topic(): Promise<TopicAnswer> {
    return api<TopicAnswer>(this.#url, 'GET', `/alcor/v1/topics/${this.id}`);
  }

  /** Until both hosts are served by the channel, and have applied all there is. */
  async servedBy(channel: string): Promise<void> {
    const good = ({ topic }: TopicAnswer): boolean =>
      topic.channel === channel &&
      topic.subscribers.length === 2 &&
      topic.subscribers.every((each) => each.channel === channel && each.applied >= each.wanted);
    await eventually(`both hosts served by ${channel}`, () => this.topic(), good, 60_000);
  }
}

async function ipOf(url: string, id: string): Promise<string> {
  const { port } = await api<{ port: { fixed_ips: { ip_address: string }[] } }>(url, 'GET', `/v2.0/ports/${id}`);
  return port.fixed_ips[0]!.ip_address;
}

describe.skipIf(missing !== '')('a VPC that grows and shrinks, on real Open vSwitch and NATS', () => {
  it('changes to the message queue and back without losing a ping, also when NATS dies in between', async () => {
    const nats = await NatsServer.start();
    undo.push(() => nats.stop());
    const queue = await openQueue([nats]);
    const args = ['--state', join(folder(), 'state'), '--queue', nats.url, '--mq-ports', String(MANY)];
    const { child, json, url } = await start(args);
    const [from, to] = json.ports;
    const vpc = new Vpc(url, from!.network);
    const pings = ping(vmOf(json, from!.ip), to!.ip);
    await vpc.servedBy('grpc');

    const added: string[] = [];
    while (added.length < MANY - 2) added.push(await vpc.addPort(`host-${(added.length % 2) + 1}`));
    await vpc.servedBy('mq');
    const words = await wordsOn(queue, vpc.id);
    for (const [n, id] of added.entries()) {
      const of = [...words.keys()].filter((subject) => subject.endsWith(id));
      expect(of.toSorted()).toEqual([`multicast.neighbor.${id}`, `unicast.host-${(n % 2) + 1}.port.${id}`]);
    }

    await nats.kill();
    const late = await vpc.addPort('host-1');
    const lateIp = await ipOf(url, late);
    await nats.restart();
    await eventually(
      'the port that came while NATS was away, on the other host',
      () => knows(json, 1, lateIp),
      (known) => known,
      60_000,
    );
    await vpc.servedBy('mq');
    expect((await wordsOn(queue, vpc.id)).get(`multicast.neighbor.${late}`)).toMatchObject({ removed: false });

    for (const id of [late, ...added]) await vpc.removePort(id);
    await vpc.servedBy('grpc');
    expect(knows(json, 1, lateIp)).toBe(false);
    const { sent, received } = await pings.end();
    expect(sent).toBeGreaterThan(20);
    expect(received).toBe(sent);
    await stop(child);
  });

  it('goes on by a cluster of three servers when one is killed', async () => {
    const servers = await NatsServer.cluster(3);
    undo.push(() => Promise.all(servers.map((server) => server.stop())));
    const urls = servers.map(({ url }) => url).join(',');
    const args = ['--state', join(folder(), 'state'), '--queue', urls, '--mq-ports', '2'];
    const { child, json, url } = await start(args);
    const [from, to] = json.ports;
    const vpc = new Vpc(url, from!.network);
    const pings = ping(vmOf(json, from!.ip), to!.ip);
    await vpc.servedBy('mq');
    await servers[0]!.kill();
    const ip = await ipOf(url, await vpc.addPort('host-1'));
    await eventually(
      'a port made with one server gone, on the other host',
      () => knows(json, 1, ip),
      (known) => known,
      60_000,
    );
    await vpc.servedBy('mq');
    const { sent, received } = await pings.end();
    expect(received).toBe(sent);
    await stop(child);
  });
});
