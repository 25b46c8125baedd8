import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, type Row, clientOf, netted } from './testing/client.ts';

let server: TestServer;
let client: Client;
let acl: Row;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

beforeEach(async () => {
  acl = await client.make('network_acl', {});
});

afterAll(() => server.close());

const unknownId = '00000000-0000-4000-8000-00000000dead';
const addRule = (rule: object) =>
  client.call('POST', '/alcor/v1/network-acl-rules', {
    network_acl_rule: { network_acl_id: acl.id, direction: 'ingress', number: 100, action: 'allow', ...rule },
  });
const put = (id: string, network_acl: object) => client.call('PUT', `/alcor/v1/network-acls/${id}`, { network_acl });
const show = async (): Promise<Row> => (await client.call('GET', `/alcor/v1/network-acls/${acl.id}`)).body.network_acl;

it('a network ACL shows its rules by direction and number', async () => {
  expect(acl).toMatchObject({ subnet_ids: [], rules: [], revision_number: 1 });
  await addRule({ number: 200, action: 'deny' });
  await addRule({ number: 100, protocol: 'tcp', port_range_min: 80, port_range_max: 80 });
  await addRule({ number: 100, direction: 'egress' });
  const shown = await show();
  expect((shown['rules'] as Row[]).map((rule) => [rule['direction'], rule['number'], rule['action']])).toEqual([
    ['egress', 100, 'allow'],
    ['ingress', 100, 'allow'],
    ['ingress', 200, 'deny'],
  ]);
  expect(shown['revision_number']).toBe(4);
});

it('a rule can be renumbered and rewritten, not onto another and not into nonsense', async () => {
  const first = (await addRule({ protocol: 'tcp', port_range_min: 80, port_range_max: 80 })).body.network_acl_rule;
  await addRule({ number: 200 });
  const change = (network_acl_rule: object) =>
    client.call('PUT', `/alcor/v1/network-acl-rules/${first.id}`, { network_acl_rule });
  expect((await change({ number: 50, action: 'deny', port_range_max: 90 })).body.network_acl_rule).toMatchObject({
    number: 50,
    action: 'deny',
    port_range_min: 80,
    port_range_max: 90,
  });
  expect(await change({ number: 200 })).toMatchObject({
    status: 409,
    body: { NeutronError: { type: 'NetworkAclRuleNumberInUse' } },
  });
  expect(await change({ port_range_max: 70 })).toMatchObject({ status: 400 });
});

it.each<[string, object, number]>([
  ['number 0', { number: 0 }, 400],
  ['a number beyond the last', { number: 32_767 }, 400],
  ['another action', { action: 'reject' }, 400],
  ['a prefix of the other version', { remote_ip_prefix: 'fd00::/8' }, 400],
  ['an unknown ACL', { network_acl_id: unknownId }, 404],
])('a rule with %s is refused', async (_, rule, status) => {
  expect((await addRule(rule)).status).toBe(status);
});

it('a number is taken once, however many ask at once', async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, () => addRule({})));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
});

it('a subnet has one ACL at most, however many want it at once', async () => {
  const { subnet } = await netted(client);
  const acls = await Promise.all(Array.from({ length: 4 }, () => client.make('network_acl', {})));
  const answers = await Promise.all(acls.map(({ id }) => put(id, { subnet_ids: [subnet.id] })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409]);
  const winner = acls[answers.findIndex(({ status }) => status === 200)]?.id ?? '';
  const listed = await client.call('GET', `/alcor/v1/network-acls?subnet_ids=${subnet.id}`);
  expect(listed.body.network_acls.map(({ id }) => id)).toEqual([winner]);
  expect(await client.call('DELETE', `/alcor/v1/network-acls/${winner}`)).toMatchObject({
    status: 409,
    body: { NeutronError: { type: 'NetworkAclInUse' } },
  });
  expect((await put(winner, { subnet_ids: [] })).body.network_acl).toMatchObject({
    subnet_ids: [],
    revision_number: 3,
  });
  expect((await client.call('DELETE', `/alcor/v1/network-acls/${winner}`)).status).toBe(204);
});

it('an ACL lets go of a subnet that goes, and knows no unknown one', async () => {
  const { subnet } = await netted(client);
  expect((await put(acl.id, { subnet_ids: [subnet.id] })).body.network_acl['subnet_ids']).toEqual([subnet.id]);
  expect((await client.call('DELETE', `/v2.0/subnets/${subnet.id}`)).status).toBe(204);
  expect((await show())['subnet_ids']).toEqual([]);
  expect(await put(acl.id, { subnet_ids: [unknownId] })).toMatchObject({
    status: 404,
    body: { NeutronError: { type: 'SubnetNotFound' } },
  });
});
