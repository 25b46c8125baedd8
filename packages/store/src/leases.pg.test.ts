import { LeaseLost } from '@alcor/network';
import type { NetworkId, NodeId } from '@alcor/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLeases } from '../../network/src/testing/leases.contract.ts';
import { clock, random, startTestServer } from './testing/region.ts';
import type { TestServer } from './testing/region.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describeLeases(
  'PostgreSQL',
  async () => {
    const store = await server.openFresh();
    return { leases: store, feed: store.feed, pass: () => clock.sleep(3), close: () => store.close() };
  },
  () => random.next(),
);

it('lets nobody say what channel a VPC has whose lease is in other hands', async () => {
  const store = await server.openFresh();
  const [network] = await store.networks.create([{ projectId: 'p' }]);
  const id = network?.id as NetworkId;
  const [stale] = await store.renewLeases(await store.enterLeases('a'), 60_000);
  const [lease] = await store.renewLeases(await store.enterLeases('a'), 60_000);
  if (stale === undefined || lease === undefined) throw new Error('no lease');
  await expect(store.setChannel(id, 'mq', stale)).rejects.toBeInstanceOf(LeaseLost);
  await store.setChannel(id, 'mq', lease);
  await store.setChannel(id, 'mq', lease);
  expect(await store.setChannelOverride(id, 'grpc')).toEqual({ id, channel: 'mq', override: 'grpc', revision: 2 });
  await store.networks.delete(id);
  await store.setChannel(id, 'mq', lease);
  await expect(store.setChannelOverride(id, 'mq')).rejects.toMatchObject({ code: 'NetworkNotFound' });
});

it('lets nobody say that a gateway does not answer whose lease is in other hands, and of gateways only', async () => {
  const store = await server.openFresh();
  const ids = ['gateway', 'plain'] as NodeId[];
  await store.nodes.create(ids.map((id, n) => ({ id, ip: `192.0.2.${n}`, agentAddress: 'h:1', gateway: n === 0 })));
  const [stale] = await store.renewLeases(await store.enterLeases('a'), 60_000);
  const [lease] = await store.renewLeases(await store.enterLeases('a'), 60_000);
  if (stale === undefined || lease === undefined) throw new Error('no lease');
  const [id, plain] = ids as [NodeId, NodeId];
  await expect(store.setGatewayLost(id, true, stale)).rejects.toBeInstanceOf(LeaseLost);
  await store.setGatewayLost(id, true, lease);
  await store.setGatewayLost(id, true, lease);
  await store.setGatewayLost(plain, true, lease);
  expect(await store.nodes.get(id)).toMatchObject({ lost: true, revision: 2 });
  expect(await store.nodes.get(plain)).toMatchObject({ lost: false, revision: 1 });
  await store.setGatewayLost(id, false, lease);
  expect(await store.nodes.get(id)).toMatchObject({ lost: false, revision: 3 });
});
