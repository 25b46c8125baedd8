import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf } from './testing/client.ts';
import { makeAt } from './testing/needs.ts';
import { type Routed, refusedAs, routedOf } from './testing/routed.ts';

let server: TestServer;
let client: Client;
let routed: Routed;

const unknownId = '00000000-0000-4000-8000-00000000dead';

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
  routed = routedOf(client);
});

afterAll(() => server.close());

const post = (path: string, body: object): Promise<Answer> => client.call('POST', `/v2.0${path}`, body);
const remove = (path: string): Promise<Answer> => client.call('DELETE', `/v2.0${path}`);

const by = (project: string) => ({ 'x-project-id': project, 'x-roles': 'member' });
const policyOf = (): Promise<Row> => makeAt(client, '/v2.0/qos/policies', 'policy', {});
const flavorOf = async (attributes: object = {}): Promise<Row> => {
  const { id } = await makeAt(client, '/v2.0/service_profiles', 'service_profile', { driver: 'alcor' });
  const serviceProfiles = { service_type: 'L3_ROUTER_NAT', service_profiles: [id], ...attributes };
  return makeAt(client, '/v2.0/flavors', 'flavor', serviceProfiles);
};
const askRouter = (attributes: object): Promise<Answer> => post('/routers', { router: attributes });

describe('conntrack helpers', () => {
  const ftp = { protocol: 'tcp', port: 21, helper: 'ftp' };

  it('are made, changed and deleted, and their router shows them and has changed with each', async () => {
    const router = await routed.make('router', {});
    expect(router['conntrack_helpers']).toEqual([]);
    const place = `/v2.0/routers/${router.id}/conntrack_helpers`;
    const helper = await makeAt(client, place, 'conntrack_helper', ftp);
    expect(helper).toEqual({ id: helper.id, ...ftp });
    await makeAt(client, place, 'conntrack_helper', { protocol: 'udp', port: '69', helper: 'tftp' });
    const changed = await client.call('PUT', `${place}/${helper.id}`, { conntrack_helper: { port: 2121 } });
    expect(changed).toMatchObject({ status: 200, body: { conntrack_helper: { ...ftp, port: 2121 } } });
    expect(await routed.show('router', router.id)).toMatchObject({
      conntrack_helpers: [
        { ...ftp, port: 2121 },
        { protocol: 'udp', port: 69, helper: 'tftp' },
      ],
      revision_number: Number(router['revision_number']) + 3,
    });
    expect((await client.call('DELETE', `${place}/${helper.id}`)).status).toBe(204);
    expect(refusedAs(await client.call('GET', `${place}/${helper.id}`))).toEqual([404, 'ConntrackHelperNotFound']);
    expect((await remove(`/routers/${router.id}`)).status).toBe(204);
    expect(refusedAs(await client.call('GET', place))).toEqual([404, 'RouterNotFound']);
  });

  it('are what the switches know, over its own protocol, once a port', async () => {
    const router = await routed.make('router', {});
    const ask = (more: object): Promise<Answer> =>
      post(`/routers/${router.id}/conntrack_helpers`, { conntrack_helper: { ...ftp, ...more } });
    expect(refusedAs(await ask({ helper: 'irc' }))).toEqual([400, 'ConntrackHelperNotAllowed']);
    expect(refusedAs(await ask({ protocol: 'udp' }))).toEqual([400, 'InvalidProtocolForHelper']);
    const both = await Promise.all([ask({}), ask({})]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([201, 400]);
    expect(refusedAs(await ask({}))).toEqual([400, 'BadRequest']);
    expect((await ask({ port: 22 })).status).toBe(201);
  });

  it('belong to who has the router', async () => {
    const router = await routed.make('router', { project_id: 'alice' });
    const path = `/v2.0/routers/${router.id}/conntrack_helpers`;
    const body = { conntrack_helper: ftp };
    expect(refusedAs(await client.call('POST', path, body, by('bob')))).toEqual([404, 'RouterNotFound']);
    expect((await client.call('POST', path, body, by('alice'))).status).toBe(201);
  });
});

describe('flavors of routers', () => {
  it('are shown, and stay while a router has them', async () => {
    const flavor = await flavorOf();
    const router = await routed.make('router', { flavor_id: flavor.id });
    expect(router).toMatchObject({ flavor_id: flavor.id });
    expect((await client.call('GET', `/v2.0/routers?flavor_id=${flavor.id}`)).body).toMatchObject({
      routers: [router],
    });
    expect(refusedAs(await remove(`/flavors/${flavor.id}`))).toEqual([409, 'FlavorInUse']);
    expect((await remove(`/routers/${router.id}`)).status).toBe(204);
    expect((await remove(`/flavors/${flavor.id}`)).status).toBe(204);
  });

  it('are of routers, enabled and provided, and say how the router is realised', async () => {
    expect(refusedAs(await askRouter({ flavor_id: unknownId }))).toEqual([404, 'FlavorNotFound']);
    const wrong: readonly (readonly [object, object, number, string])[] = [
      [{ service_type: 'QOS' }, {}, 400, 'InvalidServiceType'],
      [{ enabled: false }, {}, 409, 'FlavorDisabled'],
      [{ service_profiles: [] }, {}, 409, 'ServiceProfileDisabled'],
      [{}, { distributed: true }, 400, 'BadRequest'],
    ];
    for (const [flavor, router, status, type] of wrong) {
      const { id } = await flavorOf(flavor);
      expect(refusedAs(await askRouter({ flavor_id: id, ...router }))).toEqual([status, type]);
    }
  });

  it('say which router of several is at fault', async () => {
    const { body } = await post('/routers', { routers: [{}, { flavor_id: unknownId }] });
    expect(body.NeutronError).toMatchObject({
      type: 'FlavorNotFound',
      detail: 'Item 1 of the request, counted from 0.',
    });
  });
});

describe('the quality of a gateway', () => {
  it('is what the router says of it, until the gateway goes', async () => {
    const { network } = await routed.net('203.0.113.0/24', { 'router:external': true });
    const policy = await policyOf();
    const gateway = { network_id: network.id, qos_policy_id: policy.id };
    const router = await routed.make('router', { external_gateway_info: gateway });
    expect(router).toMatchObject({ external_gateway_info: gateway });
    expect(refusedAs(await remove(`/qos/policies/${policy.id}`))).toEqual([409, 'QosPolicyInUse']);
    const kept = await routed.update('router', router.id, { external_gateway_info: { network_id: network.id } });
    expect(kept.body).toMatchObject({ router: { external_gateway_info: gateway } });
    const unknown = { external_gateway_info: { network_id: network.id, qos_policy_id: unknownId } };
    expect(refusedAs(await routed.update('router', router.id, unknown))).toEqual([404, 'QosPolicyNotFound']);
    expect(refusedAs(await post('/routers', { router: unknown }))).toEqual([404, 'QosPolicyNotFound']);
    await routed.update('router', router.id, { external_gateway_info: {} });
    expect((await remove(`/qos/policies/${policy.id}`)).status).toBe(204);
  });

  it('is asked for by floating IPs of their own, which show that of their network as well', async () => {
    const [own, networks] = [await policyOf(), await policyOf()];
    const { network } = await routed.net('203.0.113.0/24', { 'router:external': true, qos_policy_id: networks.id });
    const floatingIp = await routed.make('floatingip', { floating_network_id: network.id, qos_policy_id: own.id });
    expect(floatingIp).toMatchObject({ qos_policy_id: own.id, qos_network_policy_id: networks.id });
    expect(refusedAs(await remove(`/qos/policies/${own.id}`))).toEqual([409, 'QosPolicyInUse']);
    const unknown = { qos_policy_id: unknownId };
    expect(refusedAs(await routed.update('floatingip', floatingIp.id, unknown))).toEqual([404, 'QosPolicyNotFound']);
    const freed = await routed.update('floatingip', floatingIp.id, { qos_policy_id: null });
    expect(freed.body).toMatchObject({ floatingip: { qos_policy_id: null } });
    expect((await remove(`/qos/policies/${own.id}`)).status).toBe(204);
  });
});
