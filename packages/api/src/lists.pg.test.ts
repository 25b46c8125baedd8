import type { ListQuery, NodeTypes } from '@alcor/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, type Row, clientOf, netted } from './testing/client.ts';

let server: TestServer;
let client: Client;
let made: readonly Row[];
let other: Row;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
  const { network } = await netted(client);
  const ports = ['c', 'a', 'b', 'a', 'e'].map((name, index) => ({
    network_id: network.id,
    name,
    device_id: index === 4 ? '' : 'vm',
    admin_state_up: index !== 0,
  }));
  made = (await client.call('POST', '/v2.0/ports', { ports })).body.ports;
  other = await client.make('network', { name: 'other' });
});

afterAll(() => server.close());

const names = async (query: string): Promise<readonly unknown[]> => {
  const { status, body } = await client.call('GET', `/v2.0/ports?${query}`);
  expect(status).toBe(200);
  return body.ports.map(({ name }) => name);
};

describe('filters', () => {
  it.each([
    ['name=a', ['a', 'a']],
    ['name=a&name=b', ['a', 'b', 'a']],
    ['name=nobody', []],
    ['admin_state_up=False', ['c']],
    ['admin_state_up=false&name=a', []],
    ['device_id=', ['e']],
    ['fixed_ips=ip_address%3D10.0.0.3', ['a']],
    ['fixed_ips=ip_address%3D10.0.0.3&fixed_ips=ip_address%3D10.0.0.4', ['a', 'b']],
    ['fixed_ips=ip_address%3Dnonsense', []],
    ['fixed_ips=ip_address_substr%3D0.0.3', ['a']],
    ['fixed_ips=ip_address_substr%3D10.0.0.', ['c', 'a', 'b', 'a', 'e']],
    ['fixed_ips=ip_address_substr%3D%25', []],
    ['fixed_ips=ip_address_substr%3D0.0.3&name=a&name=b', ['a']],
    ['fixed_ips=ip_address_substr%3D0.0.3&name=b', []],
    ['network_id=nonsense', []],
    ['tenant_id=admin&name=c', ['c']],
    ['tenant_id=admin&project_id=other', []],
    ['tenant_id=other&project_id=admin', []],
    ['binding:vnic_type=direct', []],
    ['binding:vnic_type=normal&name=b', ['b']],
    ['status=ACTIVE', []],
  ])('%s', async (query, expected) => {
    expect(await names(query)).toEqual(expected);
  });

  it('by several ids at once', async () => {
    expect(await names(`id=${made[0]?.id}&id=${made[4]?.id}`)).toEqual(['c', 'e']);
  });

  it.each([
    ['colour=red', /\['colour'\] is invalid attribute for filtering/],
    ['binding:vif_details=x', /invalid attribute for filtering/],
    ['admin_state_up=perhaps', /Invalid input for admin_state_up.*boolean/],
    ['revision_number=x', /revision_number/],
    ['fixed_ips=colour%3Dred', /fixed_ips/],
    ['limit=-1', /limit/],
    ['limit=x', /limit/],
    ['limit=1&page_reverse=perhaps', /page_reverse/],
    ['sort_key=colour&sort_dir=asc', /invalid attribute for sort_keys/],
    ['sort_key=name&sort_dir=up', /sort_dirs/],
    ['sort_key=name&sort_dir=asc&sort_dir=asc', /must be same/],
  ])('%s is refused', async (query, message) => {
    const answer = await client.call('GET', `/v2.0/ports?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { NeutronError: { message: expect.stringMatching(message) } } });
  });

  it('are bounded in number', async () => {
    const query = Array.from({ length: 1_001 }, (_, n) => `name=${n}`).join('&');
    expect((await client.call('GET', `/v2.0/ports?${query}`)).status).toBe(400);
  });
});

it('shows the wanted fields only, and passes over unknown ones', async () => {
  expect(
    (await client.call('GET', '/v2.0/networks?name=other&fields=id&fields=name&fields=colour')).body.networks,
  ).toEqual([{ id: other.id, name: 'other' }]);
  expect((await client.call('GET', `/v2.0/networks/${other.id}?fields=mtu`)).body.network).toEqual({ mtu: 1450 });
});

it('sorts by several keys', async () => {
  expect(await names('sort_key=name&sort_dir=desc')).toEqual(['e', 'c', 'b', 'a', 'a']);
  const ids = (
    await client.call('GET', '/v2.0/ports?sort_key=name&sort_dir=asc&sort_key=id&sort_dir=desc')
  ).body.ports.map(({ id }) => id);
  expect(ids.slice(0, 2)).toEqual([made[3]?.id, made[1]?.id]);
});

const followed = async (url: string) => {
  const { body } = await client.call('GET', url.replace(/^http:\/\/[^/]+/, ''));
  const link = (rel: string) => body.ports_links.find((one) => one.rel === rel)?.href;
  return { names: body.ports.map(({ name }) => name), next: link('next'), previous: link('previous') };
};

describe('pages', () => {
  it('follow each other by their links, forwards and back, keeping the filters', async () => {
    const first = await followed('/v2.0/ports?limit=2&device_id=vm&sort_key=name&sort_dir=asc');
    expect(first.names).toEqual(['a', 'a']);
    const second = await followed(first.next ?? '');
    expect(second.names).toEqual(['b', 'c']);
    // A full page may have a successor: only the empty one after it says that there is none.
    const third = await followed(second.next ?? '');
    expect([third.names, third.next]).toEqual([[], undefined]);
    const back = await followed(second.previous ?? '');
    expect(back.names).toEqual(['a', 'a']);
    expect((await followed(third.previous ?? '')).names).toEqual(['b', 'c']);
  });

  it('are not linked without a limit', async () => {
    expect((await client.call('GET', '/v2.0/ports')).body).not.toHaveProperty('ports_links');
    expect((await client.call('GET', '/v2.0/ports?limit=0')).body.ports).toHaveLength(5);
  });

  it('need a marker that exists', async () => {
    for (const marker of ['nonsense', other.id]) {
      expect(await client.call('GET', `/v2.0/ports?limit=1&marker=${marker}`)).toMatchObject({
        status: 404,
        body: { NeutronError: { type: 'PortNotFound' } },
      });
    }
  });
});

it('streams a list that is longer than one page of the store, every row once, although rows go meanwhile', async () => {
  const store = await server.openFresh();
  const nodes = Array.from({ length: 5_000 }, (_, n) => ({
    id: `h${10_000 + n}`,
    ip: `10.0.${n >> 8}.${n & 255}`,
    agent_address: `h:${n}`,
  }));
  expect((await clientOf(store).call('POST', '/alcor/v1/nodes', { nodes })).status).toBe(201);
  const { nodes: collection } = store;
  let calls = 0;
  const vanishing = {
    ...collection,
    list: async (query: ListQuery<NodeTypes>) => {
      calls += 1;
      const page = await collection.list(query);
      const last = page.rows.at(-1);
      if (calls === 1 && last !== undefined) await collection.delete(last.id);
      return page;
    },
  };
  const { body } = await clientOf({ ...store, nodes: vanishing }).call('GET', '/alcor/v1/nodes?fields=id');
  expect(calls).toBeGreaterThan(2);
  expect(body.nodes.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id));
});
