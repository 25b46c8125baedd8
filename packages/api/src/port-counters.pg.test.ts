import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestServer, type TestStore, startTestServer } from '../../store/src/testing/region.ts';
import type { PortCounters } from './host-questions.ts';
import { type Client, clientOf } from './testing/client.ts';

let server: TestServer;
let store: TestStore;
let client: Client;
/** What the host says, by the address of its agent. */
const said = new Map<string, (portId: string) => PortCounters | string>();

beforeAll(async () => {
  server = await startTestServer();
  store = await server.openFresh();
  client = clientOf(store, {
    hosts: { portCounters: async (address, portId) => said.get(address)?.(portId) ?? 'no answer' },
  });
});

afterAll(() => server.close());

const member = (project: string) => ({ 'x-project-id': project, 'x-roles': 'member', 'x-user-id': 'u' });
const count = (packets: number) => ({ packets, bytes: 64 * packets });
const none = count(0);
const dropped = {
  spoofed: count(1),
  sentNotAllowed: none,
  receivedNotAllowed: count(2),
  sentOverLimit: none,
  receivedOverLimit: none,
};

it('a port shows what its host has counted, to its owner without the rules of others, and to no stranger', async () => {
  await client.make('node', { id: 'h1', ip: '192.0.2.1', agent_address: 'h1:1' });
  const network = await client.make('network', { project_id: 'p' });
  const [own, shared] = [
    await client.make('security_group', { project_id: 'p', name: 'own' }),
    await client.make('security_group', { project_id: 'q', name: 'shared' }),
  ];
  const port = await client.make('port', { network_id: network.id, project_id: 'p', 'binding:host_id': 'h1' });
  const rule = { policy: 'security-group', direction: 'ingress', text: 'ingress IPv4 any from anywhere' } as const;
  const rules = [
    { ...rule, policyId: own.id, ruleId: 'r1', ...count(3) },
    { ...rule, policyId: shared.id, ruleId: 'r2', ...count(4) },
    { ...rule, policy: 'network-acl', policyId: 'acl', ruleId: '', ...count(5) } as const,
  ];
  said.set('h1:1', (portId) => ({
    sent: count(portId === port.id ? 9 : 0),
    received: count(8),
    dropped,
    rules,
    rulesLeftOut: 0,
  }));
  const path = `/alcor/v1/ports/${port.id}/counters`;
  const written = { direction: 'ingress', rule: 'ingress IPv4 any from anywhere' };
  const first = { security_group_id: own.id, security_group_rule_id: 'r1', ...written, ...count(3) };
  const all = [
    first,
    { security_group_id: shared.id, security_group_rule_id: 'r2', ...written, ...count(4) },
    { network_acl_id: 'acl', network_acl_rule_id: null, ...written, ...count(5) },
  ];
  const answer = {
    port_id: port.id,
    node_id: 'h1',
    sent: count(9),
    received: count(8),
    dropped: {
      spoofed: count(1),
      sent_not_allowed: none,
      received_not_allowed: count(2),
      sent_over_limit: none,
      received_over_limit: none,
    },
    rules_left_out: 0,
  };
  expect(await client.call('GET', path)).toEqual({ status: 200, body: { port_counters: { ...answer, rules: all } } });
  expect(await client.call('GET', path, undefined, member('p'))).toEqual({
    status: 200,
    body: { port_counters: { ...answer, rules: [first] } },
  });
  const foreign = await client.call('GET', path, undefined, member('other'));
  expect(foreign).toMatchObject({ status: 404, body: { NeutronError: { type: 'PortNotFound' } } });
});

function because(reason: string) {
  return [409, 'PortCountersUnavailable', `Nothing is counted for port PORT: ${reason}.`];
}

it('a port of which nothing is counted says why', async () => {
  const network = await client.make('network', {});
  const refused = async (host: string | undefined): Promise<unknown> => {
    const bound = host === undefined ? {} : { 'binding:host_id': host };
    const port = await client.make('port', { network_id: network.id, ...bound });
    const { status, body } = await client.call('GET', `/alcor/v1/ports/${port.id}/counters`);
    return [status, body.NeutronError.type, body.NeutronError.message.replace(port.id, 'PORT')];
  };
  expect(await refused(undefined)).toEqual(because('it is bound to no host'));
  await client.make('node', { id: 'h2', ip: '192.0.2.2', agent_address: 'h2:1' });
  expect(await refused('h2')).toEqual(because('no answer'));
  expect((await client.call('GET', '/alcor/v1/ports/none/counters')).status).toBe(404);
});
