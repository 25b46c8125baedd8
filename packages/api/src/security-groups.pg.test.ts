import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, type TestStore, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, type Row, clientOf } from './testing/client.ts';

let server: TestServer;
let store: TestStore;
let client: Client;
let group: Row;

beforeAll(async () => {
  server = await startTestServer();
  store = await server.openFresh();
  client = clientOf(store);
});

beforeEach(async () => {
  group = await client.make('security_group', {});
});

afterAll(() => server.close());

const unknownId = '00000000-0000-4000-8000-00000000dead';
const rulesOf = (row: Row): readonly Row[] => row['security_group_rules'] as readonly Row[];
const what = (rule: Row) => [rule['direction'], rule['ethertype'], rule['remote_group_id']];
const addRule = (rule: object, to: Row = group) =>
  client.call('POST', '/v2.0/security-group-rules', {
    security_group_rule: { security_group_id: to.id, direction: 'ingress', ...rule },
  });
const show = async (id: string): Promise<Row> =>
  (await client.call('GET', `/v2.0/security-groups/${id}`)).body.security_group;

describe('security groups', () => {
  it('are made stateful, and let everything out', async () => {
    expect(group).toMatchObject({ name: '', stateful: true, shared: false, project_id: 'admin', revision_number: 1 });
    expect(rulesOf(group).map(what)).toEqual([
      ['egress', 'IPv4', null],
      ['egress', 'IPv6', null],
    ]);
    expect(rulesOf(group)[0]).toMatchObject({ security_group_id: group.id, protocol: null, revision_number: 1 });
    expect(await show(group.id)).toEqual(group);
  });

  it('have a default one per project, found as soon as anybody looks', async () => {
    const { body } = await client.call('GET', '/v2.0/security-groups?project_id=p');
    expect(body.security_groups.map(({ name }) => name)).toEqual(['default']);
    const [first = group] = body.security_groups;
    expect(rulesOf(first).map(what)).toEqual([
      ['egress', 'IPv4', null],
      ['egress', 'IPv6', null],
      ['ingress', 'IPv4', first.id],
      ['ingress', 'IPv6', first.id],
    ]);
    const rules = await client.call('GET', '/v2.0/security-group-rules?project_id=rules');
    expect(rules.body.security_group_rules).toHaveLength(4);
    expect(rules.body.security_group_rules[0]).toMatchObject({ belongs_to_default_sg: true });
  });

  it('have one default one however many ask at once', async () => {
    const lists = await Promise.all(
      Array.from({ length: 8 }, () => client.call('GET', '/v2.0/security-groups?project_id=crowd')),
    );
    const ids = lists.flatMap(({ body }) => body.security_groups.map(({ id }) => id));
    expect(ids).toHaveLength(8);
    expect(new Set(ids).size).toBe(1);
  });

  it('guard the name of the default one', async () => {
    const { body } = await client.call('GET', '/v2.0/security-groups?project_id=named');
    const id = body.security_groups[0]?.id;
    const rename = (of: unknown, name: string) =>
      client.call('PUT', `/v2.0/security-groups/${String(of)}`, { security_group: { name } });
    expect(await rename(id, 'x')).toMatchObject({
      status: 409,
      body: { NeutronError: { type: 'SecurityGroupCannotUpdateDefault' } },
    });
    for (const answer of [
      await rename(group.id, 'default'),
      await client.call('POST', '/v2.0/security-groups', { security_group: { name: 'default' } }),
    ]) {
      expect(answer).toMatchObject({
        status: 409,
        body: { NeutronError: { type: 'SecurityGroupDefaultAlreadyExists' } },
      });
    }
    expect((await rename(group.id, 'x')).body.security_group).toMatchObject({ name: 'x', revision_number: 2 });
  });

  it('take their rules, and rules about them, along', async () => {
    const other = await client.make('security_group', {});
    const { body } = await addRule({ remote_group_id: group.id }, other);
    expect((await client.call('DELETE', `/v2.0/security-groups/${group.id}`)).status).toBe(204);
    const gone = await client.call('GET', `/v2.0/security-group-rules/${body.security_group_rule.id}`);
    expect(gone).toMatchObject({ status: 404, body: { NeutronError: { type: 'SecurityGroupRuleNotFound' } } });
    expect((await client.call('GET', `/v2.0/security-groups/${group.id}`)).status).toBe(404);
  });
});

describe('rules', () => {
  it('keep the prefix as written, and say which block it is', async () => {
    const { body } = await addRule({ remote_ip_prefix: '10.0.0.34/24', protocol: 17 });
    const rule = body.security_group_rule;
    expect(rule).toMatchObject({
      remote_ip_prefix: '10.0.0.34/24',
      normalized_cidr: '10.0.0.0/24',
      protocol: '17',
      ethertype: 'IPv4',
      port_range_min: null,
      belongs_to_default_sg: false,
    });
    const found = await client.call('GET', `/v2.0/security-group-rules?normalized_cidr=10.0.0.0/24&id=${rule.id}`);
    expect(found.body.security_group_rules).toEqual([rule]);
    const after = await show(group.id);
    expect(after['revision_number']).toBe(2);
    expect(rulesOf(after)).toContainEqual(rule);
  });

  it.each<[string, object, number, string]>([
    ['a port below 0', { protocol: 'tcp', port_range_min: -16, port_range_max: 80 }, 400, 'Invalid value for port -16'],
    ['a port above 65535', { protocol: 'tcp', port_range_min: 80, port_range_max: 65_536 }, 400, 'for port 65536'],
    ['ports in the wrong order', { protocol: 'tcp', port_range_min: 80, port_range_max: 79 }, 400, 'must be <='],
    ['an ICMP code above 255', { protocol: 'icmp', port_range_min: 1, port_range_max: 256 }, 400, 'ICMP code'],
    ['a code without a type', { protocol: 'icmp', port_range_max: 6 }, 400, 'ICMP type (port-range-min) is missing'],
    ['an unknown protocol', { protocol: 'nonsense' }, 400, 'protocol'],
    ['an ethertype that is none', { ethertype: 'IPv5' }, 400, 'ethertype'],
    ['a prefix that is none', { remote_ip_prefix: '192.168.1.1/33' }, 400, 'remote_ip_prefix'],
    ['a prefix of the other version', { remote_ip_prefix: 'fd00::/8' }, 400, 'Conflicting value ethertype'],
    ['a remote group that is none', { remote_group_id: 'bad_group_id' }, 404, 'bad_group_id'],
    ['an unknown remote group', { remote_group_id: unknownId }, 404, unknownId],
    ['an unknown address group', { remote_address_group_id: unknownId }, 404, unknownId],
    ['an unknown group', { security_group_id: unknownId }, 404, unknownId],
    ['no direction', { direction: undefined }, 400, 'direction'],
  ])('refuse %s', async (_, rule, status, message) => {
    const answer = await addRule(rule);
    expect(answer).toMatchObject({
      status,
      body: { NeutronError: { message: expect.stringContaining(message) } },
    });
  });

  it('name one remote at most', async () => {
    const answer = await addRule({ remote_ip_prefix: '10.0.0.0/8', remote_group_id: group.id });
    expect(answer).toMatchObject({
      status: 400,
      body: { NeutronError: { type: 'SecurityGroupMultipleRemoteEntites' } },
    });
  });

  it('say the same once, in whatever words and however many ask at once', async () => {
    const first = await addRule({ protocol: 'tcp', port_range_min: 66, port_range_max: 67 });
    expect(first.status).toBe(201);
    const again = await addRule({
      protocol: '6',
      port_range_min: '66',
      port_range_max: 67,
      remote_ip_prefix: '0.0.0.0/0',
    });
    expect(again).toMatchObject({
      status: 409,
      body: {
        NeutronError: {
          type: 'SecurityGroupRuleExists',
          message: expect.stringContaining(first.body.security_group_rule.id),
        },
      },
    });
    const answers = await Promise.all(Array.from({ length: 6 }, () => addRule({ protocol: 'udp' })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  it('come in bulk for one group, all or none', async () => {
    const bulk = (rules: readonly object[]) =>
      client.call('POST', '/v2.0/security-group-rules', {
        security_group_rules: rules.map((rule) => ({ security_group_id: group.id, direction: 'ingress', ...rule })),
      });
    const good = await bulk([{ protocol: 'tcp' }, { protocol: 'udp' }]);
    expect(good.body.security_group_rules.map(({ protocol }) => protocol)).toEqual(['tcp', 'udp']);
    expect(await bulk([{ protocol: 'gre' }, { protocol: '47' }])).toMatchObject({
      status: 409,
      body: { NeutronError: { type: 'DuplicateSecurityGroupRuleInPost' } },
    });
    expect(await bulk([{ protocol: 'gre' }, { protocol: 'tcp' }])).toMatchObject({
      status: 409,
      body: { NeutronError: { type: 'SecurityGroupRuleExists', detail: expect.stringContaining('Item 1') } },
    });
    const other = await client.make('security_group', {});
    expect(await bulk([{ protocol: 'gre' }, { protocol: 'esp', security_group_id: other.id }])).toMatchObject({
      status: 400,
      body: { NeutronError: { type: 'SecurityGroupNotSingleGroupRules' } },
    });
    expect(rulesOf(await show(group.id))).toHaveLength(4);
  });
});

const template = async (): Promise<readonly Row[]> =>
  (await client.call('GET', '/v2.0/default-security-group-rules')).body.default_security_group_rules;

describe('what new groups begin with', () => {
  it('is Neutron’s own at first, each rule once', async () => {
    expect(
      (await template()).map((rule) => what(rule).concat(rule['used_in_default_sg'], rule['used_in_non_default_sg'])),
    ).toEqual([
      ['egress', 'IPv4', null, true, true],
      ['egress', 'IPv6', null, true, true],
      ['ingress', 'IPv4', 'PARENT', true, false],
      ['ingress', 'IPv6', 'PARENT', true, false],
    ]);
    for (const rule of await template()) {
      const { id: _id, description: _description, ...same } = rule;
      const answer = await client.call('POST', '/v2.0/default-security-group-rules', {
        default_security_group_rule: same,
      });
      expect(answer).toMatchObject({
        status: 409,
        body: { NeutronError: { type: 'DefaultSecurityGroupRuleExists' } },
      });
    }
  });

  it('can be added to, and taken from', async () => {
    const remote = await client.make('security_group', {});
    const made = await client.make('default_security_group_rule', {
      direction: 'ingress',
      protocol: 'tcp',
      port_range_min: 22,
      port_range_max: 22,
      remote_group_id: remote.id,
    });
    expect(made).toMatchObject({ used_in_default_sg: false, used_in_non_default_sg: true });
    expect(rulesOf(await client.make('security_group', {}))).toContainEqual(
      expect.objectContaining({ protocol: 'tcp', port_range_min: 22, remote_group_id: remote.id }),
    );
    await client.call('DELETE', `/v2.0/security-groups/${remote.id}`);
    expect(rulesOf(await client.make('security_group', {}))).toHaveLength(2);
    const path = `/v2.0/default-security-group-rules/${made.id}`;
    expect((await client.call('DELETE', path)).status).toBe(204);
    expect((await client.call('GET', path)).status).toBe(404);
  });
});

describe('address groups', () => {
  it('hold blocks, each once, that are added and taken out', async () => {
    const made = await client.make('address_group', {
      addresses: ['10.10.10.3/32', '192.168.0.10/24', '192.168.0.0/24', '2001:db8::f00/64'],
    });
    expect(made['addresses']).toEqual(['10.10.10.3/32', '192.168.0.0/24', '2001:db8::/64']);
    const act = (action: string, addresses: readonly string[]) =>
      client.call('PUT', `/v2.0/address-groups/${made.id}/${action}`, { addresses });
    expect((await act('add_addresses', ['10.20.30.40/32'])).body.address_group).toMatchObject({
      addresses: ['10.10.10.3/32', '192.168.0.0/24', '2001:db8::/64', '10.20.30.40/32'],
      revision_number: 2,
    });
    expect(await act('add_addresses', ['10.20.30.40/32'])).toMatchObject({
      status: 400,
      body: { NeutronError: { type: 'AddressesAlreadyExist' } },
    });
    expect((await act('remove_addresses', ['10.10.10.3', '192.168.0.0/24'])).body.address_group['addresses']).toEqual([
      '2001:db8::/64',
      '10.20.30.40/32',
    ]);
    expect(await act('remove_addresses', ['10.200.200.200'])).toMatchObject({
      status: 404,
      body: { NeutronError: { type: 'AddressesNotFound' } },
    });
    for (const action of ['add_addresses', 'remove_addresses']) {
      expect(await act(action, ['this is bad'])).toMatchObject({ status: 400 });
    }
    const adding = ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'].map((address) => act('add_addresses', [address]));
    expect((await Promise.all(adding)).map(({ status }) => status)).toEqual([200, 200, 200]);
    const shown = await client.call('GET', `/v2.0/address-groups/${made.id}`);
    expect(shown.body.address_group['addresses']).toHaveLength(5);
  });

  it('stay while a rule means them', async () => {
    const made = await client.make('address_group', {});
    const path = `/v2.0/address-groups/${made.id}`;
    const { body } = await addRule({ remote_address_group_id: made.id });
    expect(body.security_group_rule).toMatchObject({ remote_address_group_id: made.id, normalized_cidr: null });
    expect(await client.call('DELETE', path)).toMatchObject({
      status: 409,
      body: { NeutronError: { type: 'AddressGroupInUse' } },
    });
    await client.call('DELETE', `/v2.0/security-group-rules/${body.security_group_rule.id}`);
    expect((await client.call('DELETE', path)).status).toBe(204);
  });

  it.each([['10.20.30.40'], ['this is bad'], [7]])('refuse %j for a block', async (address) => {
    const answer = await client.call('POST', '/v2.0/address-groups', { address_group: { addresses: [address] } });
    expect(answer).toMatchObject({
      status: 400,
      body: { NeutronError: { message: expect.stringContaining('addresses') } },
    });
  });
});

const as =
  (project: string, roles = 'member,reader') =>
  (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: unknown) =>
    client.call(method, `/v2.0${url}`, body, { 'x-project-id': project, 'x-roles': roles, 'x-user-id': project });

describe('between projects', () => {
  const alice = as('alice');
  const bob = as('bob');
  const grant = (object: Row, type: string, target: string) =>
    alice('POST', '/rbac-policies', {
      rbac_policy: { object_type: type, object_id: object.id, action: 'access_as_shared', target_tenant: target },
    });

  it('a group is out of sight, and what refers to it is refused', async () => {
    const { body } = await alice('POST', '/security-groups', { security_group: { name: 'hers' } });
    const hers = body.security_group;
    const mine = (await bob('POST', '/security-groups', { security_group: {} })).body.security_group;
    const rule = { direction: 'ingress' };
    for (const answer of [
      await bob('GET', `/security-groups/${hers.id}`),
      await bob('POST', '/security-group-rules', { security_group_rule: { ...rule, security_group_id: hers.id } }),
      await bob('POST', '/security-group-rules', {
        security_group_rule: { ...rule, security_group_id: mine.id, remote_group_id: hers.id },
      }),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { NeutronError: { type: 'SecurityGroupNotFound' } } });
    }
    const names = (await bob('GET', '/security-groups')).body.security_groups.map(({ name }) => name);
    expect(names.toSorted()).toEqual(['', 'default']);
    expect((await bob('GET', '/default-security-group-rules')).body.default_security_group_rules).toHaveLength(4);
    expect(
      await bob('POST', '/default-security-group-rules', {
        default_security_group_rule: { direction: 'ingress', protocol: 'tcp' },
      }),
    ).toMatchObject({ status: 403 });
  });

  it('the default group of a project is the administrator’s to delete, and comes again', async () => {
    const defaultOf = async () => (await bob('GET', '/security-groups?name=default')).body.security_groups[0] as Row;
    const { id } = await defaultOf();
    expect(await bob('DELETE', `/security-groups/${id}`)).toMatchObject({
      status: 409,
      body: { NeutronError: { type: 'SecurityGroupCannotRemoveDefault' } },
    });
    expect((await as('root', 'admin')('DELETE', `/security-groups/${id}`)).status).toBe(204);
    expect((await defaultOf()).id).not.toBe(id);
  });

  it('a group that is shared may be used, not changed, and stays shared while it is used', async () => {
    const { body } = await alice('POST', '/security-groups', { security_group: { name: 'lent' } });
    const lent = body.security_group;
    const policy = (await grant(lent, 'security_group', 'bob')) as unknown as { body: { rbac_policy: Row } };
    const seen = await bob('GET', `/security-groups?name=lent`);
    expect(seen.body.security_groups).toMatchObject([{ id: lent.id, shared: true }]);
    const network = (await bob('POST', '/networks', { network: {} })).body.network;
    const port = await bob('POST', '/ports', { port: { network_id: network.id, security_groups: [lent.id] } });
    expect(port.body.port).toMatchObject({ security_groups: [lent.id] });
    const rule = { security_group_rule: { security_group_id: lent.id, direction: 'ingress' } };
    expect((await bob('POST', '/security-group-rules', rule)).status).toBe(404);
    const path = `/rbac-policies/${policy.body.rbac_policy.id}`;
    expect((await alice('DELETE', path)).status).toBe(409);
    await bob('DELETE', `/ports/${port.body.port.id}`);
    expect((await alice('DELETE', path)).status).toBe(204);
    expect((await bob('GET', `/security-groups/${lent.id}`)).status).toBe(404);
  });

  it('an address group that is shared may be meant by rules', async () => {
    const { body } = await alice('POST', '/address-groups', { address_group: { addresses: ['10.0.0.0/8'] } });
    const lent = body.address_group;
    const mine = (await bob('POST', '/security-groups', { security_group: {} })).body.security_group;
    const rule = { security_group_id: mine.id, direction: 'ingress', remote_address_group_id: lent.id };
    const ask = () => bob('POST', '/security-group-rules', { security_group_rule: rule });
    expect((await ask()).status).toBe(404);
    const policy = (await grant(lent, 'address_group', 'bob')) as unknown as { body: { rbac_policy: Row } };
    const made = await ask();
    expect(made.status).toBe(201);
    const path = `/rbac-policies/${policy.body.rbac_policy.id}`;
    expect((await alice('DELETE', path)).status).toBe(409);
    expect((await bob('PUT', `/address-groups/${lent.id}`, { address_group: { name: 'x' } })).status).not.toBe(200);
    await bob('DELETE', `/security-group-rules/${made.body.security_group_rule.id}`);
    expect((await alice('DELETE', path)).status).toBe(204);
  });
});
