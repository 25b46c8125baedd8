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
const policyOf = (attributes: object = {}): Promise<Row> => makeAt(client, '/v2.0/qos/policies', 'policy', attributes);
const rulesAt = (policy: Row, kind: string): string => `/v2.0/qos/policies/${policy.id}/${kind}_rules`;
const addRule = (policy: Row, kind: string, attributes: object): Promise<Answer> =>
  client.call('POST', rulesAt(policy, kind), { [`${kind}_rule`]: attributes });
const ruleOf = (policy: Row, kind: string, attributes: object): Promise<Row> =>
  makeAt(client, rulesAt(policy, kind), `${kind}_rule`, attributes);
const show = async (policy: Row): Promise<Row> =>
  ((await client.call('GET', `/v2.0/qos/policies/${policy.id}`)).body as unknown as { readonly policy: Row }).policy;
const asMember = (url: string): Promise<Answer> =>
  client.call('GET', url, undefined, { 'x-project-id': 'p3', 'x-roles': 'member,reader' });
const refused = (status: number, type: string) => ({ status, body: { NeutronError: { type } } });

describe('QoS policies', () => {
  it('are made, shown, changed and deleted with their rules', async () => {
    const policy = await policyOf({ name: 'gold', description: 'best' });
    expect(policy).toMatchObject({ name: 'gold', shared: false, is_default: false, rules: [], revision_number: 1 });
    const rule = await ruleOf(policy, 'bandwidth_limit', {
      max_kbps: 200,
      max_burst_kbps: '1337',
      direction: 'ingress',
    });
    expect(await show(policy)).toMatchObject({
      revision_number: 2,
      rules: [
        {
          id: rule.id,
          type: 'bandwidth_limit',
          qos_policy_id: policy.id,
          direction: 'ingress',
          max_kbps: 200,
          max_burst_kbps: 1337,
        },
      ],
    });
    expect((await client.call('DELETE', `/v2.0/qos/policies/${policy.id}`)).status).toBe(204);
    expect(await client.call('GET', `/v2.0/qos/alias_bandwidth_limit_rules/${rule.id}`)).toMatchObject(
      refused(404, 'QosRuleNotFound'),
    );
  });

  it('are used by those they are granted to, and the grant stays while they are', async () => {
    const policy = await policyOf({ project_id: 'p1' });
    const grant = await makeAt(client, '/v2.0/rbac-policies', 'rbac_policy', {
      object_type: 'qos_policy',
      object_id: policy.id,
      action: 'access_as_shared',
      target_tenant: 'p3',
    });
    expect(await asMember(`/v2.0/qos/policies/${policy.id}`)).toMatchObject({ body: { policy: { shared: true } } });
    const headers = { 'x-project-id': 'p3', 'x-roles': 'member,reader' };
    const body = { network: { qos_policy_id: policy.id } };
    const { network } = (await client.call('POST', '/v2.0/networks', body, headers)).body;
    expect(network).toMatchObject({ qos_policy_id: policy.id });
    const path = `/v2.0/rbac-policies/${grant.id}`;
    expect(await client.call('DELETE', path)).toMatchObject(refused(409, 'RbacPolicyInUse'));
    expect((await client.call('DELETE', `/v2.0/networks/${network.id}`)).status).toBe(204);
    expect((await client.call('DELETE', path)).status).toBe(204);
    expect((await asMember(`/v2.0/qos/policies/${policy.id}`)).status).toBe(404);
  });

  it('are the default of a project one at a time, also when asked for at once', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() =>
        client.call('POST', '/v2.0/qos/policies', { policy: { project_id: 'p1', is_default: true } }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.NeutronError).toMatchObject({
      type: 'QoSPolicyDefaultAlreadyExists',
      message: 'A default QoS policy exists for project p1.',
    });
    const other = await policyOf({ project_id: 'p1' });
    const answer = await client.call('PUT', `/v2.0/qos/policies/${other.id}`, { policy: { is_default: true } });
    expect(answer).toMatchObject(refused(409, 'QoSPolicyDefaultAlreadyExists'));
    await policyOf({ project_id: 'p2', is_default: true });
  });

  it('of others are out of sight unless they are shared', async () => {
    const own = await policyOf({ project_id: 'p3' });
    const shared = await policyOf({ shared: true });
    const hidden = await policyOf();
    const rule = await ruleOf(hidden, 'dscp_marking', { dscp_mark: 8 });
    const { policies } = (await asMember('/v2.0/qos/policies')).body as unknown as {
      readonly policies: readonly Row[];
    };
    const ids = policies.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([own.id, shared.id]));
    expect(ids).not.toContain(hidden.id);
    expect((await asMember(`/v2.0/qos/policies/${shared.id}`)).status).toBe(200);
    expect(await asMember(`/v2.0/qos/policies/${hidden.id}`)).toMatchObject(refused(404, 'QosPolicyNotFound'));
    expect(await asMember(rulesAt(hidden, 'dscp_marking'))).toMatchObject(refused(404, 'QosPolicyNotFound'));
    expect(await asMember(`/v2.0/qos/alias_dscp_marking_rules/${rule.id}`)).toMatchObject(
      refused(404, 'QosRuleNotFound'),
    );
  });
});

describe('QoS rules', () => {
  it.each([
    ['bandwidth_limit', { max_kbps: 1 }, { max_burst_kbps: 0, direction: 'egress' }, { max_kbps: 2 }],
    ['packet_rate_limit', { max_kpps: 1 }, { max_burst_kpps: 0, direction: 'egress' }, { max_kpps: 2 }],
    ['dscp_marking', { dscp_mark: '26' }, { dscp_mark: 26 }, { dscp_mark: 16 }],
    ['minimum_bandwidth', { min_kbps: 1 }, { direction: 'egress' }, { min_kbps: 2, direction: 'ingress' }],
    ['minimum_packet_rate', { min_kpps: 1, direction: 'any' }, {}, { min_kpps: 2, direction: 'egress' }],
  ])(
    '%s: are made, listed, changed and deleted, under their policy and by their alias',
    async (kind, given, more, change) => {
      const policy = await policyOf();
      const made = await ruleOf(policy, kind, given);
      const place = rulesAt(policy, kind);
      const alias = `/v2.0/qos/alias_${kind}_rules/${made.id}`;
      expect(made).toMatchObject(more);
      expect(await client.call('GET', `${place}/${made.id}`)).toEqual({
        status: 200,
        body: { [`${kind}_rule`]: made },
      });
      expect(await client.call('GET', place)).toEqual({ status: 200, body: { [`${kind}_rules`]: [made] } });
      expect(await client.call('GET', alias)).toEqual({ status: 200, body: { [`alias_${kind}_rule`]: made } });
      const changed = { ...made, ...change };
      expect(await client.call('PUT', `${place}/${made.id}`, { [`${kind}_rule`]: change })).toEqual({
        status: 200,
        body: { [`${kind}_rule`]: changed },
      });
      expect((await show(policy))['revision_number']).toBe(3);
      expect((await client.call('PUT', alias, { [`alias_${kind}_rule`]: change })).status).toBe(200);
      expect((await show(policy))['revision_number']).toBe(3);
      expect((await client.call('DELETE', alias)).status).toBe(204);
      expect(await client.call('GET', `${place}/${made.id}`)).toMatchObject(refused(404, 'QosRuleNotFound'));
      expect(await show(policy)).toMatchObject({ rules: [], revision_number: 4 });
    },
  );

  it('of another policy are not found under this one', async () => {
    const rule = await ruleOf(await policyOf(), 'dscp_marking', { dscp_mark: 8 });
    const place = rulesAt(await policyOf(), 'dscp_marking');
    expect(await client.call('GET', `${place}/${rule.id}`)).toMatchObject(refused(404, 'QosRuleNotFound'));
    const put = await client.call('PUT', `${place}/${rule.id}`, { dscp_marking_rule: { dscp_mark: 16 } });
    expect(put).toMatchObject(refused(404, 'QosRuleNotFound'));
    expect(await client.call('DELETE', `${place}/${rule.id}`)).toMatchObject(refused(404, 'QosRuleNotFound'));
  });

  it('need a policy that exists', async () => {
    for (const id of ['policy', unknownId]) {
      const answer = await client.call('POST', `/v2.0/qos/policies/${id}/dscp_marking_rules`, {
        dscp_marking_rule: { dscp_mark: 8 },
      });
      expect(answer).toMatchObject(refused(404, 'QosPolicyNotFound'));
    }
  });

  it('say a thing once: the second rule of a kind and direction is refused', async () => {
    const policy = await policyOf();
    await ruleOf(policy, 'bandwidth_limit', { max_kbps: 1 });
    await ruleOf(policy, 'bandwidth_limit', { max_kbps: 1, direction: 'ingress' });
    const again = await addRule(policy, 'bandwidth_limit', { max_kbps: 2 });
    expect(again).toMatchObject(refused(409, 'QoSRulesConflict'));
    await ruleOf(policy, 'dscp_marking', { dscp_mark: 8 });
    expect(await addRule(policy, 'dscp_marking', { dscp_mark: 10 })).toMatchObject(refused(409, 'QoSRulesConflict'));
  });

  it('in any direction leave no room for one direction, nor the other way round', async () => {
    const policy = await policyOf();
    await ruleOf(policy, 'minimum_packet_rate', { min_kpps: 1, direction: 'egress' });
    const ingress = await ruleOf(policy, 'minimum_packet_rate', { min_kpps: 1, direction: 'ingress' });
    const any = await addRule(policy, 'minimum_packet_rate', { min_kpps: 1, direction: 'any' });
    expect(any).toMatchObject(refused(409, 'QoSRulesConflict'));
    const change = await client.call('PUT', `${rulesAt(policy, 'minimum_packet_rate')}/${ingress.id}`, {
      minimum_packet_rate_rule: { direction: 'any' },
    });
    expect(change).toMatchObject(refused(409, 'QoSRulesConflict'));
  });

  it('do not promise more than they allow', async () => {
    const policy = await policyOf();
    await ruleOf(policy, 'bandwidth_limit', { max_kbps: 100 });
    const more = await addRule(policy, 'minimum_bandwidth', { min_kbps: 101 });
    expect(more).toMatchObject(refused(409, 'QoSRuleParameterConflict'));
    expect(more.body.NeutronError.message).toContain('value 101');
    const enough = await ruleOf(policy, 'minimum_bandwidth', { min_kbps: 100 });
    const raised = await client.call('PUT', `${rulesAt(policy, 'minimum_bandwidth')}/${enough.id}`, {
      minimum_bandwidth_rule: { min_kbps: 200 },
    });
    expect(raised).toMatchObject(refused(409, 'QoSRuleParameterConflict'));
  });

  it('that conflict and are made at once: one is', async () => {
    const policy = await policyOf();
    const directions = ['any', 'egress', 'ingress', 'any'];
    const answers = await Promise.all(
      directions.map((direction) => addRule(policy, 'minimum_packet_rate', { min_kpps: 1, direction })),
    );
    const made = answers.flatMap(({ status }, index) => (status === 201 ? [directions[index]] : []));
    expect(['any', 'egress,ingress']).toContain(made.join());
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(4 - made.length);
  });

  it.each([
    ['bandwidth_limit', { max_kbps: -1 }, 'max_kbps'],
    ['bandwidth_limit', { max_kbps: 2 ** 31 }, 'max_kbps'],
    ['bandwidth_limit', { max_kbps: 1, direction: 'up' }, 'direction'],
    ['dscp_marking', { dscp_mark: 58 }, 'dscp_mark'],
    ['dscp_marking', { dscp_mark: 2 }, 'dscp_mark'],
    ['minimum_bandwidth', { direction: 'egress' }, 'min_kbps'],
    ['minimum_packet_rate', { min_kpps: 1 }, 'direction'],
  ])('%s: %j is refused by name', async (kind, attributes, name) => {
    const answer = await addRule(await policyOf(), kind, attributes);
    expect(answer).toMatchObject(refused(400, 'HTTPBadRequest'));
    expect(answer.body.NeutronError.message).toContain(name);
  });
});

describe('QoS rule types', () => {
  it('are listed by name, and shown with what hosts do of them', async () => {
    const types = ['bandwidth_limit', 'dscp_marking', 'minimum_bandwidth', 'minimum_packet_rate', 'packet_rate_limit'];
    const all = { status: 200, body: { rule_types: types.map((type) => ({ type })) } };
    expect(await client.call('GET', '/v2.0/qos/rule-types')).toEqual(all);
    expect(await client.call('GET', '/v2.0/qos/rule-types?all_supported=True')).toEqual(all);
    expect(await client.call('GET', '/v2.0/qos/rule-types?type=dscp_marking&fields=type')).toEqual({
      status: 200,
      body: { rule_types: [{ type: 'dscp_marking' }] },
    });
    const details = await client.call('GET', '/v2.0/qos/rule-types/dscp_marking');
    expect(details.body).toMatchObject({
      rule_type: {
        type: 'dscp_marking',
        drivers: [{ supported_parameters: [{ parameter_name: 'dscp_mark', parameter_type: 'choices' }] }],
      },
    });
    expect((await client.call('GET', '/v2.0/qos/rule-types/colour')).status).toBe(404);
    expect((await client.call('POST', '/v2.0/qos/rule-types', {})).status).toBe(405);
  });
});

describe('networks and ports', () => {
  it('have a policy, which cannot go meanwhile', async () => {
    const policy = await policyOf({ shared: true });
    const network = await client.make('network', { qos_policy_id: policy.id });
    expect(network).toMatchObject({ qos_policy_id: policy.id });
    const plain = await client.make('port', { network_id: network.id });
    expect(plain).toMatchObject({ qos_policy_id: null, qos_network_policy_id: policy.id });
    const own = await policyOf();
    const port = await client.make('port', { network_id: network.id, qos_policy_id: own.id });
    expect(port).toMatchObject({ qos_policy_id: own.id, qos_network_policy_id: policy.id });
    for (const { id } of [policy, own]) {
      const answer = await client.call('DELETE', `/v2.0/qos/policies/${id}`);
      expect(answer).toMatchObject(refused(409, 'QosPolicyInUse'));
    }
    const put = await client.call('PUT', `/v2.0/ports/${port.id}`, { port: { qos_policy_id: null } });
    expect(put.body.port).toMatchObject({ qos_policy_id: null, qos_network_policy_id: policy.id });
    expect((await client.call('DELETE', `/v2.0/qos/policies/${own.id}`)).status).toBe(204);
    const unshared = await client.call('PUT', `/v2.0/qos/policies/${policy.id}`, { policy: { shared: false } });
    expect(unshared.status).toBe(409);
    const found = await client.call('GET', `/v2.0/networks?qos_policy_id=${policy.id}&fields=id`);
    expect(found.body.networks).toEqual([{ id: network.id }]);
  });

  it('of a project with a default policy get it, unless they name another', async () => {
    const policy = await policyOf({ project_id: 'p9', is_default: true });
    const other = await policyOf({ project_id: 'p9' });
    const made = (attributes: object) => client.make('network', { project_id: 'p9', ...attributes });
    expect(await made({})).toMatchObject({ qos_policy_id: policy.id });
    expect(await made({ qos_policy_id: other.id })).toMatchObject({ qos_policy_id: other.id });
    expect(await client.make('network', { project_id: 'p8' })).toMatchObject({ qos_policy_id: null });
  });

  it('need a policy that exists and that the caller can see', async () => {
    const hidden = await policyOf();
    const network = await client.make('network', { project_id: 'p3' });
    for (const [qos_policy_id, headers] of [
      [unknownId, {}],
      [hidden.id, { 'x-project-id': 'p3', 'x-roles': 'member,reader' }],
    ] as const) {
      for (const [method, url, body] of [
        ['POST', '/v2.0/networks', { network: { qos_policy_id } }],
        ['POST', '/v2.0/ports', { port: { network_id: network.id, qos_policy_id } }],
        ['PUT', `/v2.0/networks/${network.id}`, { network: { qos_policy_id } }],
      ] as const) {
        expect(await client.call(method, url, body, headers)).toMatchObject(refused(404, 'QosPolicyNotFound'));
      }
    }
  });
});
