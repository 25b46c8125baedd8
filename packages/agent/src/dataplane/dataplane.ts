/**
 * The host's data plane: holds the resources that the agent gives it, keeps the switch's flows equal to them, and says of
 * each resource whether it is in force.
 *
 *   setPort, setNeighbor … ─▶ program (pure) ─▶ tracker ─▶ batches ─▶ Switch
 *   plugged, unplugged, tunnel ─▲                ▲── read back ───────┘ after start, loss or doubt
 *
 * All work on the switch is done by one job at a time; jobs wait for each other in the order in which they came.
 */
import type { Clock, Timer } from '@alcor/runtime';
import { unreachable } from './assert.ts';
import type { DataplaneDescription } from './describe.ts';
import type { Flow, FlowIdentity } from './flow.ts';
import { neighborOwner, type Owner, ownersOf, portOwner, resourceOf } from './owners.ts';
import { tables, pipeline } from './pipeline.ts';
import { HOST, hostFlows, neighborFlows, portFlows } from './program.ts';
import type { AddressGroup, LocalPort, Neighbor, ResourceOutcome, SecurityGroup } from './resources.ts';
import { addressGroupFlows, securityGroupFlows } from './security-groups.ts';
import { SecurityIndex } from './security-index.ts';
import { groupsOf } from './security.ts';
import { SwitchLost, type PluggedInterface, type Switch, type SwitchEvent } from './switch.ts';
import { Tracker, type Planned } from './tracker.ts';

/** Changes per barrier: 1,000 flow-mods are some 150 kB on the wire and some 15 ms of the switch's time. */
const BATCH = 1000;
/** Pause before what was refused is tried again; doubles up to the second. */
const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 30_000;

/** Of two resources that want the same place, the one on this host knows better. */
const RANK = { host: 0, port: 1, neighbor: 2, group: 3, addresses: 3 } as const;

export interface DataplaneOptions {
  readonly switch: Switch;
  /** This host's underlay address. */
  readonly hostIp: string;
  readonly clock: Clock;
  /** Told when a resource's outcome becomes another than the last one given, outside of `flush` and `reconcile`. */
  readonly onPortOutcome?: (outcome: ResourceOutcome) => void;
}

export class Dataplane {
  readonly #switch: Switch;
  readonly #hostIp: string;
  readonly #clock: Clock;
  readonly #tell: (outcome: ResourceOutcome) => void;
  readonly #tracker = new Tracker();
  readonly #ports = new Map<string, LocalPort>();
  readonly #neighbors = new Map<string, Neighbor>();
  readonly #security = new SecurityIndex();
  readonly #plugged = new Map<string, PluggedInterface>();
  /** Interfaces that are there but unusable, and the switch's words for it. */
  readonly #broken = new Map<string, string>();
  /** Owners whose values make no flows, and why. */
  readonly #invalid = new Map<string, string>();
  /** Set or removed since the last flush. */
  readonly #touched = new Set<string>();
  /** Changed by something else, to be told of when it differs from what was said last. */
  readonly #stirred = new Set<string>();
  /** What was said last: of ports always, of others only when not ok. */
  readonly #told = new Map<string, ResourceOutcome>();
  /** Those last said not to be ok. */
  readonly #troubled = new Set<string>();
  #tunnelPort: number | null = null;
  /** Null while connected. */
  #lost: string | null = 'not started';
  /** Whether what the tracker holds as present may be wrong. */
  #doubt = true;
  #reconciled = false;
  #jobs: Promise<unknown> = Promise.resolve();
  #kicked = false;
  #retry: Timer | null = null;
  #retryMs = FIRST_RETRY_MS;
  #signal: AbortSignal = AbortSignal.abort();

  constructor(options: DataplaneOptions) {
    this.#switch = options.switch;
    this.#hostIp = options.hostIp;
    this.#clock = options.clock;
    this.#tell = options.onPortOutcome ?? (() => undefined);
    this.#programHost();
  }

  /** Connects and reads the flows present, which stay in force until `reconcile`. Lives until `signal` aborts. */
  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#retry?.cancel(), { once: true });
    await this.#switch.start((event) => this.#onEvent(event), signal);
    this.#lost = null;
    await this.#exclusively(() => this.#read(signal));
  }

  setPort(port: LocalPort): void {
    this.#ports.set(port.id, port);
    this.#touched.add(port.id);
    const { securityGroupIds = [] } = port;
    this.#programAll(this.#security.setPort(portOwner(port.id), securityGroupIds, groupsOf(port) !== null));
    this.#programPort(port.id);
  }

  removePort(id: string): void {
    this.#ports.delete(id);
    this.#touched.add(id);
    this.#programAll(this.#security.setPort(portOwner(id), [], true));
    this.#programPort(id);
  }

  setNeighbor(neighbor: Neighbor): void {
    this.#neighbors.set(neighbor.id, neighbor);
    this.#touched.add(neighbor.id);
    this.#security.setNeighbor(neighborOwner(neighbor.id), neighbor.securityGroupIds ?? []);
    this.#programNeighbor(neighbor.id);
  }

  removeNeighbor(id: string): void {
    this.#neighbors.delete(id);
    this.#touched.add(id);
    this.#security.setNeighbor(neighborOwner(id), []);
    this.#programNeighbor(id);
  }

  /** A group judges the ports that name it; one that is not known here allows nothing. */
  setSecurityGroup(group: SecurityGroup): void {
    this.#touched.add(group.id);
    this.#programAll(this.#security.setGroup(group));
  }

  removeSecurityGroup(id: string): void {
    this.#touched.add(id);
    this.#programAll(this.#security.removeGroup(id));
  }

  setAddressGroup(group: AddressGroup): void {
    this.#touched.add(group.id);
    this.#security.setAddressGroup(group);
    this.#programAddressGroup(group.id);
  }

  removeAddressGroup(id: string): void {
    this.#touched.add(id);
    this.#security.removeAddressGroup(id);
    this.#programAddressGroup(id);
  }

  /**
   * Writes what is pending, make before break; resolves after the barrier with an outcome for each resource touched since
   * the last flush (one that was removed is ok when nothing of it is left). Deletes only flows that this data plane wrote
   * or adopted, until `reconcile`.
   */
  async flush(signal: AbortSignal): Promise<readonly ResourceOutcome[]> {
    return this.#exclusively(() => this.#flush(signal));
  }

  /**
   * Says that all resources are here now: flows that belong to none of them are deleted, from now on also after each loss
   * of the switch. Outcomes as from `flush`.
   */
  async reconcile(signal: AbortSignal): Promise<readonly ResourceOutcome[]> {
    return this.#exclusively(async () => {
      if (!this.#doubt) this.#tracker.sweep();
      this.#reconciled = true;
      return this.#flush(signal);
    });
  }

  /** The state for people and tools. Costs a look at every flow. */
  describe(): DataplaneDescription {
    const { wanted, ...flows } = this.#tracker.describe();
    return {
      switch: this.#switch.name,
      connected: this.#lost === null,
      tunnelPort: this.#tunnelPort,
      tables: tables.map((name) => ({ id: pipeline[name].id, name, flows: wanted.get(pipeline[name].id) ?? 0 })),
      ports: [...this.#ports.values()].map(({ id, vni, mac, ips }) => {
        const { status, reason } = this.#outcome(id);
        return { id, vni, mac, ips, plugged: this.#plugged.get(id) ?? null, status, reason };
      }),
      neighbors: this.#neighbors.size,
      flows,
    };
  }

  async #flush(signal: AbortSignal): Promise<readonly ResourceOutcome[]> {
    const ids = [...this.#touched];
    this.#touched.clear();
    try {
      await this.#work(signal);
    } catch (error) {
      for (const id of ids) this.#touched.add(id);
      throw error;
    }
    const outcomes = ids.map((id) => this.#outcome(id));
    for (const outcome of outcomes) this.#remember(outcome);
    this.#tellChanges();
    return outcomes;
  }

  /** Brings the switch in line. A switch that is away is no error here: outcomes say so, and its return repairs. */
  async #work(caller: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([caller, this.#signal]);
    signal.throwIfAborted();
    if (this.#lost !== null) return;
    try {
      if (this.#doubt) await this.#read(signal);
      await this.#drain(signal);
    } catch (error) {
      this.#doubt = true;
      // A switch may be back before this is noticed, or never have said that it went; a caller may never come back.
      this.#scheduleRetry();
      if (!(error instanceof SwitchLost)) throw error;
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const present: FlowIdentity[] = [];
    for await (const flow of this.#switch.flows(signal)) present.push(flow);
    this.#tracker.replacePresent(present);
    if (this.#reconciled) this.#tracker.sweep();
    this.#doubt = false;
  }

  async #drain(signal: AbortSignal): Promise<void> {
    for (let changes = this.#tracker.pending(); changes.length > 0; changes = this.#tracker.pending()) {
      await this.#applyAll(changes, signal);
    }
    if (this.#tracker.refused > 0) this.#scheduleRetry();
    else this.#retryMs = FIRST_RETRY_MS;
  }

  /** While the switch is at work on one batch, the next is put into words. */
  async #applyAll(changes: readonly Planned[], signal: AbortSignal): Promise<void> {
    const underWay: Promise<void>[] = [];
    try {
      for (let at = 0; at < changes.length; at += BATCH) {
        // Resources may have changed while the batches before were under way.
        const batch = changes.slice(at, at + BATCH).filter((planned) => this.#tracker.stands(planned));
        if (batch.length === 0) continue;
        const applied = this.#apply(batch, signal);
        applied.catch(() => undefined);
        underWay.push(applied);
        if (underWay.length > 1) await underWay.shift();
      }
      await Promise.all(underWay);
    } finally {
      await Promise.allSettled(underWay);
    }
  }

  async #apply(batch: readonly Planned[], signal: AbortSignal): Promise<void> {
    const changes = batch.map(({ change }) => change);
    const failures = await this.#switch.apply(changes, signal);
    for (const owner of this.#tracker.settle(batch, failures)) {
      // The host's own flows are no resource, but every port's trouble.
      for (const id of owner === HOST ? this.#ports.keys() : [resourceOf(owner)]) this.#stirred.add(id);
    }
  }

  #onEvent(event: SwitchEvent): void {
    switch (event.type) {
      case 'plugged':
        return this.#onPlugged(event.iface);
      case 'unplugged':
        return this.#onUnplugged(event.ifaceId, event.reason);
      case 'tunnel':
        if (event.ofport === this.#tunnelPort) return undefined;
        this.#tunnelPort = event.ofport;
        this.#programHost();
        return this.#kick();
      case 'lost':
        this.#lost = event.reason;
        this.#doubt = true;
        return undefined;
      case 'connected':
        this.#lost = null;
        this.#doubt = true;
        return this.#kick();
      default:
        return unreachable(event);
    }
  }

  #onPlugged(iface: PluggedInterface): void {
    const before = this.#plugged.get(iface.ifaceId);
    this.#plugged.set(iface.ifaceId, iface);
    this.#broken.delete(iface.ifaceId);
    if (before?.ofport !== iface.ofport) this.#stir(iface.ifaceId);
  }

  #onUnplugged(id: string, reason: string): void {
    this.#plugged.delete(id);
    if (reason === '') this.#broken.delete(id);
    else this.#broken.set(id, reason);
    this.#stir(id);
  }

  #stir(id: string): void {
    if (!this.#ports.has(id)) return;
    this.#stirred.add(id);
    this.#programPort(id);
    this.#kick();
  }

  #programHost(): void {
    this.#program(HOST, RANK.host, () => hostFlows(this.#tunnelPort));
  }

  #programPort(id: string): void {
    const port = this.#ports.get(id);
    const ofport = this.#plugged.get(id)?.ofport;
    if (port === undefined || ofport === undefined) this.#withdraw(portOwner(id));
    else this.#program(portOwner(id), RANK.port, () => portFlows(port, ofport, this.#security));
  }

  #programNeighbor(id: string): void {
    const neighbor = this.#neighbors.get(id);
    if (neighbor === undefined) this.#withdraw(neighborOwner(id));
    else this.#program(neighborOwner(id), RANK.neighbor, () => neighborFlows(neighbor, this.#hostIp, this.#security));
  }

  #programGroup(id: string): void {
    const group = this.#security.groupInUse(id);
    if (group === undefined) this.#withdraw(`group ${id}`);
    else this.#program(`group ${id}`, RANK.group, () => securityGroupFlows(group));
  }

  #programAddressGroup(id: string): void {
    const group = this.#security.addressGroupInUse(id);
    if (group === undefined) this.#withdraw(`addresses ${id}`);
    else this.#program(`addresses ${id}`, RANK.addresses, () => addressGroupFlows(group));
  }

  /** What a change elsewhere has concerned. */
  #programAll(owners: ReadonlySet<Owner>): void {
    for (const owner of owners) {
      const id = resourceOf(owner);
      if (owner.startsWith('port ')) this.#programPort(id);
      else if (owner.startsWith('neighbor ')) this.#programNeighbor(id);
      else if (owner.startsWith('group ')) this.#programGroup(id);
      else this.#programAddressGroup(id);
      if (!this.#touched.has(id)) this.#stirred.add(id);
    }
  }

  #program(owner: string, rank: number, flows: () => readonly Flow[]): void {
    try {
      this.#tracker.set(owner, rank, flows());
      this.#invalid.delete(owner);
    } catch (error) {
      this.#withdraw(owner);
      this.#invalid.set(owner, error instanceof Error ? error.message : String(error));
    }
  }

  #withdraw(owner: string): void {
    this.#invalid.delete(owner);
    this.#tracker.remove(owner);
  }

  #outcome(id: string): ResourceOutcome {
    const reason = this.#failure(id);
    if (reason !== null) return { resourceId: id, status: 'failed', reason };
    if (!this.#ports.has(id) || this.#plugged.has(id)) return { resourceId: id, status: 'ok', reason: '' };
    const why = this.#broken.get(id) ?? `no interface with external_ids:iface-id=${id} on the bridge`;
    return { resourceId: id, status: 'unplugged', reason: why };
  }

  #failure(id: string): string | null {
    if (this.#tunnelPort !== null && this.#invalid.size === 0 && this.#tracker.idle) return null;
    const owners = ownersOf(id);
    for (const owner of [...owners, HOST]) {
      const reason = this.#invalid.get(owner) ?? this.#tracker.refusal(owner);
      if (reason !== null) return owner === HOST ? `flows of the host itself: ${reason}` : reason;
    }
    const remote = this.#neighbors.get(id);
    const tunnelled = remote !== undefined && remote.hostIp !== this.#hostIp && !this.#ports.has(id);
    if (tunnelled && this.#tunnelPort === null) return 'the bridge has no tunnel port';
    if (![...owners, HOST].some((owner) => this.#tracker.waits(owner))) return null;
    return this.#lost === null ? 'not yet confirmed by the switch' : `the switch is away: ${this.#lost}`;
  }

  #remember(outcome: ResourceOutcome): void {
    const { resourceId: id, status } = outcome;
    this.#stirred.delete(id);
    if (status === 'ok') this.#troubled.delete(id);
    else this.#troubled.add(id);
    if (status !== 'ok' || this.#ports.has(id)) this.#told.set(id, outcome);
    else this.#told.delete(id);
    for (const owner of ownersOf(id)) this.#tracker.forget(owner);
  }

  /** Says what has become different of resources that no flush is about to answer for. */
  #tellChanges(): void {
    for (const id of new Set([...this.#stirred, ...this.#troubled])) {
      if (this.#touched.has(id)) continue;
      const before = this.#told.get(id);
      const now = this.#outcome(id);
      this.#remember(now);
      if (now.status !== (before?.status ?? 'ok') || now.reason !== (before?.reason ?? '')) this.#tell(now);
    }
  }

  /** Has the work done soon, once, whatever number of events asks for it. */
  #kick(): void {
    if (this.#kicked || this.#lost !== null || this.#signal.aborted) return;
    this.#kicked = true;
    void this.#exclusively(() => this.#background()).catch(() => undefined);
  }

  async #background(): Promise<void> {
    this.#kicked = false;
    try {
      await this.#work(this.#signal);
      this.#tellChanges();
    } catch {
      // Nobody waits for an answer here, and a retry is on its way.
    }
  }

  #scheduleRetry(): void {
    if (this.#retry !== null || this.#signal.aborted) return;
    this.#retry = this.#clock.timer(this.#retryMs, () => {
      this.#retry = null;
      this.#tracker.retry();
      this.#kick();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #exclusively<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#jobs.then(job);
    this.#jobs = result.catch(() => undefined);
    return result;
  }
}
