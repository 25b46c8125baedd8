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
  const port = await client.make('port', { network_id: network.id });
  const node = await client.make('node', { id: 'h', ip: '192.0.2.1', agent_address: 'h:1' });
  ids = [network.id, subnet.id, port.id, node.id];
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

  it('are taken for JSON when they do not say what they are', async () => {
    const payload = Buffer.from('{"network": {"name": "plain"}}');
    const answer = await client.app.inject({ method: 'POST', url: '/v2.0/networks', payload });
    expect(answer.statusCode).toBe(201);
    expect(answer.json().network.name).toBe('plain');
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
  fc.constantFrom<unknown>(
    '10.0.0.0/24',
    '10.0.0.1',
    'fd00::/64',
    '0.0.0.0/0',
    '::/0',
    '10.9.0.0/32',
    4,
    6,
    true,
    'false',
    '2'.repeat(30),
    null,
    [],
    {},
  ),
  fc.constantFrom<unknown>(
    [{ ip_address: '10.0.0.9' }],
    [{ start: '10.0.0.9', end: '10.0.0.1' }],
    [{ destination: '::/0', nexthop: '10.0.0.1' }],
  ),
);
const attributes = fc.dictionary(
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...attributeNames) }, fc.string()),
  value,
  { maxKeys: 6 },
);

const few = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(arbitrary, { maxLength: 3 });

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

  it('in a body that is plausible: some are taken, none fails', async () => {
    const addresses = [
      '10.0.0.0',
      '10.0.0.1',
      '10.0.0.9',
      '10.0.0.255',
      '10.7.0.1',
      '0.0.0.0',
      '255.255.255.255',
      'fd00::',
      'fd00::9',
      '::',
    ];
    const ip = fc.constantFrom(...addresses);
    const block = fc.tuple(ip, fc.nat(32)).map((pair) => pair.join('/'));
    const subnet = fc.record(
      {
        cidr: block,
        ip_version: fc.constantFrom(4, 6),
        gateway_ip: fc.option(ip),
        enable_dhcp: fc.boolean(),
        allocation_pools: few(fc.record({ start: ip, end: ip })),
        host_routes: few(fc.record({ destination: block, nexthop: ip })),
      },
      { requiredKeys: ['cidr', 'ip_version'] },
    );
    const fixedIp = fc.record({ subnet_id: fc.constantFrom(...ids), ip_address: ip }, { requiredKeys: [] });
    const port = fc.record(
      {
        fixed_ips: few(fixedIp),
        mac_address: fc.constantFrom('fa:16:3e:00:00:01', 'fa-16-3e-00-00-02'),
        'binding:host_id': fc.constantFrom('h', '', null),
      },
      { requiredKeys: [] },
    );
    const statuses = new Set<number>();
    const item = fc.oneof(
      subnet.map((one) => ['subnet', one] as const),
      port.map((one) => ['port', one] as const),
    );
    await fc.assert(
      fc.asyncProperty(item, fc.boolean(), async ([singular, given], fresh) => {
        const networkId = fresh ? (await client.make('network', {})).id : ids[0];
        const made = await client.call('POST', `/v2.0/${singular}s`, {
          [singular]: { network_id: networkId, ...given },
        });
        fair(made);
        statuses.add(made.status);
        const { cidr: _, ip_version: __, ...change } = given as Record<string, unknown>;
        fair(
          await client.call('PUT', `/v2.0/${singular}s/${singular === 'subnet' ? ids[1] : ids[2]}`, {
            [singular]: change,
          }),
        );
      }),
      { numRuns: 200 },
    );
    expect([...statuses]).toEqual(expect.arrayContaining([201, 400]));
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
