import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf } from './testing/client.ts';
import { refusedAs } from './testing/routed.ts';

let server: TestServer;
let client: Client;
let network: Row;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
  network = await client.make('network', {});
});

afterAll(() => server.close());

const portOn = (hostId: string, more: object = {}): Promise<Row> =>
  client.make('port', { network_id: network.id, device_owner: 'compute:nova', 'binding:host_id': hostId, ...more });
const hostOf = async ({ id }: Row): Promise<unknown> =>
  (await client.call('GET', `/v2.0/ports/${id}`)).body.port['binding:host_id'];
const bind = (port: Row, host: string, more: object = {}): Promise<Answer> =>
  client.call('POST', `/v2.0/ports/${port.id}/bindings`, { binding: { host, ...more } });
const activate = (port: Row, host: string): Promise<Answer> =>
  client.call('PUT', `/v2.0/ports/${port.id}/bindings/${host}/activate`);
const bindingsOf = async ({ id }: Row, query = ''): Promise<readonly unknown[]> => {
  const { body } = await client.call('GET', `/v2.0/ports/${id}/bindings?sort_key=host${query}`);
  return (body as unknown as { bindings: readonly Row[] }).bindings.map((each) => [each['host'], each['status']]);
};

it('a guest that moves has its port bound to both hosts, and then to the other one', async () => {
  const port = await portOn('here', { 'binding:profile': { at: 'here' } });
  const made = await bind(port, 'there', { profile: { migrating_to: 'there' } });
  const attachment = { host: 'there', vnic_type: 'normal', vif_type: 'ovs', profile: { migrating_to: 'there' } };
  expect(made).toMatchObject({ status: 201, body: { binding: { ...attachment, status: 'INACTIVE' } } });
  expect([await hostOf(port), await bindingsOf(port)]).toEqual([
    'here',
    [
      ['here', 'ACTIVE'],
      ['there', 'INACTIVE'],
    ],
  ]);
  const moved = await activate(port, 'there');
  expect(moved).toMatchObject({ status: 200, body: { binding: { ...attachment, status: 'ACTIVE' } } });
  expect([await hostOf(port), await bindingsOf(port)]).toEqual([
    'there',
    [
      ['here', 'INACTIVE'],
      ['there', 'ACTIVE'],
    ],
  ]);
  const former = await client.call('GET', `/v2.0/ports/${port.id}/bindings/here`);
  expect(former.body).toMatchObject({ binding: { profile: { at: 'here' }, status: 'INACTIVE' } });
  expect((await client.call('DELETE', `/v2.0/ports/${port.id}/bindings/here`)).status).toBe(204);
  expect(await bindingsOf(port)).toEqual([['there', 'ACTIVE']]);
});

it('a port without a host gets one by its first binding, and none by the loss of it', async () => {
  const port = await portOn('');
  expect(await bindingsOf(port)).toEqual([]);
  expect(await bind(port, 'here')).toMatchObject({ status: 201, body: { binding: { status: 'ACTIVE' } } });
  expect(await hostOf(port)).toBe('here');
  expect((await client.call('DELETE', `/v2.0/ports/${port.id}/bindings/here`)).status).toBe(204);
  expect(await hostOf(port)).toBe('');
});

it('bindings are changed one by one, and a port that is bound elsewhere meanwhile has one on that host', async () => {
  const port = await portOn('here');
  await bind(port, 'there');
  const change = (host: string, binding: object): Promise<Answer> =>
    client.call('PUT', `/v2.0/ports/${port.id}/bindings/${host}`, { binding });
  expect((await change('there', { profile: { a: 1 } })).body).toMatchObject({ binding: { profile: { a: 1 } } });
  expect((await change('here', { profile: { b: 2 } })).body).toMatchObject({ binding: { profile: { b: 2 } } });
  expect(refusedAs(await change('there', { host: 'here' }))).toEqual([409, 'PortBindingAlreadyExists']);
  expect((await change('there', { host: 'yonder' })).body).toMatchObject({ binding: { host: 'yonder' } });
  await client.call('PUT', `/v2.0/ports/${port.id}`, { port: { 'binding:host_id': 'yonder' } });
  expect(await bindingsOf(port)).toEqual([['yonder', 'ACTIVE']]);
});

it('what cannot be is refused', async () => {
  const port = await portOn('here');
  await bind(port, 'there');
  expect(refusedAs(await bind(port, 'here'))).toEqual([409, 'PortBindingAlreadyExists']);
  expect(refusedAs(await bind(port, 'there'))).toEqual([409, 'PortBindingAlreadyExists']);
  expect(refusedAs(await activate(port, 'here'))).toEqual([409, 'PortBindingAlreadyActive']);
  expect(refusedAs(await activate(port, 'nowhere'))).toEqual([404, 'PortBindingNotFound']);
  expect((await bind(port, '')).status).toBe(400);
  const other = await client.make('port', { network_id: network.id });
  expect(refusedAs(await bind(other, 'here'))).toEqual([409, 'UnsupportedPortDeviceOwner']);
  const node = { id: 'full', ip: '192.0.2.9', agent_address: 'h:1', draining: true };
  await client.call('POST', '/alcor/v1/nodes', { node });
  await bind(port, 'full');
  expect(refusedAs(await activate(port, 'full'))).toEqual([409, 'NodeDraining']);
  expect(await hostOf(port)).toBe('here');
});

it('two that activate at once leave one active', async () => {
  const port = await portOn('here');
  await bind(port, 'there');
  await bind(port, 'yonder');
  await Promise.all([activate(port, 'there'), activate(port, 'yonder'), activate(port, 'there')]);
  const all = (await bindingsOf(port)) as readonly (readonly unknown[])[];
  expect(all.map(([host]) => host)).toEqual(['here', 'there', 'yonder']);
  expect(all.filter(([, status]) => status === 'ACTIVE')).toHaveLength(1);
});

it('come in pages', async () => {
  const port = await portOn('a');
  await bind(port, 'b');
  await bind(port, 'c');
  expect(await bindingsOf(port, '&limit=2')).toEqual([
    ['a', 'ACTIVE'],
    ['b', 'INACTIVE'],
  ]);
  expect(await bindingsOf(port, '&limit=2&marker=b')).toEqual([['c', 'INACTIVE']]);
  expect(await bindingsOf(port, '&status=INACTIVE&limit=1')).toEqual([['b', 'INACTIVE']]);
});
