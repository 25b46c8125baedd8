import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Client, type Row, clientOf, netted } from './testing/client.ts';

let server: TestServer;
let client: Client;
let network: Row;
let defaultGroup: string;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
  network = (await netted(client)).network;
  const { body } = await client.call('GET', '/v2.0/security-groups?project_id=admin');
  defaultGroup = body.security_groups[0]?.id ?? '';
});

afterAll(() => server.close());

const unknownId = '00000000-0000-4000-8000-00000000dead';
const create = (port: object) => client.call('POST', '/v2.0/ports', { port: { network_id: network.id, ...port } });
const made = async (port: object): Promise<Row> => (await create(port)).body.port;
const change = (port: Row, patch: object) => client.call('PUT', `/v2.0/ports/${port.id}`, { port: patch });
const refusal = (status: number, type: string) => ({ status, body: { NeutronError: { type } } });

describe('a port’s security groups', () => {
  it('are the project’s default one where none is named, and none where that is asked for', async () => {
    expect((await made({}))['security_groups']).toEqual([defaultGroup]);
    expect((await made({ security_groups: null }))['security_groups']).toEqual([defaultGroup]);
    expect((await made({ security_groups: [] }))['security_groups']).toEqual([]);
    expect((await made({ port_security_enabled: false }))['security_groups']).toEqual([]);
    const service = await made({ device_owner: 'network:dhcp' });
    expect(service).toMatchObject({ security_groups: [], port_security_enabled: false });
  });

  it('are made for a project by its first ports, however many come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => create({ project_id: 'newcomer' })));
    const groups = new Set(answers.map(({ body }) => JSON.stringify(body.port['security_groups'])));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 201]);
    expect(groups.size).toBe(1);
  });

  it('follow the network where it has no port security', async () => {
    const open = await client.make('network', { port_security_enabled: false });
    const port = await made({ network_id: open.id });
    expect(port).toMatchObject({ port_security_enabled: false, security_groups: [] });
    const own = await made({ network_id: open.id, port_security_enabled: true });
    expect(own['security_groups']).toEqual([defaultGroup]);
  });

  it('can be replaced, listed by, and keep a group from going', async () => {
    const [one, two] = [await client.make('security_group', {}), await client.make('security_group', {})];
    const port = await made({ security_groups: [one.id] });
    const { body } = await change(port, { security_groups: [two.id, one.id], name: 'x' });
    expect(body.port).toMatchObject({ security_groups: [one.id, two.id].toSorted(), name: 'x', revision_number: 2 });
    expect((await change(port, { security_groups: [one.id, two.id] })).body.port['revision_number']).toBe(2);
    const listed = await client.call('GET', `/v2.0/ports?security_groups=${two.id}`);
    expect(listed.body.ports).toEqual([body.port]);
    const path = `/v2.0/security-groups/${two.id}`;
    expect(await client.call('DELETE', path)).toMatchObject(refusal(409, 'SecurityGroupInUse'));
    expect(await client.call('PUT', path, { security_group: { stateful: false } })).toMatchObject(
      refusal(409, 'SecurityGroupInUse'),
    );
    expect((await change(port, { security_groups: null })).body.port['security_groups']).toEqual([]);
    expect((await client.call('PUT', path, { security_group: { stateful: false } })).body.security_group).toMatchObject(
      {
        stateful: false,
      },
    );
    expect((await client.call('DELETE', path)).status).toBe(204);
  });

  it('are those of its project, each named once', async () => {
    const foreign = await client.make('security_group', { project_id: 'other' });
    const port = await made({});
    for (const id of [unknownId, foreign.id]) {
      expect(await create({ security_groups: [id] })).toMatchObject(refusal(404, 'SecurityGroupNotFound'));
      expect(await change(port, { security_groups: [id] })).toMatchObject(refusal(404, 'SecurityGroupNotFound'));
    }
    expect(await change(port, { security_groups: [defaultGroup, defaultGroup] })).toMatchObject({ status: 400 });
    expect(await change(port, { security_groups: ['x'] })).toMatchObject({ status: 400 });
    const shown = await client.call('GET', `/v2.0/ports/${port.id}`);
    expect(shown.body.port['security_groups']).toEqual([defaultGroup]);
  });

  it('and port security do not go without each other', async () => {
    expect(await create({ port_security_enabled: false, security_groups: [defaultGroup] })).toMatchObject(
      refusal(400, 'PortSecurityAndIPRequiredForSecurityGroups'),
    );
    const port = await made({});
    expect(await change(port, { port_security_enabled: false })).toMatchObject(
      refusal(409, 'PortSecurityPortHasSecurityGroup'),
    );
    const off = await change(port, { port_security_enabled: false, security_groups: [] });
    expect(off.body.port).toMatchObject({ port_security_enabled: false, security_groups: [] });
    expect(await change(port, { security_groups: [defaultGroup] })).toMatchObject(
      refusal(400, 'PortSecurityAndIPRequiredForSecurityGroups'),
    );
    const on = await change(port, { port_security_enabled: true, security_groups: [defaultGroup] });
    expect(on.body.port).toMatchObject({ port_security_enabled: true, security_groups: [defaultGroup] });
  });

  it('are never a group that is being deleted', async () => {
    for (let round = 0; round < 5; round++) {
      const group = await client.make('security_group', {});
      const [port, gone] = await Promise.all([
        create({ security_groups: [group.id] }),
        client.call('DELETE', `/v2.0/security-groups/${group.id}`),
      ]);
      expect([`${port.status} ${gone.status}`]).toEqual([expect.stringMatching(/^(?:201 409|404 204)$/)]);
    }
  });
});

describe('allowed address pairs', () => {
  it('have the port’s MAC where they name none, and keep what was written', async () => {
    const port = await made({
      mac_address: 'fa:16:3e:00:00:01',
      allowed_address_pairs: [
        { ip_address: '10.1.0.7' },
        { ip_address: '10.2.0.7/16', mac_address: 'FA-16-3E-00-00-02' },
        { ip_address: 'FD00:0::/64' },
      ],
    });
    expect(port['allowed_address_pairs']).toEqual([
      { ip_address: '10.1.0.7', mac_address: 'fa:16:3e:00:00:01' },
      { ip_address: '10.2.0.7/16', mac_address: 'fa:16:3e:00:00:02' },
      { ip_address: 'fd00::/64', mac_address: 'fa:16:3e:00:00:01' },
    ]);
    const listed = await client.call('GET', `/v2.0/ports?id=${port.id}`);
    expect(listed.body.ports).toEqual([port]);
    const changed = await change(port, { allowed_address_pairs: [{ ip_address: '10.3.0.1' }] });
    expect(changed.body.port).toMatchObject({
      allowed_address_pairs: [{ ip_address: '10.3.0.1', mac_address: 'fa:16:3e:00:00:01' }],
      revision_number: 2,
    });
    expect((await change(port, { name: 'x' })).body.port['allowed_address_pairs']).toHaveLength(1);
    expect((await change(port, { allowed_address_pairs: null })).body.port['allowed_address_pairs']).toEqual([]);
  });

  it.each<[string, readonly object[], string]>([
    ['no address', [{ mac_address: 'fa:16:3e:00:00:02' }], 'ip_address'],
    ['an address that is none', [{ ip_address: '10.0.0.300' }], '10.0.0.300'],
    ['a block that is none', [{ ip_address: '10.0.0.0/33' }], '10.0.0.0/33'],
    ['a group’s address', [{ ip_address: '224.0.0.1' }], '224.0.0.1'],
    ['a group’s IPv6 address', [{ ip_address: 'ff02::1' }], 'ff02::1'],
    ['a group’s MAC', [{ ip_address: '10.0.0.9', mac_address: '01:00:5e:00:00:01' }], '01:00:5e:00:00:01'],
    ['more than is known', [{ ip_address: '10.0.0.9', colour: 'red' }], 'colour'],
    ['the same twice', [{ ip_address: '10.0.0.9' }, { ip_address: '10.0.0.9' }], 'duplicate address pair'],
    ['too many', Array.from({ length: 11 }, (_, n) => ({ ip_address: `10.0.1.${n}` })), 'at most 10'],
  ])('refuse %s', async (_, pairs, message) => {
    expect(await create({ allowed_address_pairs: pairs })).toMatchObject({
      status: 400,
      body: { NeutronError: { message: expect.stringContaining(message) } },
    });
  });

  it('need port security', async () => {
    const pairs = { allowed_address_pairs: [{ ip_address: '10.0.0.9' }] };
    const required = refusal(409, 'AddressPairAndPortSecurityRequired');
    expect(await create({ ...pairs, port_security_enabled: false })).toMatchObject(required);
    const off = await made({ port_security_enabled: false });
    expect(await change(off, pairs)).toMatchObject(required);
    const on = await made({ ...pairs, security_groups: [] });
    expect(await change(on, { port_security_enabled: false })).toMatchObject(required);
    const bare = await change(on, { port_security_enabled: false, allowed_address_pairs: [] });
    expect(bare.body.port).toMatchObject({ port_security_enabled: false, allowed_address_pairs: [] });
  });
});
