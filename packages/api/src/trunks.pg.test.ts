import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf, netted } from './testing/client.ts';
import { makeAt } from './testing/needs.ts';

let server: TestServer;
let client: Client;
let network: Row;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
  ({ network } = await netted(client));
});

afterAll(() => server.close());

const unknownId = '00000000-0000-4000-8000-00000000dead';
const portOf = (attributes: object = {}): Promise<Row> =>
  client.make('port', { network_id: network.id, ...attributes });
const tagged = ({ id }: { readonly id: string }, tag: number) => ({
  port_id: id,
  segmentation_type: 'vlan',
  segmentation_id: tag,
});
const trunkOf = async (attributes: object = {}): Promise<Row> =>
  makeAt(client, '/v2.0/trunks', 'trunk', { port_id: (await portOf()).id, ...attributes });
const tryTrunk = (attributes: object): Promise<Answer> => client.call('POST', '/v2.0/trunks', { trunk: attributes });
const change = (trunk: Row, verb: string, subPorts: unknown): Promise<Answer> =>
  client.call('PUT', `/v2.0/trunks/${trunk.id}/${verb}`, { sub_ports: subPorts });
const refused = (status: number, type: string) => ({ status, body: { NeutronError: { type } } });

describe('trunks', () => {
  it('are made, shown, changed and deleted, and their ports are free again', async () => {
    const [parent, one, two] = [await portOf(), await portOf(), await portOf()];
    const subPorts = [tagged(one, 2), tagged(two, 4)];
    const trunk = await trunkOf({ port_id: parent.id, sub_ports: subPorts });
    expect(trunk).toMatchObject({ port_id: parent.id, admin_state_up: true, status: 'DOWN', sub_ports: subPorts });
    expect(await client.call('GET', `/v2.0/trunks/${trunk.id}`)).toEqual({ status: 200, body: { trunk } });
    const put = await client.call('PUT', `/v2.0/trunks/${trunk.id}`, { trunk: { name: 'foo', admin_state_up: false } });
    expect(put.body).toMatchObject({ trunk: { name: 'foo', admin_state_up: false, revision_number: 2 } });
    const whileDown = await client.call('DELETE', `/v2.0/trunks/${trunk.id}`);
    expect(whileDown).toMatchObject(refused(409, 'TrunkDisabled'));
    await client.call('PUT', `/v2.0/trunks/${trunk.id}`, { trunk: { admin_state_up: true } });
    expect((await client.call('DELETE', `/v2.0/trunks/${trunk.id}`)).status).toBe(204);
    await trunkOf({ port_id: one.id, sub_ports: [tagged(parent, 9)] });
  });

  it('show on their parent, with the addresses of the sub-ports', async () => {
    const sub = await portOf();
    const trunk = await trunkOf({ sub_ports: [tagged(sub, 2)] });
    const { body } = await client.call('GET', `/v2.0/ports/${String(trunk['port_id'])}`);
    expect(body.port['trunk_details']).toEqual({
      trunk_id: trunk.id,
      sub_ports: [{ ...tagged(sub, 2), mac_address: sub['mac_address'] }],
    });
    expect(sub['trunk_details']).toBeNull();
  });

  it('are found by their parent', async () => {
    const trunk = await trunkOf();
    const found = await client.call('GET', `/v2.0/trunks?port_id=${String(trunk['port_id'])}`);
    expect(found.body).toEqual({ trunks: [trunk] });
  });

  it('answer bare what has become of them, and list their sub-ports', async () => {
    const trunk = await trunkOf();
    const [one, two] = [tagged(await portOf(), 2), tagged(await portOf(), 3)];
    const added = await change(trunk, 'add_subports', [one, two]);
    expect(added).toMatchObject({ status: 200, body: { id: trunk.id, sub_ports: [one, two], revision_number: 2 } });
    const removed = await change(trunk, 'remove_subports', [{ port_id: one.port_id }]);
    expect(removed).toMatchObject({ status: 200, body: { id: trunk.id, sub_ports: [two] } });
    expect(await client.call('GET', `/v2.0/trunks/${trunk.id}/get_subports`)).toEqual({
      status: 200,
      body: { sub_ports: [two] },
    });
  });

  it('do not share ports', async () => {
    const [parent, sub] = [await portOf(), await portOf()];
    const trunk = await trunkOf({ port_id: parent.id, sub_ports: [tagged(sub, 2)] });
    expect(await tryTrunk({ port_id: parent.id })).toMatchObject(refused(409, 'ParentPortInUse'));
    expect(await tryTrunk({ port_id: sub.id })).toMatchObject(refused(409, 'TrunkPortInUse'));
    const own = await change(trunk, 'add_subports', [tagged(parent, 3)]);
    expect(own).toMatchObject(refused(409, 'ParentPortInUse'));
    const other = await trunkOf();
    const stolen = await change(other, 'add_subports', [tagged(sub, 3)]);
    expect(stolen).toMatchObject(refused(409, 'TrunkPortInUse'));
    const swallowed = await change(other, 'add_subports', [tagged(parent, 3)]);
    expect(swallowed).toMatchObject(refused(409, 'ParentPortInUse'));
  });

  it('do not share ports when they are made at once', async () => {
    const port = await portOf();
    const answers = await Promise.all([
      tryTrunk({ port_id: port.id }),
      tryTrunk({ port_id: port.id }),
      tryTrunk({ port_id: (await portOf()).id, sub_ports: [tagged(port, 2)] }),
      tryTrunk({ port_id: (await portOf()).id, sub_ports: [tagged(port, 3)] }),
    ]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409]);
  });

  it('have each tag once, also when sub-ports are added at once', async () => {
    const trunk = await trunkOf();
    const ports = [await portOf(), await portOf(), await portOf()];
    const answers = await Promise.all(ports.map((port) => change(trunk, 'add_subports', [tagged(port, 2)])));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    expect(answers.find(({ status }) => status === 409)).toMatchObject(refused(409, 'DuplicateSubPort'));
  });

  it('take no ports that something else uses', async () => {
    const bound = await portOf({ 'binding:host_id': 'h1' });
    expect(await tryTrunk({ port_id: bound.id })).toMatchObject(refused(409, 'ParentPortInUse'));
    const used = await portOf({ device_id: 'vm1' });
    const answer = await change(await trunkOf(), 'add_subports', [tagged(used, 2)]);
    expect(answer).toMatchObject(refused(409, 'PortInUse'));
  });

  it('take no sub-ports with larger packets', async () => {
    const narrow = await client.make('network', { mtu: 1200 });
    const parent = await client.make('port', { network_id: narrow.id });
    const answer = await tryTrunk({ port_id: parent.id, sub_ports: [tagged(await portOf(), 2)] });
    expect(answer).toMatchObject(refused(409, 'SubPortMtuGreaterThanTrunkPortMtu'));
  });

  it('stay as they are when a change is refused, and are not changed while down', async () => {
    const trunk = await trunkOf();
    const good = tagged(await portOf(), 2);
    const half = await change(trunk, 'add_subports', [good, tagged({ id: unknownId }, 3)]);
    expect(half).toMatchObject(refused(404, 'PortNotFound'));
    expect(await change(trunk, 'remove_subports', [good])).toMatchObject(refused(404, 'SubPortNotFound'));
    await client.call('PUT', `/v2.0/trunks/${trunk.id}`, { trunk: { admin_state_up: false } });
    expect(await change(trunk, 'add_subports', [good])).toMatchObject(refused(409, 'TrunkDisabled'));
    const { body } = await client.call('GET', `/v2.0/trunks/${trunk.id}/get_subports`);
    expect(body).toEqual({ sub_ports: [] });
  });

  it('keep their ports from being deleted', async () => {
    const sub = await portOf();
    const trunk = await trunkOf({ sub_ports: [tagged(sub, 2)] });
    const parent = await client.call('DELETE', `/v2.0/ports/${String(trunk['port_id'])}`);
    expect(parent).toMatchObject(refused(409, 'PortInUseAsTrunkParent'));
    expect(await client.call('DELETE', `/v2.0/ports/${sub.id}`)).toMatchObject(refused(409, 'PortInUseAsSubPort'));
  });

  it.each([
    ['no such parent', { port_id: unknownId }, 404, 'PortNotFound'],
    ['no tag', { sub_ports: [{ port_id: unknownId, segmentation_type: 'vlan' }] }, 400, 'HTTPBadRequest'],
    ['no segmentation', { sub_ports: [{ port_id: unknownId, segmentation_id: 3 }] }, 400, 'HTTPBadRequest'],
    ['no port', { sub_ports: [{ segmentation_type: 'vlan', segmentation_id: 3 }] }, 400, 'HTTPBadRequest'],
    ['a tag too high', { sub_ports: [tagged({ id: unknownId }, 4095)] }, 400, 'HTTPBadRequest'],
    [
      'another segmentation',
      { sub_ports: [{ port_id: unknownId, segmentation_type: 'inherit', segmentation_id: -1 }] },
      400,
      'HTTPBadRequest',
    ],
    [
      'a port twice',
      { sub_ports: [tagged({ id: unknownId }, 2), tagged({ id: unknownId }, 3)] },
      400,
      'HTTPBadRequest',
    ],
    ['no list', { sub_ports: tagged({ id: unknownId }, 2) }, 400, 'HTTPBadRequest'],
  ])('refuse %s', async (_, attributes, status, type) => {
    expect(await tryTrunk({ port_id: (await portOf()).id, ...attributes })).toMatchObject(refused(status, type));
  });

  it('refuse a tag twice in one request, and a dictionary for a list', async () => {
    const trunk = await trunkOf();
    const [one, two] = [await portOf(), await portOf()];
    const twice = await change(trunk, 'add_subports', [tagged(one, 2), tagged(two, 2)]);
    expect(twice).toMatchObject(refused(400, 'HTTPBadRequest'));
    expect(await change(trunk, 'add_subports', tagged(one, 2))).toMatchObject(refused(400, 'HTTPBadRequest'));
    expect(await change(trunk, 'remove_subports', tagged(one, 2))).toMatchObject(refused(400, 'HTTPBadRequest'));
  });
});
