import { request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../store/src/testing/region.ts';
import { type Answer, startTestRegion, type TestRegion } from './testing/region.ts';
import { type HeardLine, readWatch } from './testing/watcher.ts';

let region: TestRegion;

beforeAll(async () => {
  region = await startTestRegion();
  await region.host('h1');
  await region.host('h2');
});

afterAll(() => region.close());

const refused = (status: number, words: string) => ({
  status,
  body: { NeutronError: { message: expect.stringContaining(words) } },
});
const isBookmark = ({ type }: HeardLine): boolean => type === 'BOOKMARK';
const unknownId = '00000000-0000-4000-8000-00000000dead';
const watchUrl = (query: string): string => `${region.url}/alcor/v1/goal-states/watch?${query}`;
const kindsOf = (heard: readonly HeardLine[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { kind = 'bookmark' } of heard) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

async function describedManager() {
  const { status, body } = await region.call('GET', '/alcor/v1/config-manager');
  expect(status).toBe(200);
  return body['config_manager'] as { hosts: Record<string, number>; on_demand: object };
}

describe('the config manager', () => {
  it('says how its hosts stand, how much they hold on demand and what it has answered', async () => {
    await eventually(
      async () => Object.values((await describedManager()).hosts).reduce((sum, count) => sum + count, 0) >= 2,
    );
    const { hosts, on_demand: onDemand } = await describedManager();
    expect(Object.keys(hosts).toSorted()).toEqual(['connecting', 'synchronised', 'synchronising', 'unreachable']);
    expect(onDemand).toEqual({
      vpcs: 0,
      neighbors: 0,
      learnt: 0,
      learnt_at_most: 8_000_000,
      answers: { routable: 0, not_routable: 0, later: 0, invalid: 0 },
      predictions: {
        predicted: 0,
        used: 0,
        wasted: 0,
        late: 0,
        open: 0,
        left_out: 0,
        remembered: 0,
        remembered_at_most: 500_000,
      },
    });
  });
});

describe('a watch', () => {
  it('of a VPC says all that its hosts must know, and goes on from where it was broken off', async () => {
    const { id } = await region.network(['h1', 'h2']);
    await eventually(() => (region.delivery.goals.topics.get(`vpc/${id}`)?.size ?? 0) >= 5);
    const first = await readWatch(watchUrl(`vpc=${id}`), isBookmark);
    expect(first.status).toBe(200);
    expect(kindsOf(first.heard)).toEqual({ vpc: 1, subnet: 1, 'security-group': 1, neighbor: 2, bookmark: 1 });
    const neighbour = first.heard.find(({ kind }) => kind === 'neighbor');
    expect(neighbour?.state).toMatchObject({ vpcId: id, macAddress: expect.stringMatching(/^fa:16:3e/) });
    const from = first.heard.at(-1)?.revision ?? '';
    const port = await region.call('POST', '/v2.0/ports', { port: { network_id: id, 'binding:host_id': 'h1' } });
    expect(port.status).toBe(201);
    const second = await readWatch(watchUrl(`vpc=${id}&from=${from}`), ({ kind }) => kind === 'neighbor');
    expect(second.heard.filter(({ kind }) => kind !== undefined)).toMatchObject([{ type: 'UPDATE', kind: 'neighbor' }]);
    await region.call('DELETE', `/v2.0/ports/${(port.body['port'] as { id: string }).id}`);
    const third = await readWatch(
      watchUrl(`vpc=${id}&from=${second.heard.at(-1)?.revision}`),
      ({ type }) => type === 'DELETE',
    );
    expect(third.heard.at(-1)).toMatchObject({ kind: 'neighbor', state: { id: second.heard.at(-1)?.id } });
  });

  it('of a host says its ports', async () => {
    await region.host('lonely');
    const { ports } = await region.network(['lonely']);
    const { heard } = await readWatch(watchUrl('host=lonely'), ({ kind }) => kind === 'port');
    expect(heard.at(-1)).toMatchObject({ type: 'UPDATE', kind: 'port', id: ports[0] });
  });

  it('ends with the snapshot where that was all that was wanted', async () => {
    const { id } = await region.network([]);
    const { heard } = await readWatch(watchUrl(`vpc=${id}&follow=false`), () => false);
    expect(heard.at(-1)?.type).toBe('BOOKMARK');
  });

  it('ends with its network', async () => {
    const { id } = await region.network([]);
    const { heard } = await readWatch(watchUrl(`vpc=${id}`), (line) => {
      if (isBookmark(line)) void region.call('DELETE', `/v2.0/networks/${id}`);
      return false;
    });
    expect(heard.at(-1)).toMatchObject({ type: 'DELETE', kind: 'vpc', id });
    expect(await region.call('GET', `/alcor/v1/goal-states/watch?vpc=${id}`)).toMatchObject(refused(404, id));
  });

  it.each<[string, number, string]>([
    ['', 400, "One of 'host' and 'vpc'"],
    [`vpc=${unknownId}&host=h1`, 400, "One of 'host' and 'vpc'"],
    ['vpc=x', 400, 'Invalid input for vpc'],
    ['host=h1&host=h2', 400, 'Invalid input for host'],
    ['host=h1&from=yesterday', 400, "'yesterday' is no revision"],
    ['host=h1&follow=perhaps', 400, 'Invalid input for follow'],
    ['host=h1&colour=red', 400, 'colour'],
    [`vpc=${unknownId}`, 404, unknownId],
    ['host=nobody', 404, 'nobody'],
    ['host=h1&from=0123456789ab-1', 410, 'Begin anew'],
  ])('of %s is refused with %i', async (query, status, words) => {
    expect(await region.call('GET', `/alcor/v1/goal-states/watch?${query}`)).toMatchObject(refused(status, words));
  });

  it('that is broken off anywhere and resumed from its last line leads to the same as one that is not', async () => {
    const { id } = await region.network(['h1', 'h2']);
    const portIds: string[] = [];
    const held = new Map<string, unknown>();
    let from = '';
    const read = async (lines: number): Promise<void> => {
      const query = `vpc=${id}${from === '' ? '' : `&from=${from}`}`;
      const { heard } = await readWatch(
        watchUrl(query),
        (line, all) => all.length >= lines || (isBookmark(line) && all.length > 0),
      );
      for (const { type, kind, id: goal, revision, state } of heard) {
        if (type === 'UPDATE') held.set(`${kind}/${goal}`, state);
        if (type === 'DELETE') held.delete(`${kind}/${goal}`);
        from = revision ?? from;
      }
    };
    const step = fc.oneof(
      fc.constant('add' as const),
      fc.constant('remove' as const),
      fc.record({ read: fc.integer({ min: 1, max: 5 }) }),
    );
    const steps = fc.sample(step, { numRuns: 80, seed: 7 });
    for (const each of steps) {
      if (each === 'add') {
        const port = { network_id: id, 'binding:host_id': portIds.length % 2 === 0 ? 'h1' : 'h2' };
        const { body } = await region.call('POST', '/v2.0/ports', { port });
        portIds.push((body['port'] as { id: string }).id);
      } else if (each === 'remove') {
        const gone = portIds.shift();
        if (gone !== undefined) await region.call('DELETE', `/v2.0/ports/${gone}`);
      } else await read(each.read);
    }
    const [atFirst, others] = [2, ['vpc', 'subnet', 'security-group'].length];
    const wanted = portIds.length + atFirst + others;
    await eventually(() => region.delivery.goals.topics.get(`vpc/${id}`)?.size === wanted);
    await read(10_000);
    const whole = await readWatch(watchUrl(`vpc=${id}&follow=false`), () => false);
    const truth = new Map(
      whole.heard.flatMap((line) => (line.type === 'UPDATE' ? [[`${line.kind}/${line.id}`, line.state]] : [])),
    );
    expect(new Map([...held].sort())).toEqual(new Map([...truth].sort()));
    expect(held.size).toBe(wanted);
  });

  it('that nobody reads holds no more than a batch, and nobody up', async () => {
    const { id } = await region.network([]);
    const topic = region.delivery.goals.topic(`vpc/${id}`);
    const goal = (n: number, size: number) =>
      ({ kind: 'subnet', state: { id: `s${n}`, vpcId: id, name: 'x'.repeat(size) } }) as never;
    for (let n = 0; n < 5_000; n++) topic.put(`subnet/s${n}`, goal(n, 2_000));
    let taken = 0;
    const take = topic.take.bind(topic);
    topic.take = (subscription, limit) => {
      const entries = take(subscription, limit);
      taken += entries.length;
      return entries;
    };
    const asking = request(watchUrl(`vpc=${id}`), (response) => response.pause());
    asking.on('error', () => {});
    asking.end();
    let before = -1;
    await eventually(async () => {
      const isStill = taken > 0 && taken === before;
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return isStill;
    });
    // What fits the sockets and one batch, of 10 MB.
    expect(taken).toBeLessThan(4_000);
    const other = await readWatch(watchUrl(`vpc=${id}&follow=false`), () => false);
    expect(other.heard.length).toBeGreaterThan(5_000);
    asking.destroy();
  });
});

describe('topics', () => {
  it('show how a VPC is carried and who is in it', async () => {
    const { id } = await region.network(['h1', 'h2', 'h1']);
    await eventually(() => region.manager.hostsIn(id).length === 2);
    await eventually(async () => {
      const { body } = await region.call('GET', `/alcor/v1/topics/${id}`);
      const topic = body['topic'] as { ports: number; subscribers: { wanted: number; applied: number }[] };
      // The third port is on a host that is there already.
      if (topic.ports < 3 || topic.subscribers.length < 2) return false;
      return topic.subscribers.every(({ wanted, applied }) => wanted > 0 && wanted === applied);
    });
    const { body } = await region.call('GET', `/alcor/v1/topics/${id}`);
    expect(body).toMatchObject({
      topic: {
        topic: `vpc-${id}`,
        vpc_id: id,
        channel: 'grpc',
        override: 'automatic',
        ports: 3,
        messages: 6,
        bytes: null,
        hosts: 2,
        subscribers: [
          { host_id: 'h1', key: 'h1', channel: 'grpc' },
          { host_id: 'h2', key: 'h2', channel: 'grpc' },
        ],
      },
      next: null,
    });
    const page = await region.call('GET', `/alcor/v1/topics/${id}?limit=1`);
    expect(page.body).toMatchObject({ topic: { hosts: 2, subscribers: [{ host_id: 'h1' }] }, next: 'h1' });
    const rest = await region.call('GET', `/alcor/v1/topics/${id}?limit=1&marker=h1`);
    expect(rest.body).toMatchObject({ topic: { subscribers: [{ host_id: 'h2' }] }, next: null });
  });

  it('are listed page by page', async () => {
    const seen: string[] = [];
    for (let marker: string | null = ''; marker !== null;) {
      const { status, body }: Answer = await region.call(
        'GET',
        `/alcor/v1/topics?limit=2${marker === '' ? '' : `&marker=${marker}`}`,
      );
      expect(status).toBe(200);
      seen.push(...(body['topics'] as { vpc_id: string }[]).map(({ vpc_id: vpcId }) => vpcId));
      marker = body['next'] as string | null;
    }
    const { body } = await region.call('GET', '/v2.0/networks?fields=id');
    expect(seen.sort()).toEqual((body['networks'] as { id: string }[]).map(({ id }) => id).sort());
  });

  it('are overridden, with words where that cannot be', async () => {
    const { id } = await region.network([]);
    const put = (topic: object): Promise<Answer> => region.call('PUT', `/alcor/v1/topics/${id}`, { topic });
    expect(await put({ channel: 'grpc' })).toMatchObject({ status: 200, body: { topic: { override: 'grpc' } } });
    await eventually(async () => {
      const shown = await region.call('GET', `/alcor/v1/topics/${id}`);
      return (shown.body['topic'] as { override: string }).override === 'grpc';
    });
    expect(await put({ channel: 'automatic' })).toMatchObject({ body: { topic: { override: 'automatic' } } });
    expect(await put({ channel: 'mq' })).toMatchObject(refused(400, "channel. Reason: 'mq' needs a message queue"));
    expect(await put({ channel: 'pigeon' })).toMatchObject(refused(400, 'Invalid input for channel'));
    expect(await put({})).toMatchObject(refused(400, "'channel' not specified"));
    expect(await put({ channel: 'grpc', speed: 9 })).toMatchObject(refused(400, 'speed'));
    const unknown = await region.call('PUT', `/alcor/v1/topics/${unknownId}`, { topic: { channel: 'grpc' } });
    expect(unknown).toMatchObject(refused(404, unknownId));
    expect(await region.call('GET', '/alcor/v1/topics/nonsense')).toMatchObject(refused(404, 'nonsense'));
    expect(await region.call('GET', '/alcor/v1/topics?limit=0')).toMatchObject(refused(400, 'limit'));
    expect((await region.call('DELETE', `/alcor/v1/topics/${id}`)).status).toBe(405);
  });
});

describe('goal states', () => {
  it('of a host: wanted, sent and applied, until all three are the same', async () => {
    const { id } = await region.network(['h1']);
    interface Shown {
      readonly state: string;
      readonly vpcs: { vpc_id: string; wanted: number; sent: number; applied: number }[];
    }
    const shown = async (): Promise<Shown> =>
      (await region.call('GET', '/alcor/v1/goal-states?host=h1')).body['goal_states'] as Shown;
    await eventually(async () => {
      const vpc = (await shown()).vpcs.find(({ vpc_id: vpcId }) => vpcId === id);
      return vpc !== undefined && vpc.wanted > 0 && vpc.applied === vpc.wanted;
    });
    expect(await shown()).toMatchObject({
      host_id: 'h1',
      controller: 'controller-1',
      state: 'synchronised',
      reason: '',
      failures: [],
      failures_left_out: 0,
    });
    const vpc = await region.call('GET', `/alcor/v1/goal-states?vpc=${id}`);
    expect(vpc.body).toMatchObject({ goal_states: { vpc_id: id, hosts: 1, subscribers: [{ host_id: 'h1' }] } });
    expect(await region.call('GET', '/alcor/v1/goal-states?host=nobody')).toMatchObject(refused(404, 'nobody'));
    expect(await region.call('GET', '/alcor/v1/goal-states')).toMatchObject(refused(400, "One of 'host' and 'vpc'"));
  });

  it('are said again when that is asked for', async () => {
    const { id } = await region.network(['h1', 'h2']);
    await eventually(() => region.manager.hostsIn(id).length === 2);
    const push = (body: object): Promise<Answer> => region.call('POST', '/alcor/v1/goal-states/push', body);
    expect(await push({ vpc: id })).toEqual({ status: 202, body: { push: { hosts: 2 } } });
    expect(await push({ host: 'h1' })).toEqual({ status: 202, body: { push: { hosts: 1 } } });
    expect(await push({})).toMatchObject(refused(400, "One of 'host' and 'vpc'"));
    expect(await push({ host: 7 })).toMatchObject(refused(400, 'Invalid input for host'));
    expect(await push({ vpc: unknownId })).toMatchObject(refused(404, unknownId));
    await eventually(() =>
      (region.manager.goalStates('h1')?.vpcs ?? []).every(({ wanted, applied }) => wanted === applied),
    );
  });

  it('are for those that run the region', async () => {
    const member = { 'x-project-id': 'p', 'x-roles': 'member' };
    for (const [method, path, rule] of [
      ['GET', '/alcor/v1/topics', 'get_topic'],
      ['PUT', `/alcor/v1/topics/${unknownId}`, 'update_topic'],
      ['GET', '/alcor/v1/goal-states?host=h1', 'get_goal_state'],
      ['GET', '/alcor/v1/goal-states/watch?host=h1', 'get_goal_state'],
      ['POST', '/alcor/v1/goal-states/push', 'push_goal_state'],
    ] as const) {
      expect(await region.call(method, path, undefined, member)).toMatchObject(refused(403, `rule:${rule}`));
    }
  });

  it('and topics are in the OpenAPI document', async () => {
    const { body } = await region.call('GET', '/openapi.json');
    const paths = body['paths'] as Readonly<Record<string, object>>;
    expect(Object.keys(paths['/alcor/v1/topics/{id}'] ?? {})).toEqual(['parameters', 'get', 'put']);
    expect(paths['/alcor/v1/goal-states/watch']).toMatchObject({
      get: { responses: { 200: { content: { 'application/x-ndjson': {} } } } },
    });
    expect(paths['/alcor/v1/nodes/{id}/heartbeat']).toBeDefined();
  });
});

// The last one: it takes hosts away from this controller.
describe('a host that another controller drives', () => {
  it('is said to be elsewhere, and where', async () => {
    const ids = Array.from({ length: 12 }, (_, n) => `shared-${n}`);
    const nodes = ids.map((id, n) => ({ id, ip: `198.51.100.${n}`, agent_address: `${id}:1` }));
    expect((await region.call('POST', '/alcor/v1/nodes', { nodes })).status).toBe(201);
    const other = await region.store.enterLeases('controller-2');
    const elsewhere = async (): Promise<string | undefined> => {
      await region.store.renewLeases(other, 60_000);
      for (const id of ids) {
        const { body } = await region.call('GET', `/alcor/v1/goal-states?host=${id}`);
        const shown = body['goal_states'] as { readonly state: string; readonly controller: string };
        if (shown.controller === 'controller-2' && shown.state === 'elsewhere') return id;
      }
      return undefined;
    };
    let found: string | undefined;
    await eventually(async () => (found = await elsewhere()) !== undefined);
    const push = await region.call('POST', '/alcor/v1/goal-states/push', { host: found });
    expect(push).toMatchObject(refused(409, `Node ${found} is driven by controller controller-2`));
    await region.store.leaveLeases(other);
  });
});
