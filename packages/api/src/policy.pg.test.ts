import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { readPolicy } from './policy-file.ts';
import { type Answer, type Client, type Row, clientOf } from './testing/client.ts';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

afterAll(() => server.close());

type Call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: unknown) => Promise<Answer>;

/** Speaks for a project with these roles. */
function as(project: string, roles = 'member,reader', to: () => Client = () => client): Call {
  return (method, url, body) =>
    to().call(method, `/v2.0${url}`, body, { 'x-project-id': project, 'x-roles': roles, 'x-user-id': project });
}

async function made(by: Call, singular: string, attributes: object, path = `/${singular}s`): Promise<Row> {
  const { status, body } = await by('POST', path, { [singular]: attributes });
  if (status !== 201) throw new Error(`${singular} not made: ${JSON.stringify(body)}`);
  return (body as Record<string, unknown>)[singular] as Row;
}

const admin = as('admin', 'admin');
const alice = as('alice');
const bob = as('bob');

describe('a project', () => {
  it('sees what is its own and nothing of others, in lists and by id', async () => {
    const network = await made(alice, 'network', { name: 'hers' });
    expect(network['project_id']).toBe('alice');
    expect((await alice('GET', `/networks?id=${network.id}`)).body.networks).toHaveLength(1);
    expect((await bob('GET', `/networks?id=${network.id}`)).body.networks).toEqual([]);
    for (const [method, body] of [['GET'], ['PUT', { network: { name: 'his' } }], ['DELETE']] as const) {
      const { status, body: answer } = await bob(method, `/networks/${network.id}`, body);
      expect([method, status, answer.NeutronError.type]).toEqual([method, 404, 'NetworkNotFound']);
    }
  });

  it('makes nothing for others', async () => {
    const { status, body } = await alice('POST', '/networks', { network: { project_id: 'bob' } });
    expect([status, body.NeutronError.message]).toEqual([400, expect.stringContaining('requires admin privileges')]);
    expect(await made(admin, 'network', { project_id: 'bob' })).toMatchObject({ project_id: 'bob' });
  });

  it('refers to nothing of others', async () => {
    const network = await made(alice, 'network', {});
    const subnet = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' };
    const hers = await made(alice, 'subnet', subnet);
    const port = { network_id: network.id };
    for (const [path, body] of [
      ['/subnets', { subnet: { ...subnet, cidr: '10.1.0.0/24' } }],
      ['/ports', { port }],
      ['/ports', { ports: [port] }],
    ] as const) {
      expect((await bob('POST', path, body)).status).toBe(404);
    }
    const own = await made(bob, 'network', {});
    const { status, body } = await bob('POST', '/ports', {
      port: { network_id: own.id, fixed_ips: [{ subnet_id: hers.id }] },
    });
    expect([status, body.NeutronError.type]).toEqual([404, 'SubnetNotFound']);
  });
});

describe('a reader', () => {
  it('reads and writes nothing', async () => {
    const network = await made(alice, 'network', {});
    const reader = as('alice', 'reader');
    expect((await reader('GET', `/networks/${network.id}`)).status).toBe(200);
    for (const [method, path, body] of [
      ['POST', '/networks', { network: {} }],
      ['PUT', `/networks/${network.id}`, { network: { name: 'x' } }],
      ['DELETE', `/networks/${network.id}`],
    ] as const) {
      const answer = await reader(method, path, body);
      expect([method, answer.status, answer.body.NeutronError.type]).toEqual([method, 403, 'PolicyNotAuthorized']);
    }
  });
});

describe('what only the administrator may set or see', () => {
  it.each(['shared', 'provider:segmentation_id'])('%s is refused by its rule', async (name) => {
    const value = name === 'shared' ? true : 77;
    const { status, body } = await alice('POST', '/networks', { network: { [name]: value } });
    expect([status, body.NeutronError.message]).toEqual([
      403,
      `(rule:create_network and rule:create_network:${name}) is disallowed by policy`,
    ]);
    const update = await made(alice, 'network', {});
    expect((await alice('PUT', `/networks/${update.id}`, { network: { shared: false } })).status).toBe(403);
  });

  it('is left out of answers, and no filter tells it', async () => {
    const network = await made(alice, 'network', {});
    expect(Object.keys(network).filter((name) => name.startsWith('provider:'))).toEqual([]);
    const seen = (await admin('GET', `/networks/${network.id}`)).body.network;
    expect(seen['provider:segmentation_id']).toBeGreaterThan(0);
    expect((await alice('GET', '/networks?provider:segmentation_id=1')).status).toBe(403);
    const port = await made(alice, 'port', { network_id: network.id });
    expect(Object.keys(port).filter((name) => name.startsWith('binding:'))).toEqual(['binding:vnic_type']);
  });
});

describe('a shared network', () => {
  it('is everyone’s to use, and its owner’s to change', async () => {
    const network = await made(admin, 'network', { shared: true });
    const subnet = await made(admin, 'subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' });
    expect((await bob('GET', `/networks/${network.id}`)).body.network['shared']).toBe(true);
    expect((await bob('GET', `/subnets/${subnet.id}`)).status).toBe(200);
    const port = await made(bob, 'port', { network_id: network.id });
    expect(port['project_id']).toBe('bob');
    expect((await alice('GET', `/ports/${port.id}`)).status).toBe(404);
    expect((await bob('PUT', `/networks/${network.id}`, { network: { name: 'x' } })).status).toBe(403);
    expect((await bob('DELETE', `/networks/${network.id}`)).status).toBe(403);
    const another = { network_id: network.id, ip_version: 4, cidr: '10.9.0.0/24' };
    expect((await bob('POST', '/subnets', { subnet: another })).status).toBe(403);
    const chosen = { network_id: network.id, mac_address: 'fa:16:3e:00:00:77' };
    expect((await bob('POST', '/ports', { port: chosen })).status).toBe(403);
    const privileged = { network_id: network.id, device_owner: 'network:dhcp' };
    expect((await bob('POST', '/ports', { port: privileged })).status).toBe(403);
  });

  it('stays shared while others use it', async () => {
    const network = await made(admin, 'network', { shared: true });
    const port = await made(bob, 'port', { network_id: network.id });
    const unshare = { network: { shared: false } };
    const { status, body } = await admin('PUT', `/networks/${network.id}`, unshare);
    expect([status, body.NeutronError.type]).toEqual([409, 'InvalidSharedSetting']);
    await bob('DELETE', `/ports/${port.id}`);
    expect((await admin('PUT', `/networks/${network.id}`, unshare)).body.network['shared']).toBe(false);
    expect((await bob('GET', `/networks/${network.id}`)).status).toBe(404);
  });
});

function grantOn(id: string, target: string): object {
  return { object_type: 'network', object_id: id, target_tenant: target, action: 'access_as_shared' };
}

describe('a grant (RBAC policy)', () => {
  it('lets one project use a network, until nobody does and it is taken back', async () => {
    const network = await made(alice, 'network', {});
    const grant = await made(alice, 'rbac_policy', grantOn(network.id, 'bob'), '/rbac-policies');
    expect(grant).toMatchObject({ project_id: 'alice', tenant_id: 'alice', target_tenant: 'bob' });
    expect((await bob('GET', `/networks/${network.id}`)).body.network['shared']).toBe(true);
    expect((await alice('GET', `/networks/${network.id}`)).body.network['shared']).toBe(false);
    expect((await as('carol')('GET', `/networks/${network.id}`)).status).toBe(404);
    const port = await made(bob, 'port', { network_id: network.id });
    const refused = await alice('DELETE', `/rbac-policies/${grant.id}`);
    expect([refused.status, refused.body.NeutronError.type]).toEqual([409, 'RbacPolicyInUse']);
    await bob('DELETE', `/ports/${port.id}`);
    expect((await alice('DELETE', `/rbac-policies/${grant.id}`)).status).toBe(204);
    expect((await bob('GET', `/networks/${network.id}`)).status).toBe(404);
  });

  it('to everyone is the same as the shared flag, both ways', async () => {
    const network = await made(admin, 'network', { shared: true });
    const list = async () =>
      (await admin('GET', `/rbac-policies?object_id=${network.id}`)).body as never as {
        rbac_policies: Row[];
      };
    const [wildcard] = (await list()).rbac_policies;
    expect(wildcard).toMatchObject({ target_tenant: '*', action: 'access_as_shared' });
    await admin('DELETE', `/rbac-policies/${wildcard?.id}`);
    expect((await admin('GET', `/networks/${network.id}`)).body.network['shared']).toBe(false);
    await made(admin, 'rbac_policy', grantOn(network.id, '*'), '/rbac-policies');
    expect((await admin('GET', `/networks/${network.id}`)).body.network['shared']).toBe(true);
    const twice = await admin('POST', '/rbac-policies', { rbac_policy: grantOn(network.id, '*') });
    expect([twice.status, twice.body.NeutronError.type]).toEqual([409, 'DuplicateRbacPolicy']);
    await admin('DELETE', `/networks/${network.id}`);
    expect((await list()).rbac_policies).toEqual([]);
  });

  it('makes lists by `shared` say what answers show', async () => {
    const dave = as('dave');
    const granted = await made(alice, 'network', { name: 'granted' });
    await made(alice, 'rbac_policy', grantOn(granted.id, 'dave'), '/rbac-policies');
    const everyones = await made(admin, 'network', { name: 'everyones', shared: true });
    const own = await made(dave, 'network', { name: 'own' });
    const mine = new Set([granted.id, everyones.id, own.id]);
    const listed = async (who: typeof dave, query: string) =>
      (await who('GET', `/networks?sort_key=created_at&${query}`)).body.networks
        .filter(({ id }) => mine.has(id))
        .map(({ name, shared }) => [name, shared]);
    const [shared, others] = [
      [
        ['granted', true],
        ['everyones', true],
      ],
      [['own', false]],
    ];
    expect(await listed(dave, 'shared=True')).toEqual(shared);
    expect(await listed(dave, 'shared=False')).toEqual(others);
    expect(await listed(dave, 'shared=True&shared=False')).toEqual([...shared, ...others]);
    expect(await listed(admin, 'shared=True')).toEqual([['everyones', true]]);
    expect((await dave('GET', '/networks?shared=perhaps')).status).toBe(400);
  });

  it('finds subnets by whether their networks are shared', async () => {
    const erin = as('erin');
    const subnetOf = async (who: typeof erin, network: object) => {
      const { id } = await made(who, 'network', network);
      return (await made(who, 'subnet', { network_id: id, ip_version: 4, cidr: '10.0.0.0/24' })).id;
    };
    const [everyones, own] = [await subnetOf(admin, { shared: true }), await subnetOf(erin, {})];
    const listed = async (query: string) =>
      (await erin('GET', `/subnets?${query}`)).body.subnets
        .map(({ id }) => id)
        .filter((id) => id === everyones || id === own);
    expect(await listed('shared=True')).toEqual([everyones]);
    expect(await listed('shared=False')).toEqual([own]);
  });

  it('is for owners to give, and to everyone for the administrator', async () => {
    const network = await made(alice, 'network', {});
    expect((await alice('POST', '/rbac-policies', { rbac_policy: grantOn(network.id, '*') })).status).toBe(403);
    expect((await bob('POST', '/rbac-policies', { rbac_policy: grantOn(network.id, 'bob') })).status).toBe(404);
    const shared = await made(admin, 'network', { shared: true });
    expect((await bob('POST', '/rbac-policies', { rbac_policy: grantOn(shared.id, 'alice') })).status).toBe(400);
    const nothing = grantOn('00000000-0000-4000-8000-00000000dead', 'bob');
    expect((await admin('POST', '/rbac-policies', { rbac_policy: nothing })).status).toBe(404);
  });

  it('can be turned to another project while the one does not rest on it', async () => {
    const network = await made(alice, 'network', {});
    const grant = await made(alice, 'rbac_policy', grantOn(network.id, 'bob'), '/rbac-policies');
    const turn = { rbac_policy: { target_tenant: 'carol' } };
    expect((await alice('PUT', `/rbac-policies/${grant.id}`, turn)).status).toBe(200);
    expect((await bob('GET', `/networks/${network.id}`)).status).toBe(404);
    expect((await as('carol')('GET', `/networks/${network.id}`)).status).toBe(200);
  });
});

describe('a policy file', () => {
  it('gives rights and takes them', async () => {
    const policy = readPolicy('{"create_network:shared": "member", "delete_network": ["admin"], "get_node": "nobody"}');
    const other = clientOf(await server.openFresh(), { policy });
    const she = as('alice', 'member', () => other);
    const network = await made(she, 'network', { shared: true });
    expect((await she('DELETE', `/networks/${network.id}`)).status).toBe(403);
    expect((await as('x', 'admin', () => other)('DELETE', `/networks/${network.id}`)).status).toBe(204);
  });

  it('that says who changes a resource says who labels it, unless it says that as well', async () => {
    for (const [rules, status] of [
      ['{"update_network": "admin"}', 403],
      ['{"update_network": "admin", "update_network_tags": "member"}', 200],
    ] as const) {
      const other = clientOf(await server.openFresh(), { policy: readPolicy(rules) });
      const she = as('alice', 'member', () => other);
      const network = await made(she, 'network', {});
      expect((await she('PUT', `/networks/${network.id}/tags`, { tags: ['red'] })).status).toBe(status);
    }
  });

  it.each([
    ['nonsense', 'not JSON'],
    ['[]', 'not a JSON object'],
    ['{"create_netwrok": "admin"}', "'create_netwrok' is the name of no rule"],
    ['{"create_network:shard": "admin"}', "there are 'create_network'"],
    ['{"create_network": "everybody"}', '"everybody" is none of \'anyone\''],
    ['{"create_network": []}', 'the list is empty'],
  ])('%s is refused in words that help', (text, words) => {
    expect(() => readPolicy(text)).toThrow(words);
  });
});
