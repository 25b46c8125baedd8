import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, clientOf } from './testing/client.ts';

let server: TestServer;
let standard: Client;
let jumbo: Client;

beforeAll(async () => {
  server = await startTestServer();
  standard = clientOf(await server.openFresh());
  const mtus = { underlay: 9_000, physicalNetworks: { physnet1: 1_500 } };
  jumbo = clientOf(await server.openFresh({ limits: { mtus } }));
});

afterAll(() => server.close());

const flat = { 'provider:network_type': 'flat', 'provider:physical_network': 'physnet1' };
const vlan = { 'provider:network_type': 'vlan', 'provider:physical_network': 'data', 'provider:segmentation_id': 7 };

it('a network has what tunnels leave of the underlay, or what its physical network carries', async () => {
  expect((await standard.make('network', {}))['mtu']).toBe(1_450);
  expect((await standard.make('network', flat))['mtu']).toBe(1_500);
  expect((await jumbo.make('network', {}))['mtu']).toBe(8_950);
  expect((await jumbo.make('network', flat))['mtu']).toBe(1_500);
  expect((await jumbo.make('network', vlan))['mtu']).toBe(9_000);
});

it('nobody chooses more, when the network is made or later; less is the user’s choice', async () => {
  for (const [kind, most] of [
    [{}, 8_950],
    [{ ...flat, 'provider:physical_network': 'other' }, 9_000],
  ] as const) {
    const message = `mtu ${most + 1} is not between 68 and ${most}`;
    const refused = { status: 400, body: { NeutronError: { type: 'InvalidInput' } } };
    const made = await jumbo.call('POST', '/v2.0/networks', { network: { ...kind, mtu: most + 1 } });
    expect(made).toMatchObject(refused);
    expect(made.body.NeutronError.message).toContain(message);
    const { id } = await jumbo.make('network', { ...kind, mtu: 1_400 });
    const path = `/v2.0/networks/${id}`;
    const changed = await jumbo.call('PUT', path, { network: { mtu: most + 1 } });
    expect(changed).toMatchObject(refused);
    expect(changed.body.NeutronError.message).toContain(message);
    expect(await jumbo.call('PUT', path, { network: { mtu: most } })).toMatchObject({
      status: 200,
      body: { network: { mtu: most } },
    });
  }
});
