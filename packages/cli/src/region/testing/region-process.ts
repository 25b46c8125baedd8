/** Regions as processes of their own, as users start them, for end-to-end tests. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = new URL('../../../../../', import.meta.url).pathname;
export const main = join(root, 'packages/cli/dist/main.js');

export interface RegionJson {
  readonly dataplane: string;
  readonly hosts: readonly { id: string; ip: string; netns: string; ovsdb: string; bridge: string }[];
  readonly ports: readonly { id: string; network: string; host: string; ip: string; mac: string; status: string }[];
  readonly pings: readonly { from: string; to: string; sameVpc: boolean; ok: boolean; rttMs: number | null }[];
}

export interface Running {
  readonly child: ChildProcess;
  readonly json: RegionJson;
  readonly url: string;
}

const folders: string[] = [];
const children: ChildProcess[] = [];

/** A fresh folder, gone after `cleanUp`. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'alcor-e2e-'));
  folders.push(path);
  return path;
}

/** Ends what was started and removes what was made; for `afterAll`. */
export async function cleanUp(): Promise<void> {
  await Promise.all(children.map((child) => stop(child)));
  for (const path of folders) rmSync(path, { recursive: true, force: true });
}

/** A port that nobody has at the moment. */
async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

/** Starts a region and resolves with its JSON once it has printed it. */
export async function start(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Running> {
  const port = await freePort();
  const child = spawn(process.execPath, [main, 'region', '--json', '--port', String(port), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const said: string[] = [];
  const json = await new Promise<RegionJson>((resolve, reject) => {
    let text = '';
    child.stderr!.on('data', (data: Buffer) => said.push(data.toString()));
    child.stdout!.on('data', (data: Buffer) => {
      text += data.toString();
      const line = text.split('\n').find((each) => each.startsWith('{') && each.endsWith('}'));
      if (line !== undefined) resolve(JSON.parse(line) as RegionJson);
    });
    child.once('exit', (code) => reject(new Error(`the region ended with ${code}: ${said.join('')}`)));
  });
  return { child, json, url: `http://127.0.0.1:${port}` };
}

/** Asks it to end, and waits. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** A request as the administrator; throws what was refused. */
export async function api<T>(url: string, method: string, path: string, body?: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** Looks until what is seen is `good`; throws with what it saw last. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T> | T,
  good: (value: T) => boolean,
  withinMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (good(value)) return value;
    if (performance.now() > deadline) throw new Error(`${what}: still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function portStatus(url: string, id: string): Promise<string> {
  return api<{ port: { status: string } }>(url, 'GET', `/v2.0/ports/${id}`).then(({ port }) => port.status);
}

/** What the commands print; throws when one fails. */
export function sh(command: string, env: NodeJS.ProcessEnv = {}): string {
  return execFileSync('bash', ['-euo', 'pipefail', '-c', command], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export function processes(): { pid: string; args: string }[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.map((line) => ({ pid: line.trim().split(' ')[0]!, args: line }));
}

/** What a region leaves on the machine: namespaces and sockets whose names begin with its digest. */
export function traces(state: string, json: RegionJson): string[] {
  const digest = /^al([0-9a-f]{6})/.exec(json.hosts[0]?.netns ?? '')?.[1] ?? 'none';
  const namespaces = sh('ip netns list')
    .split('\n')
    .filter((line) => line.startsWith(`al${digest}`));
  const sockets = existsSync('/run') ? readdirSync('/run').filter((name) => name === `alcor-${digest}`) : [];
  const left = processes()
    .map(({ args }) => args)
    .filter((args) => args.includes(state) || args.includes(`/run/alcor-${digest}`));
  return [...namespaces, ...sockets, ...left];
}

/** The namespace of the VM that has this address in the first of the demonstration's VPCs. */
export function vmOf(json: RegionJson, ip: string): string {
  const prefix = json.hosts[0]!.netns.replace('-h1', '-vm');
  return sh(
    `for v in $(ip netns list | grep -o '^${prefix}-[^ ]*'); do ip netns exec $v ip -4 -o addr show | grep -q ' ${ip}/' && echo $v; done || true`,
  )
    .trim()
    .split('\n')[0]!;
}
