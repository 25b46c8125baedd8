import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, type TestStore, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, type Row, clientOf, netted } from './testing/client.ts';

let server: TestServer;
let store: TestStore;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  store = await server.openFresh();
  client = clientOf(store);
});

afterAll(() => server.close());

const tagsOf = (ports: readonly Row[]): readonly unknown[] => ports.map(({ tags }) => tags);
const left = async (): Promise<readonly unknown[]> => store.sql`select tag from tags order by 1`;

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

describe('ports are made with their tags', () => {
  it('one or many, in the order of the alphabet', async () => {
    const { id } = await client.make('network', {});
    const ports = [{ network_id: id, tags: ['b', 'a'] }, { network_id: id }];
    const made = (await client.call('POST', '/v2.0/ports', { ports })).body.ports;
    expect(tagsOf(made)).toEqual([['a', 'b'], []]);
    expect(tagsOf((await client.call('GET', `/v2.0/ports?network_id=${id}`)).body.ports)).toEqual([['a', 'b'], []]);
    expect(tagsOf((await client.call('GET', `/v2.0/ports?network_id=${id}&tags=b`)).body.ports)).toEqual([['a', 'b']]);
  });

  it('each tag once, and never by a change of the port', async () => {
    const { id } = await client.make('network', {});
    const twice = { port: { network_id: id, tags: ['a', 'a'] } };
    expect((await client.call('POST', '/v2.0/ports', twice)).status).toBe(400);
    const port = await client.make('port', { network_id: id });
    expect((await client.call('PUT', `/v2.0/ports/${port.id}`, { port: { tags: ['a'] } })).status).toBe(400);
  });
});

describe('tags are gone', () => {
  it('with what they were on, also where it goes with something else', async () => {
    const before = await left();
    const network = await client.make('network', { 'router:external': true });
    const subnet = await client.make('subnet', { network_id: network.id, ip_version: 4, cidr: '203.0.113.0/24' });
    const floating = await client.make('floatingip', { floating_network_id: network.id });
    const group = await client.make('security_group', {});
    const rule = await client.make('security_group_rule', { security_group_id: group.id, direction: 'ingress' });
    for (const path of [
      `networks/${network.id}`,
      `subnets/${subnet.id}`,
      `floatingips/${floating.id}`,
      `security-groups/${group.id}`,
      `security-group-rules/${rule.id}`,
    ]) {
      expect((await client.call('PUT', `/v2.0/${path}/tags/mine`)).status).toBe(201);
    }
    expect((await client.call('DELETE', `/v2.0/networks/${network.id}`)).status).toBe(204);
    expect((await client.call('DELETE', `/v2.0/security-groups/${group.id}`)).status).toBe(204);
    expect(await left()).toEqual(before);
  });

  it('for every table of what projects own and describe', async () => {
    const owned = await store.sql`select c.table_name as name from information_schema.columns c
      join information_schema.columns d on (d.table_name, d.column_name) = (c.table_name, 'description')
      join information_schema.tables t on t.table_name = c.table_name and t.table_type = 'BASE TABLE'
      where c.column_name = 'project_id' order by 1`;
    const kept = await store.sql`select distinct event_object_table as name from information_schema.triggers
      where action_statement like '%drop_tags%' order by 1`;
    expect(kept).toEqual(owned);
  });
});
