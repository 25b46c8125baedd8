import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';

const root = new URL('../../../../', import.meta.url).pathname;
const main = join(root, 'packages/cli/dist/main.js');
const hasOpenstack = existsSync('/usr/bin/openstack');
if (!hasOpenstack) console.log('skipped: docs/openstack-session.md as written: the openstack command is not installed');

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'alcor-e2e-'));
let region: ChildProcess | undefined;

afterAll(async () => {
  if (region !== undefined && region.exitCode === null) {
    const ended = new Promise((resolve) => region!.once('exit', resolve));
    region.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** The document's commands: how the region starts, and what comes after it, block by block. */
function document(): { readonly startCommand: string; readonly blocks: readonly string[] } {
  const text = readFileSync(join(root, 'docs/openstack-session.md'), 'utf8');
  const [startCommand, ...blocks] = [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, commands]) => commands!);
  return { startCommand: startCommand!, blocks };
}

/** Two ports that nothing listens on. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [ports[0]!, ports[1]!];
}

/** What the machine's environment says of another cloud or database is not the document's. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('OS_') && name !== 'DATABASE_URL'),
  );
}

/** Starts the region as the document does, apart from ports and directory. */
async function start(command: string, api: number, identity: number): Promise<void> {
  const [, password, options] = /^ALCOR_ADMIN_PASSWORD=(\S+) npm start -- (.+)\n$/.exec(command)!;
  const own = ['--json', '--port', `${api}`, '--identity-port', `${identity}`, '--state', join(folder, 'state')];
  const child = spawn(process.execPath, [main, 'region', ...options!.split(' '), ...own], {
    env: { ...cleanEnvironment(), ALCOR_ADMIN_PASSWORD: password },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  region = child;
  await new Promise<void>((resolve, reject) => {
    let [out, said] = ['', ''];
    child.stderr.on('data', (data: Buffer) => (said += data.toString()));
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString();
      if (/^\{.*\}$/m.test(out)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the region ended with ${code}: ${said}`)));
  });
}

/** Runs the blocks in one shell; what each of them printed. */
async function outputs(blocks: readonly string[]): Promise<string[]> {
  const script = blocks.map((block) => `${block}echo '=== end of block'\n`).join('');
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { env: cleanEnvironment() });
  return stdout.split('=== end of block\n').slice(0, -1);
}

/** A token of the administrator, asked for without the openstack command. */
async function login(authUrl: string, password: string): Promise<string> {
  const domain = { id: 'default' };
  const response = await fetch(`${authUrl}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: { methods: ['password'], password: { user: { name: 'admin', domain, password } } },
        scope: { project: { name: 'admin', domain } },
      },
    }),
  });
  return response.headers.get('x-subject-token')!;
}

describe.skipIf(!hasOpenstack)('docs/openstack-session.md', () => {
  it('goes as written from an empty region to a floating IP, and back to nothing', async () => {
    const { startCommand, blocks } = document();
    const [api, identity] = await freePorts();
    await start(startCommand, api, identity);
    const authUrl = `http://127.0.0.1:${identity}/v3`;
    const printed = await outputs(blocks.map((block) => block.replaceAll('http://127.0.0.1:5000/v3', authUrl)));
    expect(printed).toHaveLength(blocks.length);

    /** What the block with that command printed. */
    const after = (part: string): string => printed[blocks.findIndex((block) => block.includes(part))]!;
    expect(after('router add subnet')).toContain("'ip_address': '10.0.0.1'");
    expect(after('router add subnet')).toMatch(/external_gateway_info .*203\.0\.113\.\d+/);
    expect(after('rule list')).toMatch(/\| icmp +\| IPv4/);
    expect(after('rule list')).toMatch(/\| tcp +\| IPv4 +\| 0\.0\.0\.0\/0 +\| 22:22/);
    const vm = /\| id +\| (\S+)/.exec(after('port create'))![1]!;
    const address = after('floating ip show').slice(after('floating ip show').lastIndexOf('| Field'));
    expect(address).toMatch(new RegExp(`\\| port_id +\\| ${vm} `));
    expect(address).toMatch(/\| fixed_ip_address +\| 10\.0\.0\.10 /);
    expect(address).toMatch(/\| floating_ip_address +\| 203\.0\.113\.\d+ /);
    expect(after('||')).toBe('the router still has an interface\n');

    const token = await login(authUrl, 'change-me');
    const left = async (kind: string): Promise<{ name: string; project_id: string }[]> => {
      const response = await fetch(`http://127.0.0.1:${api}/v2.0/${kind}`, { headers: { 'x-auth-token': token } });
      const body = (await response.json()) as Record<string, { name: string; project_id: string }[]>;
      return body[kind.replace('-', '_')]!;
    };
    for (const kind of ['networks', 'subnets', 'ports', 'routers', 'floatingips']) expect(await left(kind)).toEqual([]);
    const shop = /\| id +\| (\S+)/.exec(after('project create'))![1]!;
    expect((await left('security-groups')).filter(({ project_id: of }) => of === shop)).toEqual([]);
  });
});
