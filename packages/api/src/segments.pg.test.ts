import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, type TestStore, startTestServer } from '../../store/src/testing/region.ts';
import { type Answer, type Client, type Row, clientOf } from './testing/client.ts';

const unknownId = '00000000-0000-4000-8000-00000000dead';
const member = { 'x-project-id': 'p', 'x-roles': 'member,reader' };
const limits = { firstVni: 100, lastVni: 129 };

let server: TestServer;
let store: TestStore;
let client: Client;

beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  store = await server.openFresh({ limits });
  client = clientOf(store);
});
afterAll(() => server.close());

const refused = (status: number, type: string) => ({ status, body: { NeutronError: { type } } });
const rangeOf = (minimum: number, maximum: number, more: object = {}): Promise<Row> =>
  client.make('network_segment_range', { minimum, maximum, ...more });
const ownOf = (project: string, minimum: number, maximum: number): Promise<Row> =>
  rangeOf(minimum, maximum, { shared: false, project_id: project });
const tryRange = (attributes: object): Promise<Answer> =>
  client.call('POST', '/v2.0/network-segment-ranges', { network_segment_range: attributes });
const changeRange = ({ id }: { readonly id: string }, attributes: object): Promise<Answer> =>
  client.call('PUT', `/v2.0/network-segment-ranges/${id}`, { network_segment_range: attributes });
const dropRange = ({ id }: { readonly id: string }): Promise<Answer> =>
  client.call('DELETE', `/v2.0/network-segment-ranges/${id}`);
const networkOf = (project: string, more: object = {}): Promise<Row> =>
  client.make('network', { project_id: project, ...more });
const vniOf = (network: Row): number => network['provider:segmentation_id'] as number;

async function listed(path: string, plural: string): Promise<readonly Row[]> {
  const { status, body } = await client.call('GET', `/v2.0/${path}`);
  expect(status).toBe(200);
  return body[plural] as unknown as readonly Row[];
}

async function showRange({ id }: { readonly id: string }): Promise<Row> {
  const { body } = await client.call('GET', `/v2.0/network-segment-ranges/${id}`);
  return body['network_segment_range'] as unknown as Row;
}

async function defaultRange(): Promise<Row> {
  const [row, ...others] = await listed('network-segment-ranges?default=true', 'network_segment_ranges');
  expect(others).toEqual([]);
  return row as Row;
}

describe('segments', () => {
  it('come and go with their networks, also in bulk', async () => {
    const { body } = await client.call('POST', '/v2.0/networks', { networks: [{ name: 'a' }, { name: 'b' }] });
    expect(await listed('segments', 'segments')).toHaveLength(2);
    const [network] = body.networks as readonly [Row];
    const [segment] = (await listed(`segments?network_id=${network.id}`, 'segments')) as [Row];
    expect(segment).toMatchObject({
      network_id: network.id,
      network_type: 'vxlan',
      physical_network: null,
      segmentation_id: vniOf(network),
      name: null,
      revision_number: 1,
    });
    await client.call('DELETE', `/v2.0/networks/${network.id}`);
    expect(await client.call('GET', `/v2.0/segments/${segment.id}`)).toMatchObject(refused(404, 'SegmentNotFound'));
    expect(await listed('segments', 'segments')).toHaveLength(1);
  });

  it('are listed by VNI, kind and name, and sorted', async () => {
    const [a, b] = [await networkOf('p'), await networkOf('p')];
    const [first] = (await listed(`segments?segmentation_id=${vniOf(a)}`, 'segments')) as [Row];
    expect(first['network_id']).toBe(a.id);
    await client.call('PUT', `/v2.0/segments/${first.id}`, { segment: { name: 'n', description: 'd' } });
    expect(await listed('segments?name=n', 'segments')).toMatchObject([{ id: first.id, description: 'd' }]);
    expect(await listed('segments?network_type=vlan', 'segments')).toEqual([]);
    const sorted = await listed('segments?sort_key=segmentation_id&sort_dir=desc', 'segments');
    const highestFirst = [vniOf(a), vniOf(b)].toSorted((x, y) => y - x);
    expect(sorted.map((row) => row['segmentation_id'])).toEqual(highestFirst);
  });

  it('are one for each network: a second is refused, and so is having none', async () => {
    const network = await networkOf('p');
    const make = (attributes: object): Promise<Answer> =>
      client.call('POST', '/v2.0/segments', { segment: { network_type: 'vxlan', ...attributes } });
    expect(await make({ network_id: network.id })).toMatchObject(refused(400, 'InvalidInput'));
    expect(await make({ network_id: unknownId })).toMatchObject(refused(404, 'NetworkNotFound'));
    expect(await make({ network_id: network.id, network_type: 'vlan' })).toMatchObject(refused(400, 'InvalidInput'));
    const [segment] = (await listed('segments', 'segments')) as [Row];
    expect(await client.call('DELETE', `/v2.0/segments/${segment.id}`)).toMatchObject(refused(409, 'SegmentInUse'));
    expect(await listed('segments', 'segments')).toEqual([segment]);
    expect(await client.call('DELETE', `/v2.0/segments/${unknownId}`)).toMatchObject(refused(404, 'SegmentNotFound'));
  });

  it('are the administrator’s', async () => {
    const network = await networkOf('p');
    const [segment] = (await listed('segments', 'segments')) as [Row];
    expect((await client.call('GET', '/v2.0/segments', undefined, member)).body).toEqual({ segments: [] });
    expect((await client.call('GET', `/v2.0/segments/${segment.id}`, undefined, member)).status).toBe(404);
    const wish = { segment: { network_id: network.id } };
    expect((await client.call('POST', '/v2.0/segments', wish, member)).status).toBe(403);
  });
});

describe('the default range of VNIs', () => {
  it('is what the region is configured with, shows what is used, and is read only', async () => {
    const network = await networkOf('p');
    const row = await defaultRange();
    expect(row).toMatchObject({ shared: true, project_id: null, network_type: 'vxlan', minimum: 100, maximum: 129 });
    expect(row['used']).toEqual({ [vniOf(network)]: 'p' });
    const all = Array.from({ length: 30 }, (_, n) => 100 + n);
    expect(row['available']).toEqual(all.filter((vni) => vni !== vniOf(network)));
    expect(await changeRange(row, { name: 'x' })).toMatchObject(refused(400, 'NetworkSegmentRangeDefaultReadOnly'));
    expect(await dropRange(row)).toMatchObject(refused(400, 'NetworkSegmentRangeDefaultReadOnly'));
  });

  it('follows the configuration, and stays as it was where none is given', async () => {
    const { id } = await defaultRange();
    await store.another({ limits: { firstVni: 200, lastVni: 300 } });
    await store.another({ limits: {} });
    expect(await defaultRange()).toMatchObject({ id, minimum: 200, maximum: 300, revision_number: 2 });
  });

  it('shows no more free VNIs than can be read', async () => {
    await store.another({ limits: { firstVni: 1, lastVni: 16_777_215 } });
    await networkOf('p', { 'provider:segmentation_id': 3 });
    const available = (await defaultRange())['available'] as readonly number[];
    expect([available.length, available.slice(0, 3)]).toEqual([4096, [1, 2, 4]]);
  });
});

describe('a project’s own range of VNIs', () => {
  it('gives its networks theirs, and those of no other', async () => {
    await ownOf('p', 100, 109);
    const made = await Promise.all(Array.from({ length: 20 }, (_, n) => networkOf(n % 2 ? 'p' : 'q')));
    const vnis = (project: string): readonly number[] => made.filter((row) => row['project_id'] === project).map(vniOf);
    expect(vnis('p').every((vni) => vni <= 109)).toBe(true);
    expect(vnis('q').every((vni) => vni >= 110)).toBe(true);
    expect(new Set(made.map(vniOf)).size).toBe(20);
    // Its own are used up: what belongs to nobody comes next.
    expect(vniOf(await networkOf('p'))).toBeGreaterThanOrEqual(110);
  });

  it('is not broken into when all else is used up', async () => {
    await ownOf('p', 100, 128);
    expect(vniOf(await networkOf('q'))).toBe(129);
    const again = await client.call('POST', '/v2.0/networks', { network: { project_id: 'q' } });
    expect(again).toMatchObject(refused(503, 'NoNetworkAvailable'));
    expect(vniOf(await networkOf('p'))).toBeLessThan(129);
  });

  it('is shared out once by two processes', async () => {
    await ownOf('p', 100, 119);
    const other = clientOf(await store.another());
    const wish = { network: { project_id: 'p' } };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? client : other).call('POST', '/v2.0/networks', wish)),
    );
    const vnis = answers.map(({ body }) => vniOf(body.network));
    expect(vnis.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => 100 + n));
  });

  it('may change and go as long as no network of its project loses its VNI', async () => {
    const range = await ownOf('p', 100, 109);
    const network = await networkOf('p', { 'provider:segmentation_id': 105 });
    await networkOf('q', { 'provider:segmentation_id': 109 });
    expect((await showRange(range))['used']).toEqual({ 105: 'p', 109: 'q' });
    const inUse = refused(409, 'NetworkSegmentRangeReferencedByProject');
    expect(await changeRange(range, { minimum: 106 })).toMatchObject(inUse);
    expect(await changeRange(range, { minimum: 105 })).toMatchObject(inUse);
    expect(await changeRange(range, { maximum: 104 })).toMatchObject(inUse);
    expect(await dropRange(range)).toMatchObject(inUse);
    expect((await changeRange(range, { minimum: 104, maximum: 106, name: 'n' })).status).toBe(200);
    expect(await showRange(range)).toMatchObject({ name: 'n', minimum: 104, maximum: 106, available: [104, 106] });
    await client.call('DELETE', `/v2.0/networks/${network.id}`);
    expect((await dropRange(range)).status).toBe(204);
    expect(await dropRange(range)).toMatchObject(refused(404, 'NetworkSegmentRangeNotFound'));
  });

  it('is not lost to a network that is made meanwhile', async () => {
    // Out of what belongs to nobody: who has a VNI of it had it of the range.
    for (let round = 0; round < 8; round++) {
      const range = await ownOf('p', 500, 504);
      const [made, dropped] = await Promise.all([networkOf('p'), dropRange(range)]);
      expect([vniOf(made) >= 500, dropped.status]).toEqual(dropped.status === 409 ? [true, 409] : [false, 204]);
      await client.call('DELETE', `/v2.0/networks/${made.id}`);
      await dropRange(range);
    }
  });
});

describe('a range of VNIs', () => {
  it('overlaps no other but the default one, also when two are made at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, n) => tryRange({ minimum: 100 + n, maximum: 110 + n, name: `${n}` })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409]);
    expect(await tryRange({ minimum: 105, maximum: 105 })).toMatchObject(refused(409, 'NetworkSegmentRangeOverlaps'));
    const beside = await rangeOf(120, 125);
    expect(await changeRange(beside, { minimum: 105 })).toMatchObject(refused(409, 'NetworkSegmentRangeOverlaps'));
  });

  it('that is shared gives VNIs to all, beyond the default one too', async () => {
    const range = await rangeOf(500, 501);
    expect(range).toMatchObject({ shared: true, project_id: null, default: false, available: [500, 501] });
    const made = await Promise.all(Array.from({ length: 32 }, (_, n) => networkOf(`p${n}`)));
    expect(made.map(vniOf).filter((vni) => vni >= 500)).toHaveLength(2);
    expect(await dropRange(range)).toMatchObject(refused(409, 'NetworkSegmentRangeReferencedByProject'));
  });

  it.each([
    ['the wrong way round', { minimum: 9, maximum: 8 }, 'InvalidInput', 'minimum 9 is above maximum 8'],
    ['below all VNIs', { minimum: 0, maximum: 8 }, 'HTTPBadRequest', 'minimum'],
    ['above all VNIs', { minimum: 1, maximum: 2 ** 24 }, 'HTTPBadRequest', 'maximum'],
    ['without an end', { minimum: 1 }, 'HTTPBadRequest', 'maximum'],
    ['of another kind', { minimum: 1, maximum: 2, network_type: 'vlan' }, 'HTTPBadRequest', 'network_type'],
  ])('%s is refused', async (_, attributes, type, words) => {
    const answer = await tryRange(attributes);
    expect(answer).toMatchObject(refused(400, type));
    expect(answer.body.NeutronError.message).toContain(words);
  });

  it('is the administrator’s, has labels, and is listed by what it is', async () => {
    const range = await ownOf('p', 100, 109);
    const tagged = await client.call('PUT', `/v2.0/network-segment-ranges/${range.id}/tags`, { tags: ['t'] });
    expect(tagged.status).toBe(200);
    const found = await listed('network-segment-ranges?project_id=p&shared=false&tags=t', 'network_segment_ranges');
    expect(found.map(({ id }) => id)).toEqual([range.id]);
    const path = '/v2.0/network-segment-ranges';
    expect((await client.call('GET', path, undefined, member)).body).toEqual({ network_segment_ranges: [] });
    expect((await client.call('GET', `${path}/${range.id}`, undefined, member)).status).toBe(404);
    const wish = { network_segment_range: { minimum: 1, maximum: 2 } };
    expect((await client.call('POST', path, wish, member)).status).toBe(403);
  });
});
