/** Whom ports that come want to speak with: drawn by chance, or out of a trace. */
import { spawn } from 'node:child_process';
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Random } from '@alcor/runtime';

/** A port, by number. */
export interface Guest {
  readonly port: number;
  readonly host: number;
  readonly group: string;
}

/** So long before anything happens, these ports come, and then these speak, in order. */
export interface Step {
  readonly ms: number;
  readonly come: readonly Guest[];
  readonly speak: readonly (readonly [from: number, to: number])[];
}

const roles = 20;
const serversOfRole = 100;
const serversOfAll = 20;
/** How many others a client speaks with. */
const wants = 10;
const serversPerHost = 10;

/**
 * Clients of twenty roles come one a second. Of ten others that each speaks with at once, five are servers of its role and three servers of all
 * roles, both by Zipf's law, and two any clients. With half of them it goes on to speak every minute.
 */
export function* drawn(clients: number, hosts: number, random: Random): Generator<Step> {
  const servers = roles * serversOfRole + serversOfAll;
  const hostOf = (port: number): number => hosts + Math.floor(port / serversPerHost);
  const come = Array.from({ length: servers }, (_, port) => ({ port, host: hostOf(port), group: 'servers' }));
  yield { ms: 0, come, speak: [] };
  const lasting: (readonly [number, number])[] = [];
  for (let n = 0; n < clients; n++) {
    const [port, role] = [servers + n, Math.floor(random.next() * roles)];
    const speak = Array.from({ length: wants }, (_, which): readonly [number, number] => {
      if (which < 5) return [port, role * serversOfRole + zipf(serversOfRole, random)];
      if (which < 8) return [port, roles * serversOfRole + zipf(serversOfAll, random)];
      return [port, servers + Math.floor(random.next() * (n + 1))];
    });
    lasting.push(...speak.filter(() => random.next() < 0.5));
    const guest = { port, host: Math.floor(random.next() * hosts), group: `role-${role}` };
    yield { ms: 1_000, come: [guest], speak: n % 60 === 59 ? [...speak, ...lasting] : speak };
  }
}

/** One of 0 … n - 1, each k with a weight of about 1 / (k + 1). */
function zipf(n: number, random: Random): number {
  return Math.floor(Math.exp(random.next() * Math.log(n + 1))) - 1;
}

/** An hour of a trace, in ms: less than what nothing uses is kept for, so that who speaks in every hour is never idle. */
const hourMs = 250_000;

export interface Trace {
  /** `@ HOUR PAIRS`, then a line `CLIENT<tab>SERVER…` for each pair that spoke in that hour; `.xz` or plain. */
  readonly path: string;
  /** `NODE<tab>CODE` a line: nodes whose codes begin alike are in one group, and those without a code are only spoken with. Without: all are in one. */
  readonly roles: string | undefined;
  readonly hours: number;
  readonly hosts: number;
}

/** A node is a port that comes when it is first heard of. */
export async function* traced({ path, roles: rolesPath, hours, hosts }: Trace): AsyncGenerator<Step> {
  const groups = new Map(
    rolesPath === undefined
      ? []
      : linesIn(readFileSync(rolesPath, 'utf8')).map(([node = '', code = '']) => [
          Number(node),
          code.split('_', 1)[0]!,
        ]),
  );
  const known = new Set<number>();
  const guestOf = (port: number): Guest => ({ port, host: port % hosts, group: groups.get(port) ?? 'others' });
  const speaks = (node: number, hour: Hour): boolean => hour.has(node) && (groups.size === 0 || groups.has(node));
  let left = hours;
  for await (const hour of hoursOf(path)) {
    if (left-- === 0) return;
    const servers = [...hour.values()].flat();
    const fresh = [...new Set(servers)].filter((node) => !known.has(node) && !speaks(node, hour));
    for (const node of fresh) known.add(node);
    yield { ms: 0, come: fresh.map(guestOf), speak: [] };
    const clients = [...hour].filter(([node]) => speaks(node, hour));
    for (const [client, to] of clients) {
      const come = known.has(client) ? [] : [guestOf(client)];
      known.add(client);
      const speak = to.filter((node) => known.has(node)).map((node) => [client, node] as const);
      yield { ms: hourMs / clients.length, come, speak };
    }
  }
}

/** By client, the servers that it spoke with. */
type Hour = ReadonlyMap<number, readonly number[]>;

async function* hoursOf(path: string): AsyncGenerator<Hour> {
  const input = path.endsWith('.xz') ? spawn('xz', ['-dc', path]).stdout : createReadStream(path);
  let hour = new Map<number, number[]>();
  for await (const line of createInterface({ input })) {
    if (line.startsWith('@')) {
      if (hour.size > 0) yield hour;
      hour = new Map();
    } else if (!line.startsWith('#')) {
      const [client, server] = line.split('\t', 2).map(Number) as [number, number];
      const to = hour.get(client);
      if (to === undefined) hour.set(client, [server]);
      else to.push(server);
    }
  }
  if (hour.size > 0) yield hour;
}

function linesIn(text: string): string[][] {
  return text.split('\n').flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.split('\t')]));
}
