import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf } from './testing/client.ts';
import { refusedAs } from './testing/routed.ts';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

afterAll(() => server.close());

type Call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: unknown) => Promise<Answer>;
const as =
  (project: string, roles = 'member'): Call =>
  (method, url, body) =>
    client.call(method, `/v2.0${url}`, body, { 'x-project-id': project, 'x-roles': roles });
const admin = as('admin', 'admin');

async function made(by: Call, singular: string, attributes: object, path = `/${singular}s`): Promise<Row> {
  const { status, body } = await by('POST', path, { [singular]: attributes });
  if (status !== 201) throw new Error(`${singular} not made: ${JSON.stringify(body)}`);
  return (body as Record<string, unknown>)[singular] as Row;
}

/** The administrator's network with addresses. */
async function networkOf(attributes: object = {}): Promise<Row> {
  const network = await made(admin, 'network', attributes);
  await made(admin, 'subnet', { network_id: network.id, ip_version: 4, cidr: '203.0.113.0/24' });
  return network;
}

const grant = (network: Row, project: string, by = admin): Promise<Row> => {
  const policy = { object_type: 'network', object_id: network.id, action: 'access_as_external' };
  return made(by, 'rbac_policy', { ...policy, target_tenant: project }, '/rbac-policies');
};
const revoke = ({ id }: Row): Promise<Answer> => admin('DELETE', `/rbac-policies/${id}`);
const grantsOn = async ({ id }: Row): Promise<readonly Row[]> => {
  const { body } = await admin('GET', `/rbac-policies?object_id=${id}&action=access_as_external`);
  return (body as unknown as { readonly rbac_policies: readonly Row[] }).rbac_policies;
};
const isExternal = async ({ id }: Row): Promise<unknown> =>
  (await admin('GET', `/networks/${id}`)).body.network['router:external'];
const routerOn = (network: Row, by: Call): Promise<Answer> =>
  by('POST', '/routers', { router: { external_gateway_info: { network_id: network.id } } });
const inUse = [409, 'RbacPolicyInUse'];

describe('a network is external', () => {
  it('with the first grant to reach the outside through it, until the last one goes', async () => {
    const network = await networkOf();
    const [alice, bob] = [await grant(network, 'alice'), await grant(network, 'bob')];
    expect(await isExternal(network)).toBe(true);
    await revoke(alice);
    expect(await isExternal(network)).toBe(true);
    await revoke(bob);
    expect(await isExternal(network)).toBe(false);
  });

  it('and then every project is granted it, or none any more', async () => {
    const network = await networkOf({ 'router:external': true });
    expect(await grantsOn(network)).toMatchObject([{ target_tenant: '*' }]);
    await grant(network, 'alice');
    await admin('PUT', `/networks/${network.id}`, { network: { 'router:external': false } });
    expect(await grantsOn(network)).toEqual([]);
  });

  it('for those who are granted it and for no one else', async () => {
    const network = await networkOf();
    await grant(network, 'alice');
    expect(refusedAs(await routerOn(network, as('bob')))).toEqual([404, 'NetworkNotFound']);
    expect((await routerOn(network, as('alice'))).status).toBe(201);
    const hers = await made(as('carol'), 'network', {});
    await grant(hers, 'bob', as('carol'));
    expect((await routerOn(hers, as('bob'))).status).toBe(201);
  });
});

describe('a grant to reach the outside', () => {
  it('stays while a gateway or a floating IP of the project rests on it', async () => {
    const network = await networkOf();
    const [alice, bob] = [await grant(network, 'alice'), await grant(network, 'bob')];
    const router = (await routerOn(network, as('alice'))).body as unknown as { readonly router: Row };
    const floatingIp = await made(as('bob'), 'floatingip', { floating_network_id: network.id });
    expect(refusedAs(await revoke(alice))).toEqual(inUse);
    expect(refusedAs(await revoke(bob))).toEqual(inUse);
    const everyone = await grant(network, '*');
    expect((await revoke(alice)).status).toBe(204);
    expect(refusedAs(await revoke(everyone))).toEqual(inUse);
    expect((await as('alice')('DELETE', `/routers/${router.router.id}`)).status).toBe(204);
    expect((await revoke(everyone)).status).toBe(204);
    expect((await as('bob')('DELETE', `/floatingips/${floatingIp.id}`)).status).toBe(204);
    expect((await revoke(bob)).status).toBe(204);
  });

  it('to everyone may become one to the only project that rests on it', async () => {
    const network = await networkOf({ 'router:external': true });
    await routerOn(network, as('alice'));
    const [everyone] = await grantsOn(network);
    const give = (project: string): Promise<Answer> =>
      admin('PUT', `/rbac-policies/${everyone?.id}`, { rbac_policy: { target_tenant: project } });
    expect(refusedAs(await give('bob'))).toEqual(inUse);
    expect((await give('alice')).status).toBe(200);
    expect(await isExternal(network)).toBe(true);
  });

  it('is the last one and stays while the owner’s own gateway rests on it', async () => {
    const network = await networkOf();
    const only = await grant(network, 'alice');
    await routerOn(network, admin);
    expect(refusedAs(await revoke(only))).toEqual(inUse);
  });

  it('to everyone stays on the default network', async () => {
    const network = await networkOf({ 'router:external': true, is_default: true });
    const [everyone] = await grantsOn(network);
    expect(refusedAs(await revoke(everyone as Row))).toEqual(inUse);
    await admin('PUT', `/networks/${network.id}`, { network: { is_default: false } });
    expect((await revoke(everyone as Row)).status).toBe(204);
  });

  it('does not keep the network from being unshared, whose ports are others’', async () => {
    const network = await networkOf({ 'router:external': true, shared: true });
    await routerOn(network, as('alice'));
    const unshared = await admin('PUT', `/networks/${network.id}`, { network: { shared: false } });
    expect(unshared).toMatchObject({ status: 200, body: { network: { shared: false } } });
  });
});

describe('a QoS policy of the provider', () => {
  it('is taken off by those who may use it, and by no one else', async () => {
    const policy = await made(admin, 'policy', {}, '/qos/policies');
    const alice = as('alice');
    const network = await made(alice, 'network', {});
    const port = await made(alice, 'port', { network_id: network.id });
    for (const [path, singular, { id }] of [
      ['networks', 'network', network],
      ['ports', 'port', port],
    ] as const) {
      const put = (by: Call, to: string | null): Promise<Answer> =>
        by('PUT', `/${path}/${id}`, { [singular]: { qos_policy_id: to } });
      expect(refusedAs(await put(alice, policy.id))).toEqual([404, 'QosPolicyNotFound']);
      expect((await put(admin, policy.id)).status).toBe(200);
      expect(refusedAs(await put(alice, null))).toEqual([403, 'PolicyRemoveAuthorizationError']);
      expect((await alice('PUT', `/${path}/${id}`, { [singular]: { name: 'hers' } })).status).toBe(200);
    }
    const shared = { object_type: 'qos_policy', object_id: policy.id, action: 'access_as_shared' };
    await made(admin, 'rbac_policy', { ...shared, target_tenant: 'alice' }, '/rbac-policies');
    const freed = await alice('PUT', `/ports/${port.id}`, { port: { qos_policy_id: null } });
    expect(freed).toMatchObject({ status: 200, body: { port: { qos_policy_id: null } } });
  });

  it('is labelled by those who see it, on either path', async () => {
    const policy = await made(admin, 'policy', { shared: true }, '/qos/policies');
    for (const [path, by, status] of [
      ['policies', as('alice'), 200],
      ['qos/policies', as('alice'), 200],
      ['policies', as('alice', 'reader'), 403],
    ] as const) {
      expect((await by('PUT', `/${path}/${policy.id}/tags`, { tags: [path] })).status).toBe(status);
    }
    expect((await admin('GET', `/policies/${policy.id}/tags`)).body).toEqual({ tags: ['qos/policies'] });
  });
});
