import type {
  AddressGroupId,
  GroupRule,
  MemoryFeed,
  NetworkId,
  PortId,
  Router,
  RouterId,
  RuledSecurityGroup,
  SecurityGroupId,
  SecurityGroupRuleId,
  SubnetId,
} from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';
import { subnetOf } from './addresses.ts';

const at = new Date(0);
const tenant = { projectId: 'project', name: '', description: '', createdAt: at, updatedAt: at };

/** The part of a tenant's work that goes beyond networks and ports: security groups that let everything pass, address groups, routers. */
export class Policies {
  readonly #random: Random;
  readonly #feed: MemoryFeed;
  readonly #isUsed: (router: Router, networkId?: NetworkId) => boolean;
  readonly #groups: SecurityGroupId[] = [];
  readonly #addresses: AddressGroupId[] = [];
  readonly #routers: RouterId[] = [];
  /** Pairs of networks that a router was on at one time. */
  readonly #met = new Set<string>();
  #made = 0;

  /** `isUsed`: whether a floating IP is led by the router, or by it to a port of the network. */
  constructor(random: Random, feed: MemoryFeed, isUsed: (router: Router, networkId?: NetworkId) => boolean) {
    this.#random = random;
    this.#feed = feed;
    this.#isUsed = isUsed;
  }

  get routers(): Router[] {
    return this.#routers.map((id) => this.#router(id));
  }

  get groups(): readonly SecurityGroupId[] {
    return [...this.#groups];
  }

  furnish(networks: readonly NetworkId[]): void {
    for (let n = 0; n < 2; n++) {
      this.#makeGroup();
      this.#makeRouter();
    }
    for (let n = 0; n < 6; n++) this.#changeInterfaces(networks);
  }

  /** Has most routers that are off switched on; there is a group at least. */
  mend(isMended: () => boolean): void {
    if (this.#groups.length === 0) this.#makeGroup();
    for (const router of this.routers)
      if (!router.adminStateUp && isMended())
        this.#feed.put('router', { ...router, revision: router.revision + 1, adminStateUp: true });
  }

  /** Groups for a port: none, or some that are there. */
  someGroups(): SecurityGroupId[] {
    return this.#groups.filter(() => this.#random.next() < 0.5);
  }

  /** Whether a router is on the network. */
  isRouted(networkId: NetworkId): boolean {
    return this.#routers.some((id) => this.#router(id).interfaces.some((each) => each.networkId === networkId));
  }

  /** Whether a router that is up is on both networks. */
  areJoined(one: NetworkId, other: NetworkId): boolean {
    const on = (id: RouterId, network: NetworkId): boolean =>
      this.#router(id).interfaces.some(({ networkId }) => networkId === network);
    return this.#routers.some((id) => this.#router(id).adminStateUp && on(id, one) && on(id, other));
  }

  haveMet(one: NetworkId, other: NetworkId): boolean {
    return this.#met.has(`${one} ${other}`);
  }

  /** Does one thing, with `used` the groups that ports are in; says what. */
  step(networks: readonly NetworkId[], used: ReadonlySet<SecurityGroupId>): string {
    const dice = this.#random.next();
    if (dice < 0.15 && this.#groups.length < 4) return this.#makeGroup();
    if (dice < 0.35) return this.#changeRules();
    if (dice < 0.42) return this.#deleteGroup(used);
    if (dice < 0.6) return this.#changeAddresses();
    if (dice < 0.7 && this.#routers.length < 2) return this.#makeRouter();
    if (dice < 0.95) return this.#changeInterfaces(networks);
    return this.#deleteRouter();
  }

  #makeGroup(): string {
    const id = `group-${++this.#made}` as SecurityGroupId;
    this.#groups.push(id);
    const flags = { stateful: true, isDefault: false, shared: false };
    this.#feed.put('security-group', { ...tenant, ...flags, id, revision: 1, rules: this.#rules(id) });
    return `make ${id}`;
  }

  /** Everything may pass, for more or fewer reasons. */
  #rules(id: SecurityGroupId): GroupRule[] {
    const all = { protocol: null, portRangeMin: null, portRangeMax: null, remoteIpPrefix: null };
    const rule = (n: number, direction: 'ingress' | 'egress'): GroupRule => ({
      ...all,
      id: `${id} ${n}` as SecurityGroupRuleId,
      direction,
      ethertype: 'IPv4',
      remoteGroupId: null,
      remoteAddressGroupId: null,
    });
    const others = this.#groups.filter(() => this.#random.next() < 0.3);
    const addresses = this.#addresses.filter(() => this.#random.next() < 0.5);
    return [
      rule(1, 'ingress'),
      rule(2, 'egress'),
      ...others.map((remoteGroupId, n) => ({ ...rule(3 + n, 'ingress'), remoteGroupId })),
      ...addresses.map((remoteAddressGroupId, n) => ({ ...rule(13 + n, 'egress'), remoteAddressGroupId })),
    ];
  }

  #changeRules(): string {
    if (this.#groups.length === 0) return 'nothing';
    const id = pick(this.#random, this.#groups);
    const group = this.#group(id);
    this.#feed.put('security-group', { ...group, revision: group.revision + 1, rules: this.#rules(id) });
    return `change the rules of ${id}`;
  }

  #deleteGroup(used: ReadonlySet<SecurityGroupId>): string {
    const named = this.#groups.flatMap((id) => this.#group(id).rules.map(({ remoteGroupId }) => remoteGroupId));
    const free = this.#groups.filter((id) => !used.has(id) && !named.includes(id));
    if (free.length === 0) return 'nothing';
    const id = pick(this.#random, free);
    this.#groups.splice(this.#groups.indexOf(id), 1);
    this.#feed.remove('security-group', id);
    return `delete ${id}`;
  }

  #changeAddresses(): string {
    const addresses = [`192.0.2.${between(this.#random, 1, 9)}/32`];
    if (this.#addresses.length < 2) {
      const id = `addresses-${++this.#made}` as AddressGroupId;
      this.#addresses.push(id);
      this.#feed.put('address-group', { ...tenant, id, revision: 1, addresses, shared: false });
      return `make ${id}`;
    }
    const id = pick(this.#random, this.#addresses);
    const group = this.#feed.get('address-group', id)!;
    this.#feed.put('address-group', { ...group, revision: group.revision + 1, addresses });
    return `change ${id}`;
  }

  #makeRouter(): string {
    const id = `router-${++this.#made}` as RouterId;
    this.#routers.push(id);
    const gateway = { gateway: null, gatewayPortId: null, enableSnat: true };
    const flags = { adminStateUp: true, distributed: true, ha: false, enableNdpProxy: false };
    const none = { flavorId: null, qosPolicyId: null, conntrackHelpers: [], routes: [], interfaces: [] };
    this.#feed.put('router', { ...tenant, ...gateway, ...flags, ...none, id, revision: 1 });
    return `make ${id}`;
  }

  /** A network is on one router at most, and no two with the same addresses are on one. */
  #changeInterfaces(networks: readonly NetworkId[]): string {
    if (this.#routers.length === 0 || networks.length === 0) return 'nothing';
    const router = this.#router(pick(this.#random, this.#routers));
    const networkId = pick(this.#random, networks);
    const has = router.interfaces.some((each) => each.networkId === networkId);
    if (has && this.#isUsed(router, networkId)) return 'nothing';
    if (!has && this.isRouted(networkId)) return 'nothing';
    const subnetId = networkId.replace('net', 'sub') as SubnetId;
    const { cidr, gateway } = subnetOf(networkId);
    if (!has && router.interfaces.some((each) => subnetOf(each.networkId).cidr === cidr)) return 'nothing';
    const added = {
      portId: `${router.id} ${networkId}` as PortId,
      networkId,
      mac: 'fa:16:3e:ff:00:01',
      fixedIps: [{ subnetId, ip: gateway }],
    };
    const interfaces = has
      ? router.interfaces.filter((each) => each.networkId !== networkId)
      : [...router.interfaces, added];
    this.#feed.put('router', { ...router, revision: router.revision + 1, interfaces });
    for (const one of interfaces) for (const other of interfaces) this.#met.add(`${one.networkId} ${other.networkId}`);
    return `${has ? 'take' : 'put'} ${router.id} ${has ? 'off' : 'on'} ${networkId}`;
  }

  #deleteRouter(): string {
    const free = this.#routers.filter((id) => this.#router(id).interfaces.length === 0);
    if (free.length === 0) return this.#switchRouter();
    const id = pick(this.#random, free);
    this.#routers.splice(this.#routers.indexOf(id), 1);
    this.#feed.remove('router', id);
    return `delete ${id}`;
  }

  #switchRouter(): string {
    if (this.#routers.length === 0) return 'nothing';
    const router = this.#router(pick(this.#random, this.#routers));
    const adminStateUp = !router.adminStateUp;
    this.#feed.put('router', { ...router, revision: router.revision + 1, adminStateUp });
    return `switch ${router.id} ${adminStateUp ? 'on' : 'off'}`;
  }

  #group(id: SecurityGroupId): RuledSecurityGroup {
    return this.#feed.get('security-group', id)!;
  }

  #router(id: RouterId): Router {
    return this.#feed.get('router', id)!;
  }
}
