import { type CmsNode, cloudMessaging, type GoalStates, GoalStatesRequest, NodeSettings } from '@alcor/contract';
import type { Nodes } from '@alcor/contract';
import { goalsOf } from '@alcor/contract';
import type { Caller, Identity } from '@alcor/identity';
import { AlcorError } from '@alcor/network';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../store/src/testing/region.ts';
import { GrpcClient, refusedBy } from './testing/grpc-client.ts';
import { startTestRegion, type TestRegion } from './testing/region.ts';

const caller = (roles: readonly string[]): Caller => ({
  userId: 'u',
  userName: 'u',
  projectId: 'p',
  projectName: 'p',
  domainId: 'default',
  roles,
  isAdmin: roles.includes('admin'),
});

/** Tokens are roles. */
const identity: Identity = {
  challenge: undefined,
  authenticate: (token) =>
    token === ''
      ? Promise.reject(new AlcorError('Unauthorized', 'The request you have made requires authentication.'))
      : Promise.resolve(caller([token])),
};

let region: TestRegion;
let client: GrpcClient;

beforeAll(async () => {
  region = await startTestRegion({ identity, policy: new Map([['create_node', 'service' as const]]) });
  client = new GrpcClient(region.address, 'admin');
});

afterAll(async () => {
  client.close();
  await region.close();
});

const scope = (value: GoalStatesRequest['scope'], rest: Partial<GoalStatesRequest> = {}): GoalStatesRequest =>
  GoalStatesRequest.fromPartial({ scope: value, ...rest });
const ofVpc = (id: string, rest: Partial<GoalStatesRequest> = {}): GoalStatesRequest =>
  scope({ $case: 'vpcId', value: id }, rest);
const kindsOf = ({ goalStates }: GoalStates): readonly string[] =>
  (goalStates === undefined ? [] : goalsOf(goalStates)).map(({ goal, removed }) => `${removed ? '-' : ''}${goal.kind}`);
const node = (settings: Partial<NodeSettings>): NodeSettings => NodeSettings.fromPartial(settings);

describe('nodes', () => {
  it('register themselves, again without harm, and are heard of', async () => {
    const settings = node({
      id: 'n1',
      ip: '192.0.2.101',
      agentAddress: 'n1:50001',
      availabilityZone: 'east',
      maxPorts: 40,
    });
    const made = await client.call(cloudMessaging.registerNode, settings);
    expect(made).toMatchObject({ id: 'n1', name: 'n1', availabilityZone: 'east', maxPorts: 40, revisionNumber: 1 });
    expect(await client.call(cloudMessaging.registerNode, settings)).toMatchObject({
      revisionNumber: 1,
      heartbeatAt: '',
    });
    const moved = await client.call(cloudMessaging.registerNode, node({ id: 'n1', agentAddress: 'n1:50002' }));
    expect(moved).toMatchObject({ agentAddress: 'n1:50002', ip: '192.0.2.101', maxPorts: 40, revisionNumber: 2 });
    expect(await client.call(cloudMessaging.heartbeat, { id: 'n1' })).toMatchObject({
      heartbeatAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const { body } = await region.call('GET', '/alcor/v1/nodes/n1', undefined, { 'x-auth-token': 'admin' });
    expect(body).toMatchObject({ node: { alive: true, availability_zone: 'east', max_ports: 40 } });
    const zones = await region.call('GET', '/v2.0/availability_zones?name=east', undefined, {
      'x-auth-token': 'admin',
    });
    expect(zones.body['availability_zones']).toHaveLength(2);
  });

  it('of many at once with one id, one registers, and the others see it', async () => {
    const settings = node({ id: 'twin', ip: '192.0.2.102', agentAddress: 'twin:1' });
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => client.call(cloudMessaging.registerNode, settings)),
    );
    for (const answer of answers) expect(answer).toMatchObject({ id: 'twin', revisionNumber: 1 });
  });

  it('are set: draining, zones, room without a limit again', async () => {
    await client.call(
      cloudMessaging.registerNode,
      node({ id: 'n2', ip: '192.0.2.103', agentAddress: 'n2:1', maxPorts: 1 }),
    );
    const set = await client.call(cloudMessaging.setNode, node({ id: 'n2', draining: true, maxPorts: -1 }));
    expect(set).toMatchObject({ draining: true, maxPorts: -1, availabilityZone: 'nova' });
    expect(await client.call(cloudMessaging.setNode, node({ id: 'n2', draining: false }))).toMatchObject({
      draining: false,
      maxPorts: -1,
    });
  });

  it.each([
    [node({ id: 'n 3', ip: '192.0.2.9', agentAddress: 'a:1' }), 'INVALID_ARGUMENT', 'Invalid input for id'],
    [node({ id: 'n3', ip: 'here', agentAddress: 'a:1' }), 'INVALID_ARGUMENT', 'Invalid input for ip'],
    [
      node({ id: 'n3', ip: '192.0.2.9', agentAddress: 'nowhere' }),
      'INVALID_ARGUMENT',
      'Invalid input for agent_address',
    ],
    [node({ id: 'n3', ip: '192.0.2.9' }), 'INVALID_ARGUMENT', "'agent_address' not specified"],
    [
      node({ id: 'n3', ip: '192.0.2.9', agentAddress: 'a:1', maxPorts: -2 }),
      'INVALID_ARGUMENT',
      'Invalid input for max_ports',
    ],
    [node({ id: 'n3', ip: '192.0.2.101', agentAddress: 'a:1' }), 'ALREADY_EXISTS', 'ip 192.0.2.101 is taken'],
  ])('registering %j is refused with %s', async (settings, code, words) => {
    expect(await client.call(cloudMessaging.registerNode, settings)).toEqual({
      code,
      details: expect.stringContaining(words),
    });
  });

  it('that are not there are not found', async () => {
    const missing = { code: 'NOT_FOUND', details: expect.stringContaining('nobody') };
    expect(await client.call(cloudMessaging.setNode, node({ id: 'nobody', draining: true }))).toEqual(missing);
    expect(await client.call(cloudMessaging.heartbeat, { id: 'nobody' })).toEqual(missing);
    expect(await client.call(cloudMessaging.getHostProgress, { hostId: 'nobody' })).toEqual(missing);
  });

  it('are watched as they come, change and go', async () => {
    const heard = new Map<string, CmsNode>();
    const stream = client.watch(cloudMessaging.watchNodes, { after: '' });
    let last: Nodes | undefined;
    const reading = (async () => {
      for await (const nodes of stream as AsyncIterable<Nodes>) {
        last = nodes;
        for (const each of nodes.nodes) heard.set(each.id, each);
        if (heard.get('w')?.removed === true) stream.cancel();
      }
    })().catch(() => {});
    await client.call(cloudMessaging.registerNode, node({ id: 'w', ip: '192.0.2.104', agentAddress: 'w:1' }));
    await eventually(() => heard.has('w'));
    await client.call(cloudMessaging.setNode, node({ id: 'w', draining: true, availabilityZone: 'west' }));
    await eventually(() => heard.get('w')?.draining === true);
    expect(heard.get('w')).toMatchObject({ availabilityZone: 'west', revisionNumber: 2 });
    await region.store.nodes.delete('w' as never);
    await reading;
    expect(heard.get('w')).toMatchObject({ removed: true, revisionNumber: 3 });
    expect(heard.get('n1')).toMatchObject({ availabilityZone: 'east' });
    expect(last?.revision).toMatch(/^[0-9a-f]{12}-\d+$/);
  });
});

describe('goal states', () => {
  let vpcId = '';

  beforeAll(async () => {
    const network = await region.store.networks.create([{ projectId: 'p' }]);
    vpcId = network[0]?.id ?? '';
    await region.store.subnets.create([{ projectId: 'p', networkId: vpcId as never, cidr: '10.0.0.0/24' }]);
    await addPort();
    await eventually(() => (region.delivery.goals.topics.get(`vpc/${vpcId}`)?.size ?? 0) >= 3);
  });

  const addPort = async (): Promise<string> => {
    const input = { projectId: 'p', networkId: vpcId as never, hostId: 'n1' as never, portSecurityEnabled: false };
    const [port] = await region.store.ports.create([input]);
    return port?.id ?? '';
  };

  it('are read page by page, and on from the last revision', async () => {
    const seen: string[] = [];
    let after = '';
    for (let synced = false; !synced;) {
      const page = (await client.call(cloudMessaging.getGoalStates, ofVpc(vpcId, { after, limit: 1 }))) as GoalStates;
      seen.push(...kindsOf(page));
      ({ revision: after, synced } = page);
    }
    expect(seen.sort()).toEqual(['neighbor', 'subnet', 'vpc']);
    const port = await addPort();
    await eventually(async () => {
      const more = (await client.call(cloudMessaging.getGoalStates, ofVpc(vpcId, { after }))) as GoalStates;
      return kindsOf(more).includes('neighbor');
    });
    await region.store.ports.delete(port as never);
    await eventually(async () => {
      const more = (await client.call(cloudMessaging.getGoalStates, ofVpc(vpcId, { after }))) as GoalStates;
      return kindsOf(more).join() === '-neighbor';
    });
  });

  it('are watched', async () => {
    const stream = client.watch(cloudMessaging.watchGoalStates, ofVpc(vpcId));
    const kinds: string[] = [];
    let port = '';
    try {
      for await (const batch of stream as AsyncIterable<GoalStates>) {
        kinds.push(...kindsOf(batch));
        if (!batch.synced) continue;
        if (port === '') port = await addPort();
        else if (kinds.at(-1) === 'neighbor') await region.store.ports.delete(port as never);
        if (kinds.at(-1) === '-neighbor') stream.cancel();
      }
    } catch (error) {
      expect(refusedBy(error).code).toBe('CANCELLED');
    }
    expect(kinds.slice(-2)).toEqual(['neighbor', '-neighbor']);
  });

  it('say how far a host is, and are said again', async () => {
    // Since its agent has moved, the session with the old address has to end first.
    await eventually(() => region.manager.host('n1') !== undefined);
    const progress = await client.call(cloudMessaging.getHostProgress, { hostId: 'n1' });
    expect(progress).toMatchObject({ hostId: 'n1', controller: 'controller-1', own: { wanted: expect.any(Number) } });
    expect(await client.call(cloudMessaging.rePush, { scope: { $case: 'hostId', value: 'n1' } })).toEqual({ hosts: 1 });
    expect(await client.call(cloudMessaging.rePush, { scope: undefined })).toEqual({
      code: 'INVALID_ARGUMENT',
      details: expect.stringContaining('vpc_id and host_id'),
    });
  });

  it.each([
    [scope(undefined), 'INVALID_ARGUMENT', 'vpc_id and host_id'],
    [scope({ $case: 'hostId', value: 'n1' }, { limit: 1_001 }), 'INVALID_ARGUMENT', 'Invalid input for limit'],
    [scope({ $case: 'hostId', value: 'n1' }, { after: 'x' }), 'INVALID_ARGUMENT', "'x' is no revision"],
    [scope({ $case: 'hostId', value: 'n1' }, { after: '0123456789ab-1' }), 'OUT_OF_RANGE', 'Begin anew'],
    [ofVpc('00000000-0000-4000-8000-00000000dead'), 'NOT_FOUND', 'dead'],
    [ofVpc('nonsense'), 'NOT_FOUND', 'nonsense'],
  ])('asked for by %j are refused with %s', async (request, code, words) => {
    const refusal = { code, details: expect.stringContaining(words) };
    expect(await client.call(cloudMessaging.getGoalStates, request)).toEqual(refusal);
    const stream = client.watch(cloudMessaging.watchGoalStates, request);
    const error = await (async () => {
      for await (const batch of stream) return batch;
    })().catch(refusedBy);
    expect(error).toEqual(refusal);
  });
});

describe('whoever calls', () => {
  it('says who that is, and may do what policy lets it', async () => {
    const [stranger, member, service] = ['', 'member', 'service'].map((token) => new GrpcClient(region.address, token));
    const settings = node({ id: 'n9', ip: '192.0.2.109', agentAddress: 'n9:1' });
    expect(await stranger?.call(cloudMessaging.registerNode, settings)).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await member?.call(cloudMessaging.registerNode, settings)).toEqual({
      code: 'PERMISSION_DENIED',
      details: expect.stringContaining('create_node'),
    });
    expect(await service?.call(cloudMessaging.registerNode, settings)).toMatchObject({ id: 'n9' });
    expect(await service?.call(cloudMessaging.setNode, node({ id: 'n9', draining: true }))).toEqual({
      code: 'PERMISSION_DENIED',
      details: expect.stringContaining('update_node'),
    });
    const request = scope({ $case: 'hostId', value: 'n1' });
    for (const call of [
      member?.call(cloudMessaging.getGoalStates, request),
      member?.call(cloudMessaging.getHostProgress, { hostId: 'n1' }),
      member?.call(cloudMessaging.rePush, { scope: request.scope }),
      member?.call(cloudMessaging.heartbeat, { id: 'n1' }),
    ]) {
      expect(await call).toMatchObject({ code: 'PERMISSION_DENIED' });
    }
    for (const each of [stranger, member, service]) each?.close();
  });
});
