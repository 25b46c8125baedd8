import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../store/src/testing/region.ts';
import { startTestRegion, type TestRegion } from './testing/region.ts';

const run = promisify(execFile);
const page = readFileSync(new URL('../../../docs/cloud-messaging-service.md', import.meta.url), 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = [...page.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = '', text = '']) => ({
  language,
  text,
}));

const missing = ['curl', 'python3', 'bash'].find((command) => spawnSync(command, ['--version']).error !== undefined);
if (missing !== undefined) console.log(`skipped: the page as written: ${missing} is not installed`);

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

describe.skipIf(missing !== undefined)('the page on the service, as written', () => {
  let region: TestRegion;
  let folder: string;

  beforeAll(async () => {
    region = await startTestRegion();
    folder = mkdtempSync(join(tmpdir(), 'alcor-cms-page-'));
    writeFileSync(join(folder, 'environment'), '');
  });

  afterAll(async () => {
    await region.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Until all that was asked for so far has been published. */
  const published = async (): Promise<void> => {
    const [network] = await region.store.networks.create([{ projectId: 'p' }]);
    if (network === undefined) throw new Error('no network');
    await eventually(() => region.delivery.vpcs.get(network.id) !== undefined);
    await region.store.networks.delete(network.id);
  };

  const shell = async (text: string): Promise<string> => {
    const script = `set -euo pipefail; . ./environment; ${text}\nprintf 'NETWORK=%s\\n' "\${NETWORK:-}" > environment`;
    const environment = { ...process.env, ALCOR: region.url };
    const { stdout } = await run('bash', ['-c', script], { cwd: folder, env: environment });
    return stdout.replaceAll(uuid, 'UUID').trim();
  };

  it('its commands do and print what it says', async () => {
    let printed = '';
    let compared = 0;
    let lines = 0;
    for (const { language, text } of blocks) {
      if (language === 'sh') {
        printed = await shell(text);
        if (text.includes('/watch?')) lines = printed.split('\n').length;
        await published();
      } else if (language === 'json') {
        expect(printed).toBe(text.trim());
        compared++;
      }
    }
    expect(compared).toBe(4);
    // The VPC, its subnet, the bookmark.
    expect(lines).toBe(3);
  });

  it('its client follows a VPC, also over a broken connection, to its end', async () => {
    const client = blocks.find(({ language }) => language === 'python')?.text ?? '';
    writeFileSync(join(folder, 'follow.py'), client);
    const { id } = await region.network([]);
    await published();
    const child = spawn('python3', ['follow.py', region.url, id], { cwd: folder });
    const said: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await eventually(() => said.includes('BOOKMARK  2 held'));
    const network = { network_id: id, port_security_enabled: false };
    const made = await region.call('POST', '/v2.0/ports', { port: { ...network, 'binding:host_id': 'rack1-7' } });
    await eventually(() => said.includes('UPDATE neighbor 3 held'));
    region.breakConnections();
    const { id: portId } = made.body['port'] as { readonly id: string };
    await region.store.ports.delete(portId as never);
    await eventually(() => said.includes('DELETE neighbor 2 held'));
    // It went on from where it was: nothing was told twice.
    expect(said.filter((line) => line.startsWith('UPDATE vpc'))).toHaveLength(1);
    const subnets = await region.store.subnets.list({ filter: { networkId: [id as never] } });
    for (const subnet of subnets.rows) await region.store.subnets.delete(subnet.id);
    await region.store.networks.delete(id as never);
    expect(await ended).toBe(0);
  });
});
