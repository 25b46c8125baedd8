/** The Debian package for hypervisors, run with nothing of this checkout beside a real Open vSwitch. */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentNodeOptions } from '@alcor/agent';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { missingOpenVswitch, OpenVswitch } from '../../agent/src/dataplane/testing/open-vswitch.ts';
import { api, cleanUp, eventually, folder, portStatus, root, start } from './region/testing/region-process.ts';

const missing = missingOpenVswitch();
if (missing !== '') console.log(`skipped: the agent's Debian package: ${missing}`);
afterAll(cleanUp);

function packaged(): string {
  const out = folder();
  execFileSync(process.execPath, [join(root, 'scripts/package-agent.mjs'), '--out', out], { stdio: 'pipe' });
  const [file] = readdirSync(out);
  execFileSync('dpkg-deb', ['-x', join(out, file!), join(out, 'tree')]);
  return join(out, 'tree');
}

describe.skipIf(missing !== '')("the agent's Debian package", () => {
  it('makes a node of a hypervisor that has Open vSwitch and nothing of this project', async () => {
    const tree = packaged();
    const library = join(tree, 'usr/lib/alcor-agent');
    expect(readFileSync(join(tree, 'lib/systemd/system/alcor-agent.service'), 'utf8')).toContain(
      'ExecStart=/usr/bin/alcor-agent --controller ${ALCOR_CONTROLLER}',
    );
    expect(readFileSync(join(tree, 'usr/bin/alcor-agent'), 'utf8')).toContain(
      `exec /usr/lib/alcor-agent/node ${agentNodeOptions.join(' ')} /usr/lib/alcor-agent/agent.mjs "$@"`,
    );
    const ovs = await OpenVswitch.start();
    onTestFinished(() => ovs.stop());
    const { url } = await start(['--hosts', '0', '--no-demo', '--state', join(folder(), 'state')]);
    const local = ['--ovsdb', `unix:${ovs.folder}/db.sock`, '--openflow', `unix:${ovs.folder}/br-int.mgmt`];
    const args = [
      ...agentNodeOptions,
      join(library, 'agent.mjs'),
      '--controller',
      url,
      '--node',
      'compute-1',
      '--listen',
      '127.0.0.1:0',
      ...local,
    ];
    const agent = spawn(join(library, 'node'), args, { env: {}, stdio: 'ignore' });
    onTestFinished(() => void agent.kill('SIGKILL'));

    type Nodes = { nodes: { id: string; ip: string; agent_address: string; heartbeat_at: string | null }[] };
    const { nodes } = await eventually(
      'the agent has been heard of',
      () => api<Nodes>(url, 'GET', '/alcor/v1/nodes'),
      (seen) => seen.nodes[0]?.heartbeat_at != null,
      60_000,
    );
    expect(nodes).toMatchObject([{ id: 'compute-1', ip: '127.0.0.1' }]);

    const { network } = await api<{ network: { id: string } }>(url, 'POST', '/v2.0/networks', { network: {} });
    await api(url, 'POST', '/v2.0/subnets', {
      subnet: { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' },
    });
    const { port } = await api<{ port: { id: string } }>(url, 'POST', '/v2.0/ports', {
      port: { network_id: network.id, 'binding:host_id': 'compute-1' },
    });
    expect(await portStatus(url, port.id)).not.toBe('ACTIVE');
    await ovs.plug(port.id);
    await eventually(
      'the port is active',
      () => portStatus(url, port.id),
      (status) => status === 'ACTIVE',
    );
    const asked = ['counters', port.id, '--agent', nodes[0]!.agent_address];
    const said = execFileSync(join(library, 'node'), [join(library, 'agent.mjs'), ...asked], {
      encoding: 'utf8',
      env: {},
    });
    expect(said).toMatch(/sent +0 +0\n/);
  });
});
