import { canEmulate } from '@alcor/lab';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { type Guest, makeNetwork, plugGuest, removeGuests } from './testing/guests.ts';
import { cleanUp, eventually, folder, sh, start, stop } from './testing/region-process.ts';

const emulation = await canEmulate();
const missing = emulation.ok ? (existsSync('/usr/bin/curl') ? '' : 'curl is not installed') : emulation.reason;
if (missing !== '') console.log(`skipped: metadata for guests: ${missing}`);

const SECRET = 'between the two of us';
const LARGE = 'x'.repeat(200_000);

interface Asked {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Who has the metadata: answers with what it was asked, or with a lot. */
const asked: Asked[] = [];
const upstream = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const { url: path = '', method = '', headers } = request;
    asked.push({ path, method, headers, body: Buffer.concat(parts).toString() });
    response.end(path === '/large' ? LARGE : `for ${String(headers['x-instance-id'])}`);
  });
});

afterAll(async () => {
  removeGuests();
  await cleanUp();
  upstream.close();
});

const run = promisify(execFile);

/** What the guest gets; not by `sh`, which would keep the metadata's server of this process from answering. */
async function curl({ vm }: Guest, url: string, ...options: readonly string[]): Promise<string> {
  const args = ['netns', 'exec', vm, 'curl', '-sS', '-m', '30', '--globoff', ...options, url];
  return (await run('ip', args, { maxBuffer: 1 << 22 })).stdout;
}

/** Until the guest's port is wired. */
function reached(guest: Guest, url: string): Promise<unknown> {
  const look = (): Promise<string> => curl(guest, url, '-m', '2').catch(() => '-');
  return eventually('the metadata is reached', look, (said) => said !== '-');
}

describe.skipIf(missing !== '')('a guest that asks its host about itself', () => {
  it('is answered by who has its metadata, and is not taken for another', async () => {
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const proxy = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const { child, json, url } = await start(
      ['--state', join(folder(), 'state'), '--no-demo', '--hosts', '2', '--metadata-proxy', proxy],
      { ...process.env, ALCOR_METADATA_SECRET: SECRET },
    );
    const guests: Guest[] = [];
    // Two tenants whose guests have the same address, on the same host; and one that is no server's.
    for (const [n, device_id] of [[2, 'server-a'], [4, 'server-b'], [6, '']] as const) {
      const network = await makeNetwork(url, n, { cidr: '10.9.0.0/16' });
      const fixed_ips = [{ subnet_id: network.subnets[0], ip_address: '10.9.0.9' }];
      const guest = await plugGuest(url, json, network, n, { device_id, project_id: `project-${n}`, fixed_ips });
      sh(`
        ip -n ${guest.vm} addr add 10.9.0.9/16 dev eth0
        ip -n ${guest.vm} route add 169.254.169.254/32 dev eth0`);
      await reached(guest, 'http://169.254.169.254/');
      guests.push(guest);
    } // prettier-ignore
    const [a, b, nobodys] = guests;
    asked.length = 0;
    const spoofed = ['X-Instance-ID', 'X-Tenant-ID', 'X-Forwarded-For'].flatMap((name) => ['-H', `${name}: server-b`]);
    expect(await curl(a!, 'http://169.254.169.254/latest/meta-data?a=b', ...spoofed)).toBe('for server-a');
    expect(asked).toMatchObject([
      {
        path: '/latest/meta-data?a=b',
        method: 'GET',
        headers: {
          'x-forwarded-for': '10.9.0.9',
          'x-instance-id': 'server-a',
          'x-tenant-id': 'project-2',
          'x-instance-id-signature': createHmac('sha256', SECRET).update('server-a').digest('hex'),
          'x-neutron-port-id': a!.port.id,
        },
      },
    ]);
    expect(await curl(b!, 'http://169.254.169.254/')).toBe('for server-b');
    expect(await curl(b!, 'http://169.254.169.254/large')).toBe(LARGE);
    await curl(a!, 'http://169.254.169.254/openstack/latest/password', '--data', 'y'.repeat(20_000));
    expect(asked.at(-1)).toMatchObject({ method: 'POST', body: 'y'.repeat(20_000) });
    expect(await curl(a!, 'http://169.254.169.254//elsewhere/', '--path-as-is')).toBe('for server-a');
    expect(asked.at(-1)).toMatchObject({ path: '//elsewhere/' });
    expect(await curl(nobodys!, 'http://169.254.169.254/', '-o', '/dev/null', '-w', '%{http_code}')).toBe('404');
    await stop(child);
  });

  it('is answered over IPv6 as well', async () => {
    const proxy = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const { child, json, url } = await start(
      ['--state', join(folder(), 'state'), '--no-demo', '--hosts', '2', '--metadata-proxy', proxy],
      { ...process.env, ALCOR_METADATA_SECRET: SECRET },
    );
    const guest = await plugGuest(url, json, await makeNetwork(url, 8), 8, { device_id: 'server-c' });
    await reached(guest, 'http://[fe80::a9fe:a9fe%25eth0]/');
    expect(await curl(guest, 'http://[fe80::a9fe:a9fe%25eth0]/large')).toBe(LARGE);
    expect(await curl(guest, 'http://[fe80::a9fe:a9fe%25eth0]/')).toBe('for server-c');
    expect(asked.at(-1)?.headers['x-forwarded-for']).toMatch(/^fe80::/);
    await stop(child);
  });
});
