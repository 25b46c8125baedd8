import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf, netted } from './testing/client.ts';
import { makeAt } from './testing/needs.ts';
import { refusedAs } from './testing/routed.ts';

let server: TestServer;
let client: Client;
let network: Row;
let subnet: Row;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
  ({ network, subnet } = await netted(client));
});

afterAll(() => server.close());

const ask = (attributes: object): Promise<Answer> => client.call('POST', '/v2.0/local_ips', { local_ip: attributes });
const make = (attributes: object): Promise<Row> => client.make('local_ip', attributes);
const remove = (path: string): Promise<Answer> => client.call('DELETE', `/v2.0/${path}`);
const portOf = (more: object = {}): Promise<Row> => client.make('port', { network_id: network.id, ...more });
const ipsOf = (port: Row): readonly string[] =>
  (port['fixed_ips'] as readonly { ip_address: string }[]).map((held) => held.ip_address);
const portWithTwo = (): Promise<Row> => portOf({ fixed_ips: [0, 1].map(() => ({ subnet_id: subnet.id })) });

describe('local IPs', () => {
  it('are a port’s address, which the port then keeps', async () => {
    const port = await portOf();
    const made = await make({ name: 'dns', local_port_id: port.id, description: 'a cache', ip_mode: 'passthrough' });
    expect(made).toMatchObject({
      name: 'dns',
      description: 'a cache',
      local_port_id: port.id,
      network_id: network.id,
      local_ip_address: ipsOf(port)[0],
      ip_mode: 'passthrough',
    });
    expect(refusedAs(await remove(`ports/${port.id}`))).toEqual([409, 'ServicePortInUse']);
    const moved = await client.call('PUT', `/v2.0/ports/${port.id}`, { port: { fixed_ips: [] } });
    expect(refusedAs(moved)).toEqual([400, 'BadRequest']);
    const renamed = await client.call('PUT', `/v2.0/local_ips/${made.id}`, { local_ip: { name: 'new' } });
    expect(renamed.body).toMatchObject({ local_ip: { name: 'new', revision_number: 2 } });
    expect((await remove(`local_ips/${made.id}`)).status).toBe(204);
    expect((await remove(`ports/${port.id}`)).status).toBe(204);
  });

  it('have a port made for them on a network, which goes with them', async () => {
    const made = await make({ network_id: network.id, local_ip_address: '10.0.0.77' });
    expect(made).toMatchObject({ local_ip_address: '10.0.0.77', ip_mode: 'translate' });
    const port = (await client.call('GET', `/v2.0/ports/${String(made['local_port_id'])}`)).body.port;
    expect(port).toMatchObject({ device_owner: 'network:local_ip', device_id: made.id });
    expect(refusedAs(await remove(`ports/${port.id}`))).toEqual([409, 'ServicePortInUse']);
    expect(refusedAs(await ask({ network_id: network.id, local_ip_address: '10.0.0.77' }))).toEqual([
      409,
      'IpAddressAlreadyAllocated',
    ]);
    expect((await remove(`local_ips/${made.id}`)).status).toBe(204);
    expect((await client.call('GET', `/v2.0/ports/${port.id}`)).status).toBe(404);
    expect(await make({ network_id: network.id, local_ip_address: '10.0.0.77' })).toBeTruthy();
  });

  it('need to be told which address is meant', async () => {
    const bare = await client.make('network', {});
    const six = await client.make('network', {});
    await client.make('subnet', { network_id: six.id, ip_version: 6, cidr: '2001:db8::/64' });
    const [two, none] = [await portWithTwo(), await client.make('port', { network_id: bare.id })];
    expect(refusedAs(await ask({}))).toEqual([400, 'LocalIPPortOrNetworkRequired']);
    expect(refusedAs(await ask({ local_port_id: none.id }))).toEqual([400, 'LocalIPNoIP']);
    expect(refusedAs(await ask({ local_port_id: two.id }))).toEqual([400, 'LocalIPNoRequestedIP']);
    const foreign = { local_port_id: two.id, local_ip_address: '192.0.2.1' };
    expect(refusedAs(await ask(foreign))).toEqual([400, 'LocalIPRequestedIPNotFound']);
    expect(refusedAs(await ask({ network_id: six.id }))).toEqual([400, 'BadRequest']);
    const [, second = ''] = ipsOf(two);
    expect(await make({ local_port_id: two.id, local_ip_address: second })).toMatchObject({ local_ip_address: second });
  });

  it('say which of several is at fault, and then none is made', async () => {
    const wanted = [{ local_port_id: (await portOf()).id }, {}, { network_id: network.id }];
    const before = (await client.call('GET', '/v2.0/local_ips')).body as unknown as { local_ips: readonly Row[] };
    const { status, body } = await client.call('POST', '/v2.0/local_ips', { local_ips: wanted });
    expect([status, body.NeutronError.detail]).toEqual([400, 'Item 1 of the request, counted from 0.']);
    expect((await client.call('GET', '/v2.0/local_ips')).body).toEqual(before);
  });

  it('belong to a project', async () => {
    const made = await make({ network_id: network.id, project_id: 'alice' });
    const look = (project: string): Promise<Answer> =>
      client.call('GET', `/v2.0/local_ips/${made.id}/port_associations`, undefined, {
        'x-project-id': project,
        'x-roles': 'member',
      });
    expect((await look('alice')).status).toBe(200);
    expect(refusedAs(await look('bob'))).toEqual([404, 'LocalIPNotFound']);
  });
});

describe('ports that stand for a local IP', () => {
  it('are associated, listed, shown and let go; until then the local IP stays', async () => {
    const localIp = await make({ network_id: network.id });
    const port = await portOf();
    const place = `/v2.0/local_ips/${localIp.id}/port_associations`;
    const made = await makeAt(client, place, 'port_association', { fixed_port_id: port.id });
    expect(made).toEqual({
      local_ip_id: localIp.id,
      local_ip_address: localIp['local_ip_address'],
      fixed_port_id: port.id,
      fixed_ip: ipsOf(port)[0],
      host: '',
    });
    expect((await client.call('GET', `${place}/${port.id}`)).body).toEqual({ port_association: made });
    for (const filter of [
      '',
      '?host=',
      `?fixed_ip=${ipsOf(port)[0]}&local_ip_address=${String(made['local_ip_address'])}`,
    ]) {
      expect((await client.call('GET', `${place}${filter}`)).body).toEqual({ port_associations: [made] });
    }
    const again = await client.call('POST', place, { port_association: { fixed_port_id: port.id } });
    expect(refusedAs(again)).toEqual([409, 'LocalIPAssociationExists']);
    expect(refusedAs(await remove(`local_ips/${localIp.id}`))).toEqual([409, 'LocalIPInUse']);
    expect((await client.call('DELETE', `${place}/${port.id}`)).status).toBe(204);
    expect(refusedAs(await client.call('GET', `${place}/${port.id}`))).toEqual([404, 'LocalIPAssociationNotFound']);
    expect((await remove(`local_ips/${localIp.id}`)).status).toBe(204);
  });

  it('are the port’s, whose revision counts them', async () => {
    const localIp = await make({ network_id: network.id });
    const port = await portOf();
    const revision = async (): Promise<unknown> =>
      (await client.call('GET', `/v2.0/ports/${port.id}`)).body.port['revision_number'];
    const before = Number(await revision());
    const place = `/v2.0/local_ips/${localIp.id}/port_associations`;
    await makeAt(client, place, 'port_association', { fixed_port_id: port.id });
    expect(await revision()).toBe(before + 1);
    expect((await client.call('DELETE', `${place}/${port.id}`)).status).toBe(204);
    expect(await revision()).toBe(before + 2);
  });

  it('are of its own network, or of one of its project', async () => {
    const localIp = await make({ network_id: network.id, project_id: 'alice' });
    const place = `/v2.0/local_ips/${localIp.id}/port_associations`;
    const portAt = async (project: string): Promise<Row> => {
      const { id: network_id } = await client.make('network', { project_id: project });
      await client.make('subnet', { network_id, ip_version: 4, cidr: '10.0.1.0/24' });
      return client.make('port', { network_id });
    };
    const astray = await client.call('POST', place, { port_association: { fixed_port_id: (await portAt('bob')).id } });
    expect(refusedAs(astray)).toEqual([400, 'BadRequest']);
    expect(astray.body.NeutronError.message).toContain('fixed_port_id');
    await makeAt(client, place, 'port_association', { fixed_port_id: (await portAt('alice')).id });
    await makeAt(client, place, 'port_association', { fixed_port_id: (await portOf()).id });
  });

  it('stand for it no more when they go, or lose the address', async () => {
    const localIp = await make({ network_id: network.id });
    const [gone, changed] = [await portOf(), await portWithTwo()];
    const place = `/v2.0/local_ips/${localIp.id}/port_associations`;
    const [kept = '', lost = ''] = ipsOf(changed);
    await makeAt(client, place, 'port_association', { fixed_port_id: gone.id });
    await makeAt(client, place, 'port_association', { fixed_port_id: changed.id, fixed_ip: lost });
    expect((await remove(`ports/${gone.id}`)).status).toBe(204);
    const ips = { port: { fixed_ips: [{ subnet_id: subnet.id, ip_address: kept }] } };
    expect((await client.call('PUT', `/v2.0/ports/${changed.id}`, ips)).status).toBe(200);
    expect((await client.call('GET', place)).body).toEqual({ port_associations: [] });
  });
});
