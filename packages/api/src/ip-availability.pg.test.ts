import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, clientOf, netted } from './testing/client.ts';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

afterAll(() => server.close());

const path = '/v2.0/network-ip-availabilities';

async function textOf(url: string): Promise<string> {
  const answer = await client.app.inject({ method: 'GET', url });
  expect(answer.statusCode).toBe(200);
  return answer.payload;
}

it('counts the pools’ addresses and those that ports have, to the last one in IPv6', async () => {
  const { network, subnet } = await netted(client);
  const six = await client.make('subnet', { network_id: network.id, ip_version: 6, cidr: 'fd00::/64' });
  await client.make('port', { network_id: network.id });
  await client.make('port', { network_id: network.id, fixed_ips: [{ subnet_id: subnet.id }] });
  const text = await textOf(`${path}/${network.id}`);
  // 253 of the /24, and 2^64 - 2 of the /64.
  expect(text).toContain('"total_ips":18446744073709551867,"used_ips":3');
  expect(text).toContain('"total_ips":18446744073709551614');
  const { body } = await client.call('GET', `${path}/${network.id}`);
  expect((body as Readonly<Record<string, unknown>>)['network_ip_availability']).toMatchObject({
    network_id: network.id,
    network_name: 'net',
    project_id: 'admin',
    subnet_ip_availability: [
      { subnet_id: subnet.id, cidr: '10.0.0.0/24', ip_version: 4, total_ips: 253, used_ips: 2 },
      { subnet_id: six.id, used_ips: 1 },
    ],
  });
});

it('is listed and filtered by network, name, project and IP version, and cannot be written', async () => {
  const plain = await client.make('network', { name: 'plain', project_id: 'q' });
  const listed = async (query: string): Promise<readonly unknown[]> => {
    const { network_ip_availabilities: rows } = JSON.parse(await textOf(`${path}?${query}`)) as {
      readonly network_ip_availabilities: readonly { readonly network_id: string }[];
    };
    return rows.map((row) => row.network_id);
  };
  expect(await listed('network_name=plain')).toEqual([plain.id]);
  expect(await listed(`network_id=${plain.id}`)).toEqual([plain.id]);
  expect(await listed('tenant_id=q')).toEqual([plain.id]);
  expect(await listed('ip_version=4')).not.toContain(plain.id);
  expect(await client.call('POST', path, { network_ip_availability: {} })).toMatchObject({ status: 405 });
});
