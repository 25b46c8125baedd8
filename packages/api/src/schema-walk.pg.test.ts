import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { pathOf } from './definition.ts';
import { definitions } from './definitions/index.ts';
import { documentPath, openApi } from './openapi.ts';
import { type Client, clientOf } from './testing/client.ts';

/** Of every JSON type and then some: for each attribute, at least one of them must be wrong. */
const samples: readonly unknown[] = [
  null,
  true,
  7,
  -1,
  1.5,
  'x'.repeat(5_000),
  '\0',
  'not an address',
  [],
  ['x'],
  [null],
  {},
  { a: 1 },
  [{ a: 1 }],
];

const networkId = '00000000-0000-4000-8000-000000000001';

/** What a create request needs besides the attribute under test. */
const needed: Readonly<Record<string, object>> = {
  network: {},
  subnet: { network_id: networkId, ip_version: 4, cidr: '10.0.0.0/24' },
  port: { network_id: networkId },
  node: { id: 'h', ip: '192.0.2.1', agent_address: 'h:1' },
};

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

afterAll(() => server.close());

for (const definition of definitions) {
  const { singular } = definition;
  const path = pathOf(definition);
  const attributes = Object.entries(definition.attributes);

  describe(singular, () => {
    it.each(attributes)('%s: what its kind does not take is refused by name', async (name, { kind, post }) => {
      const wrong = samples.filter((sample) => 'reason' in Object(kind.parse(sample)));
      expect(wrong.length).toBeGreaterThan(0);
      for (const value of wrong) {
        const { status, body } = await client.call('POST', path, {
          [singular]: { ...needed[singular], [name]: value },
        });
        expect([status, body.NeutronError.type]).toEqual([400, 'HTTPBadRequest']);
        expect(body.NeutronError.message).toContain(
          post.rule === 'never' ? `Attribute '${name}' not allowed in POST` : `Invalid input for ${name}. Reason: `,
        );
      }
    });

    it.each(attributes.filter(([, { put }]) => !put))('%s: is refused by name in a PUT', async (name) => {
      const { status, body } = await client.call('PUT', `${path}/${networkId}`, { [singular]: { [name]: 'x' } });
      expect([status, body.NeutronError.message]).toEqual([400, `Cannot update read-only attribute ${name}`]);
    });

    it.each(attributes.filter(([, { post }]) => post.rule === 'required'))('%s: is missed by name', async (name) => {
      const rest = Object.fromEntries(Object.entries(needed[singular] ?? {}).filter(([key]) => key !== name));
      const { status, body } = await client.call('POST', path, { [singular]: rest });
      expect([status, body.NeutronError.message]).toEqual([
        400,
        `Failed to parse request. Required attribute '${name}' not specified`,
      ]);
    });

    it.each(attributes.filter(([, { filter, visible }]) => filter !== null && visible))('%s: filters', async (name) => {
      expect(
        (
          await client.call(
            'GET',
            `${path}?${encodeURIComponent(name)}=${name === 'fixed_ips' ? 'ip_address=1.1.1.1' : '1'}`,
          )
        ).status,
      ).toBe(200);
    });

    it.each(attributes.filter(([, { sort }]) => sort !== null))('%s: sorts', async (name) => {
      expect((await client.call('GET', `${path}?sort_key=${encodeURIComponent(name)}&sort_dir=desc`)).status).toBe(200);
    });

    it('shows every visible attribute and no other', async () => {
      const network = await client.make('network', {});
      const body = {
        ...needed[singular],
        ...(singular === 'subnet' || singular === 'port' ? { network_id: network.id } : {}),
      };
      const made = await client.make(singular as 'network', body);
      expect(Object.keys(made)).toEqual(attributes.filter(([, { visible }]) => visible).map(([name]) => name));
    });
  });
}

describe('the OpenAPI document', () => {
  const document = openApi(definitions);
  const { schemas } = document['components'] as {
    readonly schemas: Record<
      string,
      { readonly properties: Record<string, object>; readonly required?: readonly string[] }
    >;
  };

  it('is served', async () => {
    const { status, body } = await client.call('GET', '/openapi.json');
    expect(status).toBe(200);
    expect(body).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('has every attribute, in the schemas in which it may stand', () => {
    expect(Object.keys(schemas['Port']?.properties ?? {})).toContain('fixed_ips');
    expect(Object.keys(schemas['PortCreate']?.properties ?? {})).not.toContain('status');
    expect(schemas['PortCreate']?.required).toEqual(['network_id']);
    expect(Object.keys(schemas['PortUpdate']?.properties ?? {})).not.toContain('network_id');
    expect(schemas['Subnet']?.properties['cidr']).toMatchObject({ type: 'string', description: expect.any(String) });
  });

  it('refers only to what it holds', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)];
    const components = document['components'] as Record<string, Record<string, unknown>>;
    expect(refs.length).toBeGreaterThan(20);
    for (const [, section = '', name = ''] of refs) expect(components[section]).toHaveProperty(name);
  });

  it('describes every route that there is', () => {
    const paths = Object.keys(document['paths'] as object);
    const wanted = definitions.flatMap((definition) => {
      const path = documentPath(definition);
      const actions = Object.keys(definition.actions ?? {}).map((action) => `${path}/{id}/${action}`);
      return [path, `${path}/{id}`].concat(actions);
    });
    expect(paths).toEqual(wanted);
  });
});
