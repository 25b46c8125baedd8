import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, clientOf, netted } from './testing/client.ts';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

afterAll(() => server.close());

describe('tags', () => {
  it('are put on resources of every kind, one by one and together, and taken off', async () => {
    const { network, subnet } = await netted(client);
    const port = await client.make('port', { network_id: network.id });
    const outside = await client.make('network', { 'router:external': true });
    await client.make('subnet', { network_id: outside.id, cidr: '198.51.100.0/24', ip_version: 4 });
    const others = await Promise.all([
      client.make('router', {}).then(({ id }) => `/v2.0/routers/${id}`),
      client.make('subnetpool', { name: 'p', prefixes: ['10.64.0.0/16'] }).then(({ id }) => `/v2.0/subnetpools/${id}`),
      client.make('security_group', { name: 'g' }).then(({ id }) => `/v2.0/security-groups/${id}`),
      client.make('floatingip', { floating_network_id: outside.id }).then(({ id }) => `/v2.0/floatingips/${id}`),
      client.make('trunk', { port_id: port.id }).then(({ id }) => `/v2.0/trunks/${id}`),
    ]);
    const own = [`/v2.0/networks/${network.id}`, `/v2.0/subnets/${subnet.id}`, `/v2.0/ports/${port.id}`];
    for (const path of [...own, ...others]) {
      const tags = `${path}/tags`;
      expect(await client.call('GET', tags)).toEqual({ status: 200, body: { tags: [] } });
      expect((await client.call('PUT', `${tags}/red`)).status).toBe(201);
      expect((await client.call('PUT', `${tags}/red`)).status).toBe(201);
      expect((await client.call('GET', `${tags}/red`)).status).toBe(204);
      expect((await client.call('GET', `${tags}/blue`)).body.NeutronError.type).toBe('TagNotFound');
      expect((await client.call('PUT', tags, { tags: ['b', 'a', 'b'] })).body).toEqual({ tags: ['a', 'b'] });
      expect((await client.call('DELETE', `${tags}/a`)).status).toBe(204);
      expect((await client.call('DELETE', `${tags}/a`)).status).toBe(404);
      expect((await client.call('DELETE', tags)).status).toBe(204);
    }
  });

  it('show in the resource and grow its revision, once for each change', async () => {
    const network = await client.make('network', {});
    await client.call('PUT', `/v2.0/networks/${network.id}/tags/x`);
    await client.call('PUT', `/v2.0/networks/${network.id}/tags/x`);
    const seen = (await client.call('GET', `/v2.0/networks/${network.id}`)).body.network;
    expect(seen).toMatchObject({ tags: ['x'], revision_number: 2 });
  });

  it('are refused when they are none', async () => {
    const { id } = await client.make('network', {});
    const path = `/v2.0/networks/${id}/tags`;
    expect((await client.call('PUT', `${path}/${'x'.repeat(61)}`)).status).toBe(400);
    expect((await client.call('PUT', `${path}/${'x'.repeat(60)}`)).status).toBe(201);
    for (const body of [{}, { tags: 'x' }, { tags: [7] }, { tags: ['x'.repeat(61)] }, { tags: ['a\0b'] }]) {
      expect((await client.call('PUT', path, body)).status).toBe(400);
    }
    expect((await client.call('GET', '/v2.0/networks/00000000-0000-4000-8000-00000000dead/tags')).status).toBe(404);
    const foreign = await client.call('PUT', `${path}/x`, undefined, { 'x-project-id': 'else', 'x-roles': 'member' });
    expect(foreign.status).toBe(404);
  });

  it('filter lists: all, any, not all, not any', async () => {
    const ids = new Map<string, string>();
    for (const tags of ['a', 'b', 'a,b', '']) {
      const { id } = await client.make('network', { name: 'tagged' });
      ids.set(id, tags);
      await client.call('PUT', `/v2.0/networks/${id}/tags`, { tags: tags.split(',').filter((tag) => tag !== '') });
    }
    const having = async (query: string) =>
      (await client.call('GET', `/v2.0/networks?name=tagged&${query}`)).body.networks.map(({ id }) => ids.get(id));
    expect(await having('tags=a')).toEqual(['a', 'a,b']);
    expect(await having('tags=a,b')).toEqual(['a,b']);
    expect(await having('tags-any=a,b')).toEqual(['a', 'b', 'a,b']);
    expect(await having('not-tags=a,b')).toEqual(['a', 'b', '']);
    expect(await having('not-tags-any=a,b')).toEqual(['']);
    expect(await having('tags=a&not-tags=b')).toEqual(['a']);
  });
});

describe('changed_since', () => {
  it('lists what changed then or later', async () => {
    const { id } = await client.make('network', {});
    const list = (since: string) => client.call('GET', `/v2.0/networks?id=${id}&changed_since=${since}`);
    expect((await list('2020-01-01T00:00:00')).body.networks).toHaveLength(1);
    expect((await list('2999-01-01T00:00:00Z')).body.networks).toEqual([]);
    for (const since of ['yesterday', '7', '2020']) expect((await list(since)).status).toBe(400);
  });
});
