import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, startTestServer } from '../../store/src/testing/region.ts';
import { definitions } from './definitions/index.ts';
import { type Answer, type Client, clientOf, netted } from './testing/client.ts';

let server: TestServer;
let client: Client;
let ids: readonly string[];

beforeAll(async () => {
  server = await startTestServer();
  client = clientOf(await server.openFresh(), { limits: { bodyBytes: 100_000, bulkItems: 50, jsonDepth: 20 } });
  const { network, subnet } = await netted(client);
  ids = [network.id, subnet.id];
});

afterAll(async () => {
  await client.app.close();
  await server.close();
});

/** Neutron's form, its message free of what only we may see. */
function expectRefusal({ status, body }: Answer, expected?: number): void {
  expect(body).toEqual({
    NeutronError: { type: expect.any(String), message: expect.any(String), detail: expect.any(String) },
  });
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\.ts:|at async/);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  if (expected !== undefined) expect(status).toBe(expected);
}

describe('bodies', () => {
  it.each([
    ['nothing', '', 400],
    ['half an object', '{"network": {', 400],
    ['text', 'hello', 400],
    ['null', 'null', 400],
    ['a number', '7', 400],
    ['a list', '[]', 400],
    ['no root key', '{}', 400],
    ['another root key', '{"subnet": {}}', 400],
    ['two root keys', '{"network": {}, "x": 1}', 400],
    ['a root that is no object', '{"network": []}', 400],
    ['a bulk that is no list', '{"networks": {}}', 400],
    ['an empty bulk', '{"networks": []}', 400],
    ['a bulk of no objects', '{"networks": [1]}', 400],
    ['too many in bulk', JSON.stringify({ networks: Array.from({ length: 51 }, () => ({})) }), 400],
    ['an unknown attribute', '{"network": {"colour": "red"}}', 400],
    ['a prototype', '{"network": {"__proto__": {"name": "x"}}}', 400],
    ['a constructor', '{"network": {"constructor": 1}}', 400],
    ['too deep', `{"network": {"name": ${'['.repeat(21)}${']'.repeat(21)}}}`, 400],
    ['far too deep', '['.repeat(90_000), 400],
    ['too large', JSON.stringify({ network: { name: 'x'.repeat(100_001) } }), 413],
  ])('%s', async (_, body, status) => {
    const before = (await client.call('GET', '/v2.0/networks')).body;
    expectRefusal(await client.call('POST', '/v2.0/networks', body), status);
    expect((await client.call('GET', '/v2.0/networks')).body).toEqual(before);
  });

  it('are refused in another content type', async () => {
    expectRefusal(
      await client.call('POST', '/v2.0/networks', '<network/>', { 'content-type': 'application/xml' }),
      415,
    );
    expectRefusal(await client.call('POST', '/v2.0/networks', '{"network":{}}', { 'content-type': 'nonsense' }), 415);
  });

  it('count brackets inside strings as text', async () => {
    const name = `${'[{'.repeat(60)}\\"`;
    expect((await client.call('POST', '/v2.0/networks', { network: { name } })).body.network).toMatchObject({ name });
  });
});

it.each([
  ['GET', '/nowhere', 404],
  ['GET', '/v2.0/colours', 404],
  ['POST', '/v2.0/extensions', 404],
  ['GET', '/v2.0/extensions/colour', 404],
  ['GET', '/v2.0/networks/%00', 404],
  ['GET', '/v2.0/networks/%zz', 400],
  ['GET', `/v2.0/networks/${'x'.repeat(300)}`, 414],
  ['GET', '/v2.0/networks/name', 404],
  ['DELETE', '/v2.0/networks/name', 404],
  ['PUT', '/v2.0/networks', 405],
  ['DELETE', '/v2.0/networks', 405],
  ['POST', '/v2.0/networks/name', 405],
  ['PATCH', '/v2.0/networks/name', 405],
] as const)('%s %s', async (method, url, status) => {
  expectRefusal(await client.call(method, url), status);
});

it('answers bytes that are no HTTP', async () => {
  const address = new URL(await client.app.listen({ port: 0, host: '127.0.0.1' }));
  const answered = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(Number(address.port), address.hostname, () => socket.write('NONSENSE\r\n\r\n'));
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
  expect(answered).toMatch(/^HTTP\/1\.1 400 /);
  expect(answered).toContain('"NeutronError"');
});

const wellFormed = (text: string): string => encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, ''));

const path = fc.constantFrom(...definitions.map(({ prefix, plural }) => `${prefix}/${plural}`));
const attributeNames = [...new Set(definitions.flatMap(({ attributes }) => Object.keys(attributes)))];
const value = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue() },
  fc.string({ unit: 'binary' }),
  fc.constantFrom('10.0.0.0/24', '10.0.0.1', 'fd00::/64', 4, 6, true, 'false', '2'.repeat(30), null, [], {}),
);
const attributes = fc.dictionary(
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...attributeNames) }, fc.string()),
  value,
  { maxKeys: 6 },
);

/** Success, or a refusal in Neutron's form; never a failure. */
function fair(answer: Answer): void {
  if (answer.status >= 300) expectRefusal(answer);
}

describe('whatever is sent', () => {
  it('in the body of a POST', async () => {
    await fc.assert(
      fc.asyncProperty(path, attributes, fc.boolean(), fc.constantFrom(...ids), async (url, given, bulk, networkId) => {
        const plural = url.split('/').at(-1) ?? '';
        const item = {
          ...(url.startsWith('/v2.0') && plural !== 'networks' ? { network_id: networkId } : {}),
          ...given,
        };
        fair(await client.call('POST', url, bulk ? { [plural]: [item] } : { [plural.slice(0, -1)]: item }));
      }),
      { numRuns: 400 },
    );
  });

  it('in the body of a PUT', async () => {
    await fc.assert(
      fc.asyncProperty(path, attributes, fc.constantFrom(...ids, 'x'), async (url, given, id) => {
        fair(await client.call('PUT', `${url}/${id}`, { [url.split('/').at(-1)?.slice(0, -1) ?? '']: given }));
      }),
      { numRuns: 300 },
    );
  });

  it('as JSON, or as something like it', async () => {
    await fc.assert(
      fc.asyncProperty(path, fc.oneof(fc.json(), fc.string(), fc.string({ unit: 'binary' })), async (url, text) => {
        fair(await client.call('POST', url, text));
      }),
      { numRuns: 300 },
    );
  });

  it('in the query, the id and If-Match', async () => {
    const names = fc.oneof(
      fc.constantFrom(...attributeNames, 'limit', 'marker', 'page_reverse', 'fields', 'sort_key', 'sort_dir'),
      fc.string(),
    );
    const query = fc.array(fc.tuple(names, fc.string({ unit: 'binary' })), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        path,
        query,
        fc.string({ unit: 'binary', minLength: 1 }),
        fc.string(),
        async (url, pairs, id, condition) => {
          fair(
            await client.call(
              'GET',
              `${url}?${pairs.map(([name, text]) => `${wellFormed(name)}=${wellFormed(text)}`).join('&')}`,
            ),
          );
          fair(
            await client.call('DELETE', `${url}/${wellFormed(id)}`, undefined, {
              'if-match': condition.replaceAll(/[^\x20-\x7e]/g, ''),
            }),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
