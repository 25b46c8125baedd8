import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { type Operation, allows, pathOf } from './definition.ts';
import { definitions } from './definitions/index.ts';
import { documentPath, openApi } from './openapi.ts';
import { type Client, type Row, clientOf } from './testing/client.ts';
import { lastPartOf, needsOf, oneAt, placeOf } from './testing/needs.ts';

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

const unknownId = '00000000-0000-4000-8000-000000000001';

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh());
});

afterAll(() => server.close());

for (const definition of definitions) {
  const { singular } = definition;
  const attributes = Object.entries(definition.attributes);
  const served = (operation: Operation, given: typeof attributes): typeof attributes =>
    allows(definition, operation) ? given : [];

  describe(pathOf(definition), () => {
    let place = '';
    let needed: object = {};
    let made: Row = { id: '' };

    beforeAll(async () => {
      place = await placeOf(client, definition);
      needed = await needsOf(client, definition);
      if (allows(definition, 'create')) made = await oneAt(client, place, singular, needed);
    });

    it.each(served('create', attributes))(
      '%s: what its kind does not take is refused by name',
      async (name, { kind, post }) => {
        const wrong = samples.filter((sample) => 'reason' in Object(kind.parse(sample)));
        expect(wrong.length).toBeGreaterThan(0);
        for (const value of wrong) {
          const { status, body } = await client.call('POST', place, { [singular]: { ...needed, [name]: value } });
          expect([status, body.NeutronError.type]).toEqual([400, 'HTTPBadRequest']);
          expect(body.NeutronError.message).toContain(
            post.rule === 'never' ? `Attribute '${name}' not allowed in POST` : `Invalid input for ${name}. Reason: `,
          );
        }
      },
    );

    it.each(served('update', attributes).filter(([, { put }]) => !put))(
      '%s: is refused by name in a PUT',
      async (name) => {
        const { status, body } = await client.call('PUT', `${place}/${unknownId}`, { [singular]: { [name]: 'x' } });
        expect([status, body.NeutronError.message]).toEqual([400, `Cannot update read-only attribute ${name}`]);
      },
    );

    const required = served('create', attributes).filter(([, { post }]) => post.rule === 'required');
    it.each(required)('%s: is missed by name', async (name) => {
      const rest = Object.fromEntries(Object.entries(needed).filter(([key]) => key !== name));
      const { status, body } = await client.call('POST', place, { [singular]: rest });
      expect([status, body.NeutronError.message]).toEqual([
        400,
        `Failed to parse request. Required attribute '${name}' not specified`,
      ]);
    });

    const filters = served('list', attributes).filter(([, { filter, visible }]) => filter !== null && visible);
    it.each(filters)('%s: filters', async (name) => {
      const value = name === 'fixed_ips' ? 'ip_address=1.1.1.1' : '1';
      const { status } = await client.call('GET', `${place}?${encodeURIComponent(name)}=${value}`);
      expect(status).toBe(200);
    });

    const sorts = served('list', attributes).filter(([, { sort }]) => sort !== null);
    it.each(sorts)('%s: sorts', async (name) => {
      const { status } = await client.call('GET', `${place}?sort_key=${encodeURIComponent(name)}&sort_dir=desc`);
      expect(status).toBe(200);
    });

    const isOwned = definition.tenancy === 'project' && allows(definition, 'create');
    it.runIf(isOwned)('is not there for a foreign project', async () => {
      const { id } = made;
      const foreign = { 'x-project-id': 'a-foreign-one', 'x-roles': 'member' };
      for (const [operation, method, body] of [
        ['show', 'GET', undefined],
        ['update', 'PUT', { [singular]: {} }],
        ['delete', 'DELETE', undefined],
      ] as const) {
        if (!allows(definition, operation)) continue;
        const { status } = await client.call(method, `${place}/${id}`, body, foreign);
        expect([operation, status]).toEqual([operation, 404]);
      }
      const { body } = await client.call('GET', `${place}?id=${id}`, undefined, foreign);
      const rows = (body as Readonly<Record<string, unknown>>)[definition.plural] ?? [];
      expect(rows).toEqual([]);
    });

    it.runIf(allows(definition, 'create') && allows(definition, 'show'))('comes back as it was sent', async () => {
      const shown = (await client.call('GET', `${place}/${lastPartOf(definition, made)}`)).body as Readonly<
        Record<string, unknown>
      >;
      expect(shown[singular]).toEqual(made);
      expect(made).toMatchObject(needed);
    });

    const written = served('update', attributes).filter(([, { put, visible }]) => put && visible);
    it.runIf(allows(definition, 'create')).each(written)('%s: may be put as it is', async (name, { source }) => {
      if (source.from === 'field' && made[name] === undefined) return;
      const { status, body } = await client.call('PUT', `${place}/${lastPartOf(definition, made)}`, {
        [singular]: { [name]: made[name] },
      });
      expect([name, status, status === 200 ? undefined : body]).toEqual([name, 200, undefined]);
      expect((body as Readonly<Record<string, Row>>)[singular]?.[name]).toEqual(made[name]);
    });

    it.runIf(allows(definition, 'create'))('shows every visible attribute and no other', () => {
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
    expect(body).toMatchObject(JSON.parse(JSON.stringify(document)) as object);
    const { paths } = body as unknown as { readonly paths: Readonly<Record<string, object>> };
    expect(Object.keys(paths['/v2.0/auto-allocated-topology/{id}'] ?? {})).toEqual(['parameters', 'get', 'delete']);
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
