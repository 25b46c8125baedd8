import { predictedPerPort } from '@alcor/config-manager';
import type { Thresholds } from '@alcor/delivery';
import { type CarriedMtus, tunnelOverhead } from '@alcor/network';
import { isIP } from 'node:net';
import { resolve } from 'node:path';

/** What `alcor region` (and `npm start`) was asked for. */
export interface RegionOptions {
  /** Emulated hosts. */
  readonly hosts: number;
  /** How many of them, the first ones, are made gateways; a host that is one already stays one. */
  readonly gateways: number;
  /** Port of the API; 0 takes any free one. */
  readonly port: number;
  /** Absolute path of the directory that holds the region's data. */
  readonly state: string;
  readonly demo: boolean;
  /** Exit when the demonstration is over. */
  readonly once: boolean;
  readonly json: boolean;
  /** Several regions on one database share its hosts and VPCs. */
  readonly databaseUrl: string | undefined;
  /** What the underlay and physical networks carry: whence networks have their MTUs. */
  readonly mtus: CarriedMtus;
  /** The message queue of large VPCs: NATS servers of one cluster; undefined: none. */
  readonly queue: { readonly servers: readonly string[]; readonly replicas: number } | undefined;
  /** From how many ports, or ports in one of its security groups, on a VPC goes by the message queue, or on demand. */
  readonly thresholds: Thresholds;
  /** Neighbours that a new port of a VPC on demand is told before it asks, at most; 0: none. */
  readonly predictedPerPort: number;
  /** Who the callers are: users of the built-in service, of a Keystone, or everyone the administrator. */
  readonly identity: 'builtin' | 'keystone' | 'none';
  /** Port of the built-in identity service. */
  readonly identityPort: number;
  /** Empty unless `identity` is `keystone`. */
  readonly keystoneUrl: string;
  /** The address that the API and the built-in identity service listen on. */
  readonly listen: string;
  /** Where the cloud messaging service listens for gRPC: `host:port`; the port 0 takes any free one. */
  readonly cmsListen: string;
  /** Where hosts ask the config manager: `host:port` on loopback; the port 0 takes any free one. */
  readonly requestListen: string;
  /** Who has the metadata of guests: for `alcor agent`, which looks at it; undefined: nobody. */
  readonly metadataProxy: string | undefined;
  /** Who is asked for names that are no port's: for `alcor agent`, which looks at it; undefined: nobody. */
  readonly dnsUpstream: string | undefined;
  /** How packets travel between the emulated hosts. */
  readonly tunnelType: 'vxlan' | 'geneve';
  /** Absolute path of a file of policy rules. */
  readonly policy: string | undefined;
}

/** Checks what came from the command line; throws a TypeError that names the option. */
export function regionOptions(args: Readonly<Record<string, unknown>>): RegionOptions {
  const hosts = wholeNumber('--hosts', args['hosts'], 0, 200);
  return {
    hosts,
    gateways: wholeNumber('--gateways', args['gateways'] ?? 0, 0, hosts),
    port: wholeNumber('--port', args['port'], 0, 65_535),
    state: resolve(String(args['state'])),
    demo: args['demo'] !== false,
    once: args['once'] === true,
    json: args['json'] === true,
    databaseUrl: process.env['DATABASE_URL'],
    mtus: mtuOptions(args),
    ...queueOptions(args),
    ...identityOptions(args),
    predictedPerPort: wholeNumber('--predict', args['predict'] ?? predictedPerPort, 0, 256),
    requestListen: requestOption(args),
    metadataProxy: typeof args['metadata-proxy'] === 'string' ? args['metadata-proxy'] : undefined,
    dnsUpstream: typeof args['dns-upstream'] === 'string' ? args['dns-upstream'] : undefined,
    tunnelType: oneOf('--tunnel-type', args['tunnel-type'] ?? 'vxlan', ['vxlan', 'geneve']),
    policy: typeof args['policy'] === 'string' ? resolve(args['policy']) : undefined,
  };
}

/** IPv6 wants that its links carry so much (RFC 8200 section 5). */
const leastMtu = 1_280;

function mtuOptions(args: Readonly<Record<string, unknown>>): CarriedMtus {
  const given = typeof args['physical-mtu'] === 'string' ? args['physical-mtu'].split(',') : [];
  const physicalNetworks = given.map((each): [string, number] => {
    const [, name, mtu] = /^\s*([^:]{1,64}):(\d{1,6})\s*$/.exec(each) ?? [];
    if (name !== undefined) return [name, wholeNumber(`--physical-mtu ${name}`, mtu, leastMtu, 65_535)];
    throw new TypeError(
      `--physical-mtu wants NAME:BYTES, as physnet1:9000, or several with commas between, not '${each}'`,
    );
  });
  const underlay = wholeNumber('--underlay-mtu', args['underlay-mtu'] ?? 1_500, leastMtu + tunnelOverhead, 65_535);
  return { underlay, physicalNetworks: Object.fromEntries(physicalNetworks) };
}

function queueOptions(args: Readonly<Record<string, unknown>>): Pick<RegionOptions, 'queue' | 'thresholds'> {
  const servers = typeof args['queue'] === 'string' ? args['queue'].split(',').map((each) => each.trim()) : [];
  for (const server of servers) {
    if (URL.canParse(server) && /^(nats|tls):$/.test(new URL(server).protocol)) continue;
    throw new TypeError(`--queue wants nats://host:port, or several with commas between, not '${server}'`);
  }
  const given = args['queue-replicas'];
  const replicas = wholeNumber('--queue-replicas', given ?? (servers.length < 3 ? 1 : 3), 1, 5);
  const threshold = (name: string, otherwise: number): number =>
    wholeNumber(`--${name}`, args[name] ?? otherwise, 1, 1e9);
  return {
    queue: servers.length === 0 ? undefined : { servers, replicas },
    thresholds: {
      mq: { ports: threshold('mq-ports', 1_000), largestGroup: threshold('mq-group', 1_000) },
      onDemand: { ports: threshold('on-demand-ports', 10_000), largestGroup: threshold('on-demand-group', 10_000) },
    },
  };
}

type IdentityOptions = Pick<RegionOptions, 'identity' | 'identityPort' | 'keystoneUrl' | 'listen' | 'cmsListen'>;

function identityOptions(args: Readonly<Record<string, unknown>>): IdentityOptions {
  const identity = oneOf('--identity', args['identity'], ['builtin', 'keystone', 'none']);
  const listen = String(args['listen']);
  if (isIP(listen) === 0) throw new TypeError(`--listen wants an IP address, not '${listen}'`);
  const cms = cmsOption(args);
  for (const [option, address] of [
    ['--listen', listen],
    ['--cms-listen', cms.host],
  ] as const) {
    if (identity !== 'none' || isLoopback(address)) continue;
    throw new TypeError(
      `${option} ${address} needs --identity builtin or keystone: without one, whoever reaches it rules it`,
    );
  }
  const keystoneUrl = typeof args['keystone-url'] === 'string' ? args['keystone-url'] : '';
  if (identity === 'keystone' && !URL.canParse(keystoneUrl)) {
    throw new TypeError(`--identity keystone needs --keystone-url with Keystone's address, not '${keystoneUrl}'`);
  }
  // Its catalogue names the ports before anything listens on them.
  const lowest = identity === 'builtin' ? 1 : 0;
  wholeNumber('--port', args['port'], lowest, 65_535);
  return {
    identity,
    identityPort: wholeNumber('--identity-port', args['identity-port'], lowest, 65_535),
    keystoneUrl,
    listen,
    cmsListen: cms.address,
  };
}

/** Default: on loopback, the port after the API's. */
function cmsOption(args: Readonly<Record<string, unknown>>): { readonly host: string; readonly address: string } {
  const apiPort = wholeNumber('--port', args['port'], 0, 65_535);
  const beside = `127.0.0.1:${apiPort === 0 || apiPort === 65_535 ? 0 : apiPort + 1}`;
  return socketAddress('cms-listen', args['cms-listen'] ?? beside);
}

/** Nobody says there who they are, so only this machine's own may ask. */
function requestOption(args: Readonly<Record<string, unknown>>): string {
  const { host, address } = socketAddress('request-listen', args['request-listen'] ?? '127.0.0.1:0');
  if (!isLoopback(host)) throw new TypeError(`--request-listen wants an address of loopback, not ${host}`);
  return address;
}

function socketAddress(option: string, given: unknown): { readonly host: string; readonly address: string } {
  const [, host = '', port] = /^\[?([^[\]]+?)\]?:(\d{1,5})$/.exec(String(given)) ?? [];
  if (isIP(host) === 0 || Number(port) > 65_535) {
    throw new TypeError(`--${option} wants an IP address and a port, as 127.0.0.1:9697, not '${String(given)}'`);
  }
  return { host, address: isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}` };
}

function isLoopback(address: string): boolean {
  return /^127\.|^::1$/.test(address);
}

/** All addresses of the machine. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function oneOf<Word extends string>(name: string, given: unknown, words: readonly Word[]): Word {
  const word = words.find((each) => each === given);
  if (word !== undefined) return word;
  throw new TypeError(`${name} wants ${words.slice(0, -1).join(', ')} or ${words.at(-1)}, not '${String(given)}'`);
}

function wholeNumber(name: string, given: unknown, from: number, to: number): number {
  const value = Number(given);
  if (String(given).trim() !== '' && Number.isInteger(value) && value >= from && value <= to) return value;
  throw new TypeError(`${name} wants a whole number from ${from} to ${to}, not '${String(given)}'`);
}
