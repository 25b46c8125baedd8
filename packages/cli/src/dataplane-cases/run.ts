/** Runs the cases of a stage: all at once, then what marks that nothing is still under way, and again while they are not as they should be. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from '../region/testing/region-process.ts';
import { type Case, type Exchange, isBurst, isQuestion, isTransfer, nameOf, on, type Transfer } from './case.ts';
import { isAwaited, isMulticast, judge, type Seen, type Sent } from './judge.ts';
import { type Command, type Probe, startProbe, type TunnelType } from './probes.ts';
import { Site } from './site.ts';

export interface Stage {
  readonly when: string;
  /** What is done before: a request that changes what is meant, of which at least one of the cases tells that it has come. */
  readonly change?: (site: Site) => Promise<unknown>;
  readonly cases: readonly Case[];
  /** How long the change may take to come to the hosts, in ms, where it is one that takes its time. */
  readonly withinMs?: number;
}

export interface Theme {
  readonly name: string;
  /** At most three letters: names its VMs' links and projects. */
  readonly short: string;
  readonly build: (site: Site) => Promise<void>;
  readonly stages: readonly Stage[];
}

export interface Verdict {
  readonly name: string;
  /** Empty where all was as the case says. */
  readonly wrong: readonly string[];
}

/** How long what must happen may take within the first attempt, and within a later one, each twice as long as the one before, in milliseconds. */
const FIRST_ATTEMPT_MS = 1_000;
const LAST_ATTEMPT_MS = 8_000;
/** How long a change may take to come to the hosts of a machine that has much else to do, in milliseconds. */
const CHANGE_MS = 60_000;
/** How long a burst may take to be sent. */
const BURST_MS = 30_000;
/** What a limit's bucket takes to be full again after a burst (QoS bursts are 0.8 s of their rate), in milliseconds. */
const REFILL_MS = 1_000;
/** Where bursts go to. */
const BURST_PORT = 7_000;
const BURSTS = `udp/${BURST_PORT}` as const;

export class Runner {
  readonly #region: Running;
  readonly #hosts: readonly Probe[];
  readonly #waiting: Set<() => void>;
  #markers: Site | undefined;
  #port = 20_000;

  private constructor(region: Running, hosts: readonly Probe[], waiting: Set<() => void>) {
    this.#region = region;
    this.#hosts = hosts;
    this.#waiting = waiting;
  }

  static async start(region: Running, tunnelType: TunnelType = 'vxlan'): Promise<Runner> {
    const waiting = new Set<() => void>();
    const wake = (): void => waiting.forEach((each) => each());
    const hosts = region.json.hosts.map(({ id, netns }) =>
      startProbe({ name: id, netns, device: 'uplink', role: tunnelType }, wake),
    );
    const runner = new Runner(region, await Promise.all(hosts), waiting);
    const markers = runner.site('mk');
    await markers.network('markers', 250);
    const port = { port_security_enabled: false };
    const plan = (host: number) => [`m${host}`, { host, network: 'markers', port }] as const;
    await markers.plug(Object.fromEntries(region.json.hosts.map((_, at) => plan(at + 1))));
    runner.#markers = markers;
    return runner;
  }

  site(short: string): Site {
    return new Site(this.#region, short, () => this.#waiting.forEach((each) => each()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((probe) => probe.stop()));
    await this.#markers?.close();
  }

  /** Until all is as it should be or `withinMs` have passed; the verdicts are the last attempt's. */
  async run(site: Site, stage: Stage, withinMs = stage.withinMs ?? CHANGE_MS): Promise<Verdict[]> {
    const { change, cases } = stage;
    await change?.(site);
    const deadline = performance.now() + withinMs;
    for (let patienceMs = FIRST_ATTEMPT_MS; ; patienceMs = Math.min(2 * patienceMs, LAST_ATTEMPT_MS)) {
      const verdicts = await this.#attempt(site, cases, patienceMs);
      const last = performance.now() > deadline;
      if (last || verdicts.every(({ wrong }) => wrong.length === 0)) return verdicts;
      if (cases.some(isBurst)) await sleep(REFILL_MS);
    }
  }

  async #attempt(site: Site, cases: readonly Case[], patienceMs: number): Promise<Verdict[]> {
    const markers = this.#markers!;
    for (const probe of [...probesOf(site), ...probesOf(markers), ...this.#hosts]) probe.forget();
    const seen = await this.#exchange(site, cases, patienceMs);
    // What is sent after all others and has come everywhere: no packet of the cases is still on its way to be seen.
    const names = [...markers.vms.keys()];
    const pairs = names.flatMap((from) => names.map((to) => on(4, from, to, 'udp/9', 'answered', 'marker')));
    await this.#exchange(
      markers,
      pairs.filter(({ from, to }) => from !== to[0]),
      patienceMs,
    );
    return seen.sent.map((each) => ({ name: nameOf(each.each), wrong: judge(site, each, seen.events()) }));
  }

  /** Sends, and waits for what must happen. */
  async #exchange(
    site: Site,
    cases: readonly Case[],
    patienceMs: number,
  ): Promise<{ sent: readonly Sent[]; events: () => Seen }> {
    const probes = [...probesOf(site), ...this.#hosts];
    const listeners = cases.flatMap((each) => {
      if (isTransfer(each)) return serve(site, each);
      return isQuestion(each) ? [] : listen(site, isBurst(each) ? { ...each, to: [each.to], traffic: BURSTS } : each);
    });
    await this.#until(
      () => listeners.every(({ probe, key }) => probe.events.some((event) => event.key === key)),
      patienceMs,
    );
    const sent = cases.map((each) => this.#send(site, each));
    const events = (): Seen => new Map(probes.map((probe) => [probe.name, probe.events]));
    // A busy machine may take longer for so many than an attempt is given.
    const bursts = sent.filter(({ each }) => isBurst(each));
    const isSent = ({ each, id }: Sent): boolean =>
      site.vm(each.from).probe.events.some(({ event, key }) => key === id && (event === 'sent' || event === 'failed'));
    await this.#until(() => bursts.every(isSent), BURST_MS);
    const awaited = sent.filter(({ each }) => isAwaited(each));
    await this.#until(() => awaited.every((each) => judge(site, each, events()).length === 0), patienceMs);
    return { sent, events };
  }

  #send(site: Site, each: Case): Sent {
    const id = randomBytes(6).toString('hex');
    const port = this.#port++;
    if (this.#port >= 60_000) this.#port = 20_000;
    const sender = site.vm(each.from);
    if (isQuestion(each)) {
      const family = each.ask === 'arp' ? 4 : 6;
      const { mac, addresses } = sender;
      sender.probe.tell({ do: 'ask', id, mac, address: addresses[family], ask: each.ask, target: each.target ?? '' });
      return { each, id, port };
    }
    if (isTransfer(each)) {
      const { fetch: application, port: to, address = site.vm(each.to).addresses[4] } = each;
      sender.probe.tell({ do: 'transfer', role: 'fetch', key: id, application, address, port: to });
      return { each, id, port };
    }
    if (isBurst(each)) {
      const { family, times, bytes, gap = 0, to } = each;
      const [address, source] = [each.address ?? site.vm(to).addresses[family], sender.addresses[family]];
      sender.probe.tell({ do: 'burst', id, family, address, from: port, source, port: BURST_PORT, times, bytes, gap });
      return { each, id, port };
    }
    const address = each.address ?? site.vm(each.to[0]!).addresses[each.family];
    const { family, ttl, keep, bytes } = each;
    const source = each.source ?? sender.addresses[family];
    const command = { id, family, address, from: port, source, ttl, keep, bytes };
    sender.probe.tell({ ...command, ...howToSend(each) });
    return { each, id, port };
  }

  /** Looks again at every event, until `done` or the time has passed. */
  async #until(done: () => boolean, withinMs: number): Promise<void> {
    if (done()) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (done()) end();
      };
      const timer = setTimeout(end, withinMs);
      this.#waiting.add(look);
    });
  }
}

function probesOf(site: Site): Probe[] {
  return [...site.vms.values()].map(({ probe }) => probe);
}

/** Has those that must get the packet listen; what they say once they do. */
function listen(
  site: Site,
  { traffic, family, to, address, at }: Pick<Exchange, 'traffic' | 'family' | 'to' | 'address' | 'at'>,
): { probe: Probe; key: string }[] {
  const [proto, sentTo] = traffic.split('/');
  const port = at ?? sentTo;
  if (address !== undefined && isMulticast(address))
    for (const name of to) site.vm(name).probe.tell({ do: 'join', family, address });
  if (proto === 'icmp') return [];
  return to.map((name) => {
    const { probe } = site.vm(name);
    probe.tell({ do: 'listen', proto, family, port: Number(port) });
    return { probe, key: `${family}/${proto}/${port}` };
  });
}

/** Has the server of a transfer listen. */
function serve(site: Site, { to, fetch: application, port }: Transfer): { probe: Probe; key: string }[] {
  const { probe } = site.vm(to);
  const key = `${application === 'tftp' ? application : 'ftp'}/${port}`;
  probe.tell({ do: 'transfer', role: 'serve', key, application, address: '', port });
  return [{ probe, key }];
}

function howToSend({ traffic, on: connection }: Exchange): Command {
  if (connection !== undefined) return { do: 'on', on: connection };
  const [proto, first, second] = traffic.split('/');
  if (proto !== 'icmp') return { do: proto!, port: Number(first) };
  if (first === undefined) return { do: 'icmp' };
  return { do: 'icmp', type: Number(first), code: Number(second ?? 0) };
}
