import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type OpenstackClient,
  startOpenstackClient,
  whyNoOpenstackClient,
} from '../../identity/src/testing/openstack-client.ts';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { buildApi } from './app.ts';

const reason = whyNoOpenstackClient();
if (reason !== undefined) console.warn(reason);

describe.skipIf(reason !== undefined)('the openstack command', () => {
  let server: TestServer;
  let app: FastifyInstance;
  let endpoint: string;
  let client: OpenstackClient;

  beforeAll(async () => {
    client = startOpenstackClient();
    server = await startTestServer();
    app = buildApi({ store: await server.openFresh() });
    endpoint = await app.listen({ port: 0, host: '127.0.0.1' });
  });

  afterAll(async () => {
    await client.close();
    await app.close();
    await server.close();
  });

  const wordsOf = (command: string): string[] => [
    '--os-auth-type',
    'none',
    '--os-endpoint',
    endpoint,
    ...command.split(' '),
  ];
  const openstack = (command: string): Promise<string> => client.run(wordsOf(command));
  const json = async (command: string): Promise<Readonly<Record<string, unknown>>> =>
    JSON.parse(await openstack(`${command} -f json`));
  const refused = (command: string): Promise<string> => client.refused(wordsOf(command));

  it('manages networks, subnets and ports from nothing to nothing', async () => {
    const net = await json('network create --description first --mtu 1400 n1');
    expect(net).toMatchObject({ name: 'n1', description: 'first', mtu: 1400, admin_state_up: true, status: 'ACTIVE' });
    await openstack('network set --name n2 --disable n1');
    expect(await json('network show n2')).toMatchObject({ id: net['id'], admin_state_up: false, revision_number: 2 });

    const subnet = await json('subnet create --network n2 --subnet-range 10.0.0.0/24 --dns-nameserver 9.9.9.9 s1');
    expect(subnet).toMatchObject({ cidr: '10.0.0.0/24', gateway_ip: '10.0.0.1', dns_nameservers: ['9.9.9.9'] });
    await openstack('subnet set --gateway none --no-dhcp s1');
    expect(await json('subnet show s1')).toMatchObject({ gateway_ip: null, enable_dhcp: false });
    expect(await refused('subnet create --network n2 --subnet-range 10.0.0.0/25 s2')).toContain('overlaps');

    const port = await json(
      'port create --network n2 --fixed-ip subnet=s1,ip-address=10.0.0.7 --host h1 --disable-port-security p1',
    );
    expect(port).toMatchObject({
      fixed_ips: [{ subnet_id: subnet['id'], ip_address: '10.0.0.7' }],
      binding_host_id: 'h1',
      port_security_enabled: false,
    });
    await openstack('port set --host h2 --name p2 p1');
    expect(await json('port show p2')).toMatchObject({ id: port['id'], binding_host_id: 'h2' });
    expect(await refused('port create --network n2 --fixed-ip ip-address=10.0.0.7 p3')).toContain('already allocated');

    const listed = await Promise.all(
      [
        'network list --name n2 -f value -c ID',
        'subnet list --network n2 -f value -c Subnet',
        'port list --fixed-ip ip-address=10.0.0.7 -f value -c ID',
        'extension list --network -f value -c Alias',
      ].map((command) => openstack(command)),
    );
    expect(listed.slice(0, 3)).toEqual([net['id'], '10.0.0.0/24', port['id']]);
    expect(listed[3]?.split('\n')).toContain('pagination');

    expect(await refused('network delete n2')).toContain('ports still in use');
    await openstack('port delete p2');
    await openstack('subnet delete s1');
    await openstack('network delete n2');
    expect(await openstack('network list -f value')).toBe('');
  });
});
