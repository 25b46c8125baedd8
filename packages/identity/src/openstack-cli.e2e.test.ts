import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtinIdentity } from './builtin-identity.ts';
import { buildIdentityApi } from './http/app.ts';
import type { IdentityStore } from './store.ts';
import { type OpenstackClient, startOpenstackClient, whyNoOpenstackClient } from './testing/openstack-client.ts';
import { type TestIdentity, adminPassword, startTestIdentity } from './testing/service.ts';

const reason = whyNoOpenstackClient();
if (reason !== undefined) console.warn(reason);

interface Login {
  readonly user: string;
  readonly password: string;
  readonly project: string;
}

describe.skipIf(reason !== undefined)('the openstack command', () => {
  let identity: TestIdentity;
  let store: IdentityStore;
  let app: FastifyInstance;
  let url: string;
  let client: OpenstackClient;

  beforeAll(async () => {
    client = startOpenstackClient();
    identity = await startTestIdentity();
    const first = await identity.open();
    app = buildIdentityApi({ store: first });
    url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/v3`;
    // The next start knows where it listens, and the catalogue says so.
    store = await first.another({ urls: { identity: url, network: 'http://127.0.0.1:9696' } });
  });

  afterAll(async () => {
    await client.close();
    await app.close();
    await identity.close();
  });

  const asAdmin: Login = { user: 'admin', password: adminPassword, project: 'admin' };
  const wordsOf = (command: string, login: Login = asAdmin): string[] => {
    const credentials = Object.entries({
      'auth-url': url,
      username: login.user,
      password: login.password,
      'project-name': login.project,
      'user-domain-id': 'default',
      'project-domain-name': 'Default',
      'identity-api-version': '3',
    }).flatMap(([name, value]) => [`--os-${name}`, value]);
    return [...credentials, ...command.split(' ')];
  };
  const openstack = (command: string, login?: Login): Promise<string> => client.run(wordsOf(command, login));
  const json = async (command: string, login?: Login): Promise<Readonly<Record<string, unknown>>> =>
    JSON.parse(await openstack(`${command} -f json`, login));
  const refused = (command: string, login?: Login): Promise<string> => client.refused(wordsOf(command, login));

  it('makes a project with a member whose token the API takes, and takes it all back', async () => {
    expect(await openstack('catalog list -f value -c Type')).toBe('identity\nnetwork');
    const project = await json('project create --description d --tag t1 p1');
    expect(project).toMatchObject({
      name: 'p1',
      description: 'd',
      domain_id: 'default',
      enabled: true,
      tags: ['t1'],
    });
    const user = await json('user create --project p1 --password secret --email u@example.org u1');
    expect(user).toMatchObject({ name: 'u1', email: 'u@example.org', default_project_id: project['id'] });
    await openstack('role add --project p1 --user u1 member');
    expect(await openstack('role assignment list --project p1 --names -f value -c Role -c User')).toBe(
      'member u1@Default',
    );

    const member: Login = { user: 'u1', password: 'secret', project: 'p1' };
    const token = await json('token issue', member);
    expect(token).toMatchObject({ project_id: project['id'], user_id: user['id'] });
    const caller = await builtinIdentity({ store, url }).authenticate(String(token['id']));
    expect(caller).toMatchObject({ projectName: 'p1', roles: ['member', 'reader'], isAdmin: false });
    expect(await refused('user list', member)).toContain('not authorized');
    expect(await refused('token issue', { ...member, password: 'wrong' })).toContain('HTTP 401');

    await openstack('user password set --password second --original-password secret', member);
    const renewed = { ...member, password: 'second' };
    expect(await openstack('project list --my-projects -f value -c Name', renewed)).toBe('p1');
    await openstack('role remove --project p1 --user u1 member');
    expect(await refused('token issue', renewed)).toContain('HTTP 401');
    await openstack('user delete u1');
    await openstack('project delete p1');
    expect(await refused('project show p1')).toContain('No project');
  });

  it('manages what else a region has', async () => {
    await openstack('domain create --description d d1');
    await openstack('group create --domain d1 g1');
    await openstack('user create --domain d1 --password x u1');
    await openstack('group add user --group-domain d1 --user-domain d1 g1 u1');
    expect(await openstack('group contains user --group-domain d1 --user-domain d1 g1 u1')).toContain('u1 in group g1');
    await openstack('role create r1');
    await openstack('role add --domain d1 --group g1 --inherited r1');
    await openstack('implied role create reader --implied-role r1');
    expect(await openstack('implied role list -f value')).toContain('r1');
    await openstack('project create --domain d1 p1');
    expect(await openstack('role assignment list --effective --names --user u1 --user-domain d1 -f value')).toContain(
      'p1@d1',
    );
    await openstack('service create --name n --description d compute');
    await openstack('region create RegionTwo');
    await openstack('endpoint create --region RegionTwo compute public http://127.0.0.1/%(project_id)s');
    expect(await openstack('endpoint list --service compute -f value -c URL')).toContain('http://127.0.0.1/');
    expect(await refused('domain delete d1')).toContain('disable');
    await openstack('domain set --disable d1');
    await openstack('domain delete d1');
    expect(await openstack('role assignment list --role r1 -f value')).toBe('');
  });
});
