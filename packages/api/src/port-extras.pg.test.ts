import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, type Row, clientOf, netted } from './testing/client.ts';

let server: TestServer;
let client: Client;
let network: Row;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
  ({ network } = await netted(client));
});

afterAll(() => server.close());

const make = (attributes: object): Promise<Row> => client.make('port', { network_id: network.id, ...attributes });

async function change(id: string, attributes: object) {
  const { status, body } = await client.call('PUT', `/v2.0/ports/${id}`, { port: attributes });
  return { status, port: body.port, message: body.NeutronError?.message };
}

async function refusal(attributes: object): Promise<string> {
  const { status, body } = await client.call('POST', '/v2.0/ports', {
    port: { network_id: network.id, ...attributes },
  });
  expect(status).toBe(400);
  return body.NeutronError.message;
}

const opt = (name: string, value: string | null, more: object = {}) => ({
  opt_name: name,
  opt_value: value,
  ...more,
});

describe('extra DHCP options', () => {
  it('are kept, added to by a change, and go when they are given no value', async () => {
    const { id, extra_dhcp_opts: made } = await make({
      extra_dhcp_opts: [opt('bootfile-name', 'pxelinux.0'), opt('router', ''), opt('tftp-server', null)],
    });
    expect(made).toEqual([opt('bootfile-name', 'pxelinux.0', { ip_version: 4 }), opt('router', '', { ip_version: 4 })]);
    const { port } = await change(id, {
      extra_dhcp_opts: [
        opt('bootfile-name', 'other'),
        opt('bootfile-name', 'six', { ip_version: 6 }),
        opt('router', null),
      ],
    });
    const after = [opt('bootfile-name', 'other', { ip_version: 4 }), opt('bootfile-name', 'six', { ip_version: 6 })];
    expect(port['extra_dhcp_opts']).toEqual(after);
    expect((await change(id, { name: 'x', extra_dhcp_opts: [] })).port['extra_dhcp_opts']).toEqual(after);
  });

  it.each([
    [opt('x', '')],
    [opt('', 'x')],
    [opt('x', 'two\nlines')],
    [{ opt_name: 'x' }],
    [opt('x', 'y', { ip_version: 5 })],
    [opt('x', 'y', { more: 1 })],
  ])('are refused as %j', async (wrong) => {
    expect(await refusal({ extra_dhcp_opts: [wrong] })).toMatch(/extra_dhcp_opts/);
  });

  it('are refused twice', async () => {
    expect(await refusal({ extra_dhcp_opts: [opt('x', 'y'), opt('x', 'z')] })).toMatch(/Duplicate/);
  });
});

const assignment = (hostname: string) => [{ hostname, ip_address: '10.0.0.77', fqdn: `${hostname}.openstacklocal.` }];

it('a port’s addresses are named after it, or after themselves', async () => {
  const named = await make({ dns_name: 'web-1', fixed_ips: [{ ip_address: '10.0.0.77' }] });
  expect(named['dns_assignment']).toEqual(assignment('web-1'));
  const { port } = await change(named.id, { dns_name: '', dns_domain: 'example.org.' });
  expect(port).toMatchObject({
    dns_name: '',
    dns_domain: 'example.org.',
    dns_assignment: assignment('host-10-0-0-77'),
  });
  expect(await refusal({ dns_name: '-web' })).toMatch(/dns_name/);
  expect(await refusal({ dns_domain: 'example.org' })).toMatch(/dns_domain/);
});

it('networks keep a domain for the names of their ports', async () => {
  const made = await client.make('network', { dns_domain: 'example.org.' });
  expect(made['dns_domain']).toBe('example.org.');
  const put = (domain: string) => client.call('PUT', `/v2.0/networks/${made.id}`, { network: { dns_domain: domain } });
  expect((await put('')).body.network['dns_domain']).toBe('');
  expect((await put('example')).status).toBe(400);
});

describe('bindings', () => {
  it('keep kind and profile, and fail where the switch cannot attach such a guest', async () => {
    const { id } = await make({ 'binding:vnic_type': 'direct', 'binding:profile': { slot: '0000:03:10.1' } });
    const { port } = await change(id, { 'binding:host_id': 'h1' });
    expect(port).toMatchObject({
      'binding:vnic_type': 'direct',
      'binding:profile': { slot: '0000:03:10.1' },
      'binding:vif_type': 'binding_failed',
      'binding:vif_details': {},
    });
    expect((await change(id, { 'binding:vnic_type': 'normal' })).port['binding:vif_type']).toBe('ovs');
    expect((await change(id, { 'binding:profile': null })).port['binding:profile']).toEqual({});
  });

  it('are refused of unknown kinds, and with endless profiles', async () => {
    expect(await refusal({ 'binding:vnic_type': 'carrier-pigeon' })).toMatch(/vnic_type/);
    expect(await refusal({ 'binding:profile': { x: 'x'.repeat(5000) } })).toMatch(/profile/);
  });
});

it('null for a MAC asks for a new one', async () => {
  const port = await make({ mac_address: '02:00:00:00:00:01' });
  const { port: changed } = await change(port.id, { mac_address: null });
  expect(changed['mac_address']).toMatch(/^fa:16:3e:/);
  expect((await make({ mac_address: null }))['mac_address']).toMatch(/^fa:16:3e:/);
});
