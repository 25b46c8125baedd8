import type { NodeId, PortId } from '@alcor/network';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, type TestStore, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, clientOf } from './testing/client.ts';

let server: TestServer;
let store: TestStore;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  store = await server.openFresh();
  client = clientOf(store);
});

afterAll(() => server.close());

const member = { 'x-project-id': 'p', 'x-roles': 'member', 'x-user-id': 'u' };

it('a port and its host show what the host has said, in its own words', async () => {
  const network = await client.make('network', {});
  const bound = { network_id: network.id, 'binding:host_id': 'h1' };
  await client.make('node', { id: 'h1', ip: '192.0.2.1', agent_address: 'h1:1' });
  const [good, bad, silent] = [
    await client.make('port', bound),
    await client.make('port', bound),
    await client.make('port', bound),
  ];
  const report = { nodeId: 'h1' as NodeId };
  await store.setPortStatuses([
    { ...report, portId: good.id as PortId, status: 'ACTIVE', reason: '' },
    { ...report, portId: bad.id as PortId, status: 'ERROR', reason: 'no such interface' },
  ]);
  const failed = { port_id: bad.id, node_id: 'h1', status: 'ERROR', reason: 'no such interface' };
  expect(await client.call('GET', `/alcor/v1/ports/${bad.id}/programming`)).toEqual({
    status: 200,
    body: { port_programming: failed },
  });
  expect(await client.call('GET', '/alcor/v1/nodes/h1/programming')).toEqual({
    status: 200,
    body: {
      node_programming: {
        node_id: 'h1',
        ports: 3,
        active: 1,
        down: 1,
        error: 1,
        not_active: [failed, { port_id: silent.id, node_id: 'h1', status: 'DOWN', reason: '' }],
      },
    },
  });
  const foreign = await client.call('GET', `/alcor/v1/ports/${bad.id}/programming`, undefined, member);
  expect(foreign).toMatchObject({ status: 404, body: { NeutronError: { type: 'PortNotFound' } } });
  expect((await client.call('GET', '/alcor/v1/nodes/h1/programming', undefined, member)).status).toBeGreaterThanOrEqual(
    403,
  );
  expect((await client.call('GET', '/alcor/v1/nodes/none/programming')).status).toBe(404);
});
