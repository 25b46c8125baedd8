import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf } from './testing/client.ts';
import { makeAt } from './testing/needs.ts';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

afterAll(() => server.close());

const unknownId = '00000000-0000-4000-8000-00000000dead';
const member = { 'x-project-id': 'p', 'x-roles': 'member,reader' };
const refused = (status: number, type: string) => ({ status, body: { NeutronError: { type } } });
const labelOf = (attributes: object = {}): Promise<Row> => client.make('metering_label', attributes);
const tryRule = (label: { readonly id: string }, attributes: object): Promise<Answer> =>
  client.call('POST', '/v2.0/metering/metering-label-rules', {
    metering_label_rule: { metering_label_id: label.id, direction: 'ingress', ...attributes },
  });
const profileOf = (attributes: object = { metainfo: '{}' }): Promise<Row> =>
  makeAt(client, '/v2.0/service_profiles', 'service_profile', attributes);
const bind = (flavorId: string, id: string): Promise<Answer> =>
  client.call('POST', `/v2.0/flavors/${flavorId}/service_profiles`, { service_profile: { id } });
const tryProfile = (attributes: object): Promise<Answer> =>
  client.call('POST', '/v2.0/service_profiles', { service_profile: attributes });
const flavorOf = (): Promise<Row> => client.make('flavor', { service_type: 'L3_ROUTER_NAT' });

describe('metering labels', () => {
  it('go with their rules', async () => {
    const label = await labelOf({ name: 'l', description: 'd' });
    expect(label).toMatchObject({
      name: 'l',
      description: 'd',
      shared: false,
      project_id: 'admin',
      tenant_id: 'admin',
    });
    const { body } = await tryRule(label, { remote_ip_prefix: '10.0.0.7/24' });
    const { metering_label_rule: rule } = body as unknown as { readonly metering_label_rule: Row };
    expect(rule).toMatchObject({
      metering_label_id: label.id,
      direction: 'ingress',
      excluded: false,
      remote_ip_prefix: '10.0.0.0/24',
      source_ip_prefix: null,
    });
    expect((await client.call('DELETE', `/v2.0/metering/metering-labels/${label.id}`)).status).toBe(204);
    expect(await client.call('GET', `/v2.0/metering/metering-label-rules/${rule.id}`)).toMatchObject(
      refused(404, 'MeteringLabelRuleNotFound'),
    );
  });

  it('count an address once in each direction', async () => {
    const label = await labelOf();
    expect((await tryRule(label, { remote_ip_prefix: '10.0.0.0/24' })).status).toBe(201);
    const overlapping = await tryRule(label, { remote_ip_prefix: '10.0.0.128/25' });
    expect(overlapping).toMatchObject(refused(409, 'MeteringLabelRuleOverlaps'));
    expect((await tryRule(label, { remote_ip_prefix: '10.0.0.128/25', excluded: true })).status).toBe(201);
    expect((await tryRule(label, { remote_ip_prefix: '10.0.0.0/24', direction: 'egress' })).status).toBe(201);
    expect((await tryRule(await labelOf(), { remote_ip_prefix: '10.0.0.0/24' })).status).toBe(201);
    const atOnce = await Promise.all([1, 2, 3].map(() => tryRule(label, { remote_ip_prefix: '10.1.0.0/16' })));
    expect(atOnce.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
  });

  it.each([
    [{}, 400],
    [{ remote_ip_prefix: '10.0.0.0/8', source_ip_prefix: '10.0.0.0/8' }, 400],
    [{ remote_ip_prefix: 'here' }, 400],
    [{ remote_ip_prefix: '10.0.0.0/8', direction: 'up' }, 400],
    [{ source_ip_prefix: '10.0.0.0/8', destination_ip_prefix: '10.1.0.0/16' }, 201],
    [{ remote_ip_prefix: '10.0.0.0/8', metering_label_id: unknownId }, 404],
  ])('take the rule %j or not: %i', async (attributes, status) => {
    expect((await tryRule(await labelOf(), attributes)).status).toBe(status);
  });

  it('are the administrator’s to make', async () => {
    const answer = await client.call('POST', '/v2.0/metering/metering-labels', { metering_label: {} }, member);
    expect(answer.status).toBe(403);
    const own = await labelOf({ project_id: 'p' });
    await labelOf();
    const { body } = await client.call('GET', '/v2.0/metering/metering-labels', undefined, member);
    expect(body).toMatchObject({ metering_labels: [{ id: own.id }] });
    expect((await client.call('DELETE', `/v2.0/metering/metering-labels/${own.id}`, undefined, member)).status).toBe(
      403,
    );
  });
});

describe('flavors', () => {
  it('are provided by service profiles, each once', async () => {
    const [flavor, profile] = [await flavorOf(), await profileOf()];
    const place = `/v2.0/flavors/${flavor.id}/service_profiles`;
    const body = { service_profile: { id: profile.id } };
    expect(await client.call('POST', place, body)).toEqual({ status: 201, body });
    expect(await client.call('POST', place, body)).toMatchObject(refused(409, 'FlavorServiceProfileBindingExists'));
    const shown = await client.call('GET', `/v2.0/flavors/${flavor.id}`);
    expect(shown.body).toEqual({ flavor: { ...flavor, service_profiles: [profile.id] } });
    expect(await client.call('GET', place)).toEqual({ status: 200, body: { service_profiles: [{ id: profile.id }] } });
    expect(await client.call('DELETE', `/v2.0/service_profiles/${profile.id}`)).toMatchObject(
      refused(409, 'ServiceProfileInUse'),
    );
    expect((await client.call('DELETE', `${place}/${profile.id}`)).status).toBe(204);
    expect(await client.call('DELETE', `${place}/${profile.id}`)).toMatchObject(
      refused(404, 'FlavorServiceProfileBindingNotFound'),
    );
    expect((await client.call('DELETE', `/v2.0/service_profiles/${profile.id}`)).status).toBe(204);
  });

  it('need flavors and profiles that exist', async () => {
    const [flavor, profile] = [await flavorOf(), await profileOf()];
    expect(await bind(flavor.id, unknownId)).toMatchObject(refused(404, 'ServiceProfileNotFound'));
    expect(await bind(unknownId, profile.id)).toMatchObject(refused(404, 'FlavorNotFound'));
  });

  it('are for everyone to see and for the administrator to make', async () => {
    const flavor = await flavorOf();
    expect((await client.call('GET', `/v2.0/flavors/${flavor.id}`, undefined, member)).status).toBe(200);
    const made = await client.call('POST', '/v2.0/flavors', { flavor: { service_type: 'L3_ROUTER_NAT' } }, member);
    expect(made.status).toBe(403);
    expect((await client.call('POST', '/v2.0/flavors', { flavor: { service_type: 'TEA' } })).status).toBe(400);
  });

  it('have profiles that say something, of drivers that there are', async () => {
    expect(await tryProfile({})).toMatchObject(refused(400, 'ServiceProfileEmpty'));
    expect(await tryProfile({ driver: 'none.such' })).toMatchObject(refused(404, 'ServiceProfileDriverNotFound'));
    expect((await tryProfile({ driver: 'alcor' })).status).toBe(201);
  });
});

describe('service providers', () => {
  it('are listed for everyone', async () => {
    const all = await client.call('GET', '/v2.0/service-providers', undefined, member);
    expect(all).toEqual({
      status: 200,
      body: { service_providers: [{ service_type: 'L3_ROUTER_NAT', name: 'alcor', default: true }] },
    });
    const none = await client.call('GET', '/v2.0/service-providers?service_type=VPN');
    expect(none.body).toEqual({ service_providers: [] });
  });
});
