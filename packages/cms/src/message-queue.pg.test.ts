import { createMemoryQueue } from '@alcor/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../store/src/testing/region.ts';
import { startTestRegion, type TestRegion } from './testing/region.ts';
import { readWatch } from './testing/watcher.ts';

let region: TestRegion;

beforeAll(async () => {
  region = await startTestRegion({ queue: createMemoryQueue() });
  await region.host('h1');
  await region.host('h2');
});

afterAll(() => region.close());

interface Shown {
  readonly channel: string;
  readonly override: string;
  readonly messages: number;
  readonly bytes: number | null;
  readonly position: number;
  readonly subscribers: readonly {
    readonly host_id: string;
    readonly channel: string;
    readonly applied: number;
    readonly wanted: number;
  }[];
}

it('a VPC that is told to goes by the message queue: who reads it shows, and clients follow it as before', async () => {
  const { id } = await region.network(['h1', 'h2']);
  const shown = async (): Promise<Shown> => (await region.call('GET', `/alcor/v1/topics/${id}`)).body['topic'] as Shown;
  await eventually(async () => (await shown()).subscribers.length === 2);
  expect(await shown()).toMatchObject({ channel: 'grpc', bytes: null });
  const before = await readWatch(`${region.url}/alcor/v1/goal-states/watch?vpc=${id}&follow=false`, () => false);

  const put = await region.call('PUT', `/alcor/v1/topics/${id}`, { topic: { channel: 'mq' } });
  expect(put).toMatchObject({ status: 200, body: { topic: { override: 'mq' } } });
  await eventually(async () => {
    const { channel, subscribers } = await shown();
    const isRead = subscribers.every(
      (host) => host.channel === 'mq' && host.applied > 0 && host.applied === host.wanted,
    );
    return channel === 'mq' && subscribers.length === 2 && isRead;
  });
  const queued = await shown();
  // Besides what every host must know, each host's port is in the topic.
  expect(queued.messages).toBeGreaterThanOrEqual(7);
  expect(queued.bytes).toBeGreaterThan(500);
  const listed = await region.call('GET', '/alcor/v1/topics');
  expect(listed.body['topics']).toMatchObject([{ channel: 'mq', override: 'mq', bytes: queued.bytes }]);

  const from = before.heard.at(-1)?.revision;
  await region.call('POST', '/v2.0/ports', { port: { network_id: id, 'binding:host_id': 'h1' } });
  const after = await readWatch(
    `${region.url}/alcor/v1/goal-states/watch?vpc=${id}&from=${from}`,
    ({ kind }) => kind === 'neighbor',
  );
  expect(after.heard.at(-1)).toMatchObject({ type: 'UPDATE', kind: 'neighbor' });

  const push = await region.call('POST', '/alcor/v1/goal-states/push', { vpc: id });
  expect(push).toEqual({ status: 202, body: { push: { hosts: 2 } } });
  await eventually(async () => {
    const { subscribers } = await shown();
    return subscribers.every((host) => host.channel === 'mq' && host.applied > 0 && host.applied === host.wanted);
  });
});
