import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, type Row, clientOf } from './testing/client.ts';
import { makeAt } from './testing/needs.ts';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

afterAll(() => server.close());

const pool = (attributes: object): Promise<Row> =>
  makeAt(client, '/v2.0/subnetpools', 'subnetpool', { prefixes: ['10.0.0.0/16'], ...attributes });
const scope = (attributes: object = {}): Promise<Row> =>
  makeAt(client, '/v2.0/address-scopes', 'address_scope', { ip_version: 4, ...attributes });

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

async function ask(method: Method, url: string, body?: object, headers?: Readonly<Record<string, string>>) {
  const answer = await client.call(method, url, body, headers);
  return { status: answer.status, type: answer.body?.NeutronError?.type, body: answer.body as unknown };
}

const memberOf = (project: string) => (method: Method, url: string, body?: object) =>
  ask(method, `/v2.0${url}`, body, { 'x-project-id': project, 'x-roles': 'member,reader', 'x-user-id': project });

const idOf = (answer: { readonly body: unknown }): string => {
  const [row] = Object.values(answer.body as Readonly<Record<string, Row>>);
  return row?.id ?? 'none';
};

async function subnetFrom(attributes: object, on?: Row) {
  const network = on ?? (await client.make('network', {}));
  return ask('POST', '/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, ...attributes } });
}

const cidrOf = (answer: { readonly body: unknown }): string =>
  (answer.body as { readonly subnet: { readonly cidr: string } }).subnet.cidr;

describe('subnet pools', () => {
  it('are made with Neutron’s defaults and write their prefixes with the fewest', async () => {
    const made = await pool({ name: 'a', prefixes: ['10.1.0.0/24', '10.0.0.0/25', '10.0.0.128/25'] });
    expect(made).toMatchObject({
      prefixes: ['10.0.0.0/24', '10.1.0.0/24'],
      ip_version: 4,
      min_prefixlen: '8',
      default_prefixlen: '8',
      max_prefixlen: '32',
      default_quota: null,
      is_default: false,
      shared: false,
      address_scope_id: null,
    });
    expect(await pool({ prefixes: ['fd00::/48'] })).toMatchObject({ ip_version: 6, min_prefixlen: '64' });
    const named = await ask('PUT', `/v2.0/subnetpools/${made.id}`, { subnetpool: { name: 'b', default_quota: 9 } });
    expect(named).toMatchObject({ status: 200, body: { subnetpool: { name: 'b', default_quota: 9 } } });
    expect(await ask('DELETE', `/v2.0/subnetpools/${made.id}`)).toMatchObject({ status: 204 });
    expect(await ask('GET', `/v2.0/subnetpools/${made.id}`)).toMatchObject({ status: 404, type: 'SubnetPoolNotFound' });
  });

  it.each([
    [{ prefixes: [] }, 'EmptySubnetPoolPrefixList'],
    [{ prefixes: ['10.0.0.0/8', 'fd00::/48'] }, 'PrefixVersionMismatch'],
    [{ min_prefixlen: 25, max_prefixlen: 24 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ max_prefixlen: 33 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ default_prefixlen: 7 }, 'IllegalSubnetPoolPrefixBounds'],
    [{ address_scope_id: '00000000-0000-4000-8000-00000000dead' }, 'AddressScopeNotFound'],
  ])('are refused as %j', async (attributes, type) => {
    const body = { subnetpool: { name: 'x', prefixes: ['10.0.0.0/16'], ...attributes } };
    expect(await ask('POST', '/v2.0/subnetpools', body)).toMatchObject({ type });
  });

  it('give subnets of the size asked for, the default size, or a certain block, and none twice', async () => {
    const { id } = await pool({ default_prefixlen: 26, min_prefixlen: 20, max_prefixlen: 28 });
    const take = (more: object) => subnetFrom({ subnetpool_id: id, ...more });
    expect(cidrOf(await take({}))).toBe('10.0.0.0/26');
    expect(cidrOf(await take({ prefixlen: 24 }))).toBe('10.0.1.0/24');
    expect(cidrOf(await take({ cidr: '10.0.9.0/28' }))).toBe('10.0.9.0/28');
    expect(cidrOf(await take({}))).toBe('10.0.0.64/26');
    expect(await take({ cidr: '10.0.1.128/28' })).toMatchObject({ status: 409, type: 'SubnetAllocationError' });
    expect(await take({ cidr: '10.1.0.0/28' })).toMatchObject({ status: 409, type: 'SubnetAllocationError' });
    expect(await take({ prefixlen: 29 })).toMatchObject({ status: 400, type: 'MaxPrefixSubnetAllocationError' });
    expect(await take({ prefixlen: 19 })).toMatchObject({ status: 400, type: 'MinPrefixSubnetAllocationError' });
    expect(await take({ ip_version: 6 })).toMatchObject({ status: 400, type: 'BadRequest' });
    expect(await take({ cidr: '10.0.2.0/26', prefixlen: 26 })).toMatchObject({ status: 400, type: 'BadRequest' });
    expect(await ask('DELETE', `/v2.0/subnetpools/${id}`)).toMatchObject({
      status: 400,
      type: 'SubnetPoolDeleteError',
    });
  });

  it('never give a block or a quota twice, whoever asks at the same time', async () => {
    const { id } = await pool({ prefixes: ['10.0.0.0/24'], default_prefixlen: 28, default_quota: 160 });
    const answers = await Promise.all(Array.from({ length: 14 }, () => subnetFrom({ subnetpool_id: id })));
    const cidrs = answers.filter(({ status }) => status === 201).map(cidrOf);
    expect(cidrs).toHaveLength(10);
    expect(new Set(cidrs).size).toBe(10);
    expect(answers.filter(({ type }) => type === 'SubnetPoolQuotaExceeded')).toHaveLength(4);
  });

  it('are named or the default, one of each IP version', async () => {
    expect(await subnetFrom({})).toMatchObject({ status: 400, type: 'BadRequest' });
    expect(await subnetFrom({ use_default_subnetpool: true })).toMatchObject({ status: 400, type: 'BadRequest' });
    const { id } = await pool({ is_default: true, default_prefixlen: 24 });
    expect(await subnetFrom({ use_default_subnetpool: true })).toMatchObject({
      status: 201,
      body: { subnet: { subnetpool_id: id, cidr: '10.0.0.0/24' } },
    });
    expect(
      await ask('POST', '/v2.0/subnetpools', { subnetpool: { prefixes: ['10.9.0.0/16'], is_default: true } }),
    ).toMatchObject({
      status: 400,
      type: 'InvalidInput',
    });
    await ask('PUT', `/v2.0/subnetpools/${id}`, { subnetpool: { is_default: false } });
  });

  it('grow by PUT and add_prefixes, and shrink by remove_prefixes where nothing was taken', async () => {
    const { id } = await pool({ prefixes: ['10.0.0.0/24'], default_prefixlen: 26 });
    await subnetFrom({ subnetpool_id: id });
    const path = `/v2.0/subnetpools/${id}`;
    expect(await ask('PUT', path, { subnetpool: { prefixes: ['10.1.0.0/24'] } })).toMatchObject({
      status: 400,
      type: 'IllegalSubnetPoolPrefixUpdate',
    });
    expect(await ask('PUT', `${path}/add_prefixes`, { prefixes: ['10.0.1.0/24', '10.7.0.0/24'] })).toMatchObject({
      status: 200,
      body: { prefixes: ['10.0.0.0/23', '10.7.0.0/24'] },
    });
    expect(await ask('PUT', `${path}/remove_prefixes`, { prefixes: ['10.0.0.0/26'] })).toMatchObject({
      status: 400,
      type: 'IllegalSubnetPoolPrefixUpdate',
    });
    const left = { prefixes: ['10.0.0.0/24', '10.0.1.128/25', '10.7.0.0/24'] };
    expect(await ask('PUT', `${path}/remove_prefixes`, { prefixes: ['10.0.1.0/25'] })).toMatchObject({
      status: 200,
      body: left,
    });
    expect(await ask('GET', path)).toMatchObject({ body: { subnetpool: left } });
  });

  it('take in the subnets of a network', async () => {
    const { id } = await pool({ prefixes: ['10.0.0.0/24'] });
    const network = await client.make('network', {});
    const subnet = await client.make('subnet', { network_id: network.id, ip_version: 4, cidr: '192.168.0.0/24' });
    const onboard = () => ask('PUT', `/v2.0/subnetpools/${id}/onboard_network_subnets`, { network_id: network.id });
    expect(await onboard()).toMatchObject({ status: 200, body: [{ id: subnet.id, cidr: '192.168.0.0/24' }] });
    expect(await ask('GET', `/v2.0/subnets/${subnet.id}`)).toMatchObject({ body: { subnet: { subnetpool_id: id } } });
    expect(await ask('GET', `/v2.0/subnetpools/${id}`)).toMatchObject({
      body: { subnetpool: { prefixes: ['10.0.0.0/24', '192.168.0.0/24'] } },
    });
    expect(await onboard()).toMatchObject({ status: 400, type: 'IllegalSubnetPoolUpdate' });
  });

  it('are not mixed on one network', async () => {
    const { id } = await pool({ default_prefixlen: 24 });
    const network = await client.make('network', {});
    expect((await subnetFrom({ subnetpool_id: id }, network)).status).toBe(201);
    expect(await subnetFrom({ cidr: '192.168.0.0/24' }, network)).toMatchObject({
      status: 400,
      type: 'NetworkSubnetPoolAffinityError',
    });
  });
});

describe('address scopes', () => {
  it('are shown on the networks whose subnets are in them, and stay while pools are in them', async () => {
    const { id } = await scope({ name: 's' });
    const inScope = await pool({ address_scope_id: id, default_prefixlen: 24 });
    const network = await client.make('network', {});
    await subnetFrom({ subnetpool_id: inScope.id }, network);
    expect(await ask('GET', `/v2.0/networks/${network.id}`)).toMatchObject({
      body: { network: { ipv4_address_scope: id, ipv6_address_scope: null } },
    });
    expect(await ask('DELETE', `/v2.0/address-scopes/${id}`)).toMatchObject({ status: 409, type: 'AddressScopeInUse' });
    const outside = await pool({ prefixes: ['10.99.0.0/16'], default_prefixlen: 24 });
    expect(await subnetFrom({ subnetpool_id: outside.id }, network)).toMatchObject({
      status: 409,
      type: 'NetworkAddressScopeAffinityError',
    });
  });

  it('hold pools of their IP version that do not overlap, also when made at once', async () => {
    const { id } = await scope();
    const make = (prefixes: readonly string[]) =>
      ask('POST', '/v2.0/subnetpools', { subnetpool: { prefixes, address_scope_id: id } });
    expect(await make(['fd00::/48'])).toMatchObject({ status: 400 });
    const answers = await Promise.all(Array.from({ length: 6 }, () => make(['10.0.0.0/16'])));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ type }) => type === 'AddressScopePrefixConflict')).toHaveLength(5);
  });

  it('once shared stay shared, and are closed to other projects before', async () => {
    const { id } = await scope();
    const other = memberOf('other');
    const body = { subnetpool: { prefixes: ['10.0.0.0/16'], address_scope_id: id } };
    expect(await other('POST', '/subnetpools', body)).toMatchObject({ status: 404, type: 'AddressScopeNotFound' });
    const share = (shared: boolean) => ask('PUT', `/v2.0/address-scopes/${id}`, { address_scope: { shared } });
    expect(await share(true)).toMatchObject({ status: 200, body: { address_scope: { shared: true } } });
    expect(await share(false)).toMatchObject({ status: 400, type: 'AddressScopeUpdateError' });
    expect((await other('POST', '/subnetpools', body)).status).toBe(201);
  });
});

const grantOn = (type: string, id: string, target: string) => ({
  rbac_policy: { object_type: type, object_id: id, target_tenant: target, action: 'access_as_shared' },
});

describe('between projects', () => {
  const [alice, bob, carol] = [memberOf('alice'), memberOf('bob'), memberOf('carol')];
  const taking = async (who: typeof bob, subnetpool_id: string) => {
    const network_id = idOf(await who('POST', '/networks', { network: {} }));
    return who('POST', '/subnets', { subnet: { network_id, ip_version: 4, subnetpool_id } });
  };
  const poolOf = async (who: typeof bob, more: object = {}) =>
    idOf(
      await who('POST', '/subnetpools', { subnetpool: { prefixes: ['10.0.0.0/16'], default_prefixlen: 24, ...more } }),
    );

  it('a pool gives subnets to those it is granted to, and the grant stays while they have them', async () => {
    const id = await poolOf(alice);
    expect(await bob('GET', `/subnetpools/${id}`)).toMatchObject({ status: 404, type: 'SubnetPoolNotFound' });
    expect(await taking(bob, id)).toMatchObject({ status: 404, type: 'SubnetPoolNotFound' });
    const grant = idOf(await alice('POST', '/rbac-policies', grantOn('subnetpool', id, 'bob')));
    expect(await bob('GET', `/subnetpools/${id}`)).toMatchObject({
      status: 200,
      body: { subnetpool: { shared: true } },
    });
    expect(await alice('GET', `/subnetpools/${id}`)).toMatchObject({ body: { subnetpool: { shared: false } } });
    expect((await carol('GET', `/subnetpools/${id}`)).status).toBe(404);
    expect((await bob('DELETE', `/subnetpools/${id}`)).status).toBe(403);
    expect((await bob('POST', '/rbac-policies', grantOn('subnetpool', id, 'carol'))).status).toBe(400);
    const taken = await taking(bob, id);
    expect(taken.status).toBe(201);
    expect(await alice('DELETE', `/rbac-policies/${grant}`)).toMatchObject({ status: 409, type: 'RbacPolicyInUse' });
    expect((await bob('DELETE', `/subnets/${idOf(taken)}`)).status).toBe(204);
    expect((await alice('DELETE', `/rbac-policies/${grant}`)).status).toBe(204);
    expect((await taking(bob, id)).status).toBe(404);
  });

  it('a scope takes in the pools of those it is granted to, and the grant stays while they are in it', async () => {
    const id = idOf(await alice('POST', '/address-scopes', { address_scope: { ip_version: 4 } }));
    const grant = idOf(await alice('POST', '/rbac-policies', grantOn('address_scope', id, 'bob')));
    expect(await bob('GET', `/address-scopes/${id}`)).toMatchObject({ body: { address_scope: { shared: true } } });
    const inScope = await poolOf(bob, { address_scope_id: id });
    expect(await bob('GET', `/subnetpools/${inScope}`)).toMatchObject({
      body: { subnetpool: { address_scope_id: id } },
    });
    expect(await alice('DELETE', `/rbac-policies/${grant}`)).toMatchObject({ status: 409, type: 'RbacPolicyInUse' });
    expect((await bob('DELETE', `/subnetpools/${inScope}`)).status).toBe(204);
    expect((await alice('DELETE', `/rbac-policies/${grant}`)).status).toBe(204);
  });

  it('a pool is granted only to those who may use its scope', async () => {
    const address_scope_id = idOf(await alice('POST', '/address-scopes', { address_scope: { ip_version: 4 } }));
    const id = await poolOf(alice, { address_scope_id });
    const grant = () => alice('POST', '/rbac-policies', grantOn('subnetpool', id, 'bob'));
    expect(await grant()).toMatchObject({ status: 400, type: 'InvalidInput' });
    expect((await alice('POST', '/rbac-policies', grantOn('address_scope', address_scope_id, 'bob'))).status).toBe(201);
    expect((await grant()).status).toBe(201);
  });

  it('the administrator takes subnets out of any pool, and has pools of any project in any scope', async () => {
    const hers = await poolOf(alice);
    const network = await client.make('network', { project_id: 'bob' });
    expect(await subnetFrom({ subnetpool_id: hers, project_id: 'bob' }, network)).toMatchObject({
      status: 201,
      body: { subnet: { subnetpool_id: hers, project_id: 'bob' } },
    });
    const address_scope_id = idOf(await alice('POST', '/address-scopes', { address_scope: { ip_version: 4 } }));
    const inHers = await pool({ address_scope_id, project_id: 'bob' });
    const path = `/v2.0/subnetpools/${inHers.id}`;
    expect(await ask('PUT', path, { subnetpool: { name: 'x' } })).toMatchObject({ status: 200 });
    for (const answer of [
      await bob('PUT', `/subnetpools/${inHers.id}`, { subnetpool: { name: 'y' } }),
      await bob('PUT', `/subnetpools/${inHers.id}/add_prefixes`, { prefixes: ['10.9.0.0/16'] }),
    ]) {
      expect(answer).toMatchObject({ status: 400, type: 'IllegalSubnetPoolUpdate' });
    }
    expect(await ask('PUT', path, { subnetpool: { address_scope_id: null } })).toMatchObject({ status: 200 });
    expect((await bob('PUT', `/subnetpools/${inHers.id}`, { subnetpool: { name: 'y' } })).status).toBe(200);
  });

  it('a grant to everyone is the same as the shared flag', async () => {
    const { id } = await pool({ shared: true });
    const found = await ask('GET', `/v2.0/rbac-policies?object_id=${id}`);
    const [wildcard] = (found.body as { readonly rbac_policies: readonly Row[] }).rbac_policies;
    expect(wildcard).toMatchObject({ object_type: 'subnetpool', target_tenant: '*' });
    expect((await ask('DELETE', `/v2.0/rbac-policies/${wildcard?.id}`)).status).toBe(204);
    expect(await ask('GET', `/v2.0/subnetpools/${id}`)).toMatchObject({ body: { subnetpool: { shared: false } } });
    expect((await bob('GET', `/subnetpools/${id}`)).status).toBe(404);
  });

  it('security groups and address groups are their owners’ to grant', async () => {
    const group = idOf(await alice('POST', '/security-groups', { security_group: {} }));
    const addresses = idOf(await alice('POST', '/address-groups', { address_group: { addresses: [] } }));
    expect((await bob('POST', '/rbac-policies', grantOn('security_group', group, 'bob'))).status).toBe(404);
    expect((await bob('POST', '/rbac-policies', grantOn('address_group', addresses, 'bob'))).status).toBe(404);
  });

  it('a network is taken into a pool by those who see it', async () => {
    const id = await poolOf(bob);
    const network_id = idOf(await alice('POST', '/networks', { network: {} }));
    const onboard = `/subnetpools/${id}/onboard_network_subnets`;
    expect(await bob('PUT', onboard, { network_id })).toMatchObject({ status: 404, type: 'NetworkNotFound' });
  });
});

const six = (more: object) => subnetFrom({ ip_version: 6, cidr: 'fd00::/64', ...more });

describe('IPv6 subnets', () => {
  it.each([
    ['slaac', 'slaac'],
    ['dhcpv6-stateless', 'dhcpv6-stateless'],
    ['dhcpv6-stateful', 'dhcpv6-stateful'],
    ['slaac', null],
    [null, 'dhcpv6-stateless'],
  ])('keep ra mode %s with address mode %s', async (ra, address) => {
    const modes = { ipv6_ra_mode: ra, ipv6_address_mode: address };
    expect(await six(modes)).toMatchObject({ status: 201, body: { subnet: modes } });
  });

  it.each([
    [{ ipv6_ra_mode: 'slaac', ipv6_address_mode: 'dhcpv6-stateful' }, 'InvalidInput'],
    [{ ipv6_ra_mode: 'slaac', enable_dhcp: false }, 'InvalidInput'],
    [{ ipv6_address_mode: 'slaac', cidr: 'fd00::/65' }, 'InvalidInput'],
    [{ ipv6_ra_mode: 'stateful' }, 'HTTPBadRequest'],
    [{ ip_version: 4, cidr: '10.0.0.0/24', ipv6_ra_mode: 'slaac' }, 'InvalidInput'],
  ])('are refused with %j', async (more, type) => {
    expect(await six(more)).toMatchObject({ status: 400, type });
  });

  it('cannot lose DHCP that a mode needs', async () => {
    const made = await six({ ipv6_address_mode: 'slaac' });
    const { id } = (made.body as { readonly subnet: Row }).subnet;
    expect(await ask('PUT', `/v2.0/subnets/${id}`, { subnet: { enable_dhcp: false } })).toMatchObject({ status: 400 });
  });
});

it('service types of subnets round-trip', async () => {
  const made = await subnetFrom({ cidr: '10.0.0.0/24', service_types: ['compute:nova', 'network:dhcp'] });
  expect(made).toMatchObject({ status: 201, body: { subnet: { service_types: ['compute:nova', 'network:dhcp'] } } });
  expect(await subnetFrom({ cidr: '10.0.0.0/24', service_types: ['nonsense'] })).toMatchObject({ status: 400 });
});
