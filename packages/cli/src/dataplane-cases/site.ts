/** A region with hosts of Open vSwitch, and what a theme makes in it: networks and groups by the API, VMs as namespaces. */
import { api, eventually, type RegionJson, type Running, sh } from '../region/testing/region-process.ts';
import { outsideCommands } from './outside.ts';
import { type Probe, startProbe, startTagger, type Tagger } from './probes.ts';
import type { AclRule, QosRule, Rule } from './rules.ts';
import { commandsOf, settings, type VmPlan } from './vm-commands.ts';

export interface Network {
  readonly name: string;
  readonly id: string;
  readonly vni: number;
  readonly project: string;
  readonly subnets: readonly Subnet[];
}

interface Subnet {
  readonly id: string;
  readonly ip_version: 4 | 6;
  readonly cidr: string;
  readonly gateway_ip: string | null;
}

interface Port {
  readonly id: string;
  readonly mac_address: string;
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
}

export interface Vm {
  readonly name: string;
  readonly host: RegionJson['hosts'][number];
  readonly network: Network;
  readonly port: Port;
  readonly netns: string;
  /** The host's end of its cable. */
  readonly link: string;
  readonly mac: string;
  readonly addresses: { readonly 4: string; readonly 6: string };
  readonly probe: Probe;
}

/** What the cases of one theme are about. Names of networks, groups and VMs are the theme's own. */
export class Site {
  readonly networks = new Map<string, Network>();
  readonly vms = new Map<string, Vm>();
  readonly #groups = new Map<string, string>();
  readonly #acls = new Map<string, string>();
  readonly #policies = new Map<string, string>();
  /** By the name of its parent. */
  readonly #trunks = new Map<string, string>();
  readonly #subPorts = new Map<string, { readonly id: string; readonly vlan: number }>();
  readonly #taggers: Tagger[] = [];
  readonly #region: Running;
  readonly #short: string;
  readonly #onEvent: () => void;

  constructor(region: Running, short: string, onEvent: () => void) {
    this.#region = region;
    this.#short = short;
    this.#onEvent = onEvent;
  }

  get hosts(): RegionJson['hosts'] {
    return this.#region.json.hosts;
  }

  request<T>(method: string, path: string, body?: unknown): Promise<T> {
    return api<T>(this.#region.url, method, path, body);
  }

  /** A network with subnets 10.N.0.0/24 and fd00:N::/64; more of each if said. */
  async network(
    name: string,
    n: number,
    more: { project?: string; v4?: object; v6?: object; segment?: object } = {},
  ): Promise<Network> {
    const { project = 'one', v4 = {}, v6 = {}, segment = {} } = more;
    const project_id = this.project(project);
    const { network } = await this.request<{ network: { id: string; 'provider:segmentation_id': number } }>(
      'POST',
      '/v2.0/networks',
      { network: { name, project_id, ...segment } },
    );
    const make = async (fields: object): Promise<Subnet> => {
      const body = { subnet: { network_id: network.id, project_id, ...fields } };
      return (await this.request<{ subnet: Subnet }>('POST', '/v2.0/subnets', body)).subnet;
    };
    const subnets = [
      await make({ ip_version: 4, cidr: `10.${n}.0.0/24`, ...v4 }),
      await make({ ip_version: 6, cidr: `fd00:${n}::/64`, enable_dhcp: false, ...v6 }),
    ];
    const made = { name, id: network.id, vni: network['provider:segmentation_id'], project: project_id, subnets };
    this.networks.set(name, made);
    return made;
  }

  /** The id of a project of this theme. */
  project(name: string): string {
    return `${this.#short}${name}`.padEnd(32, '0');
  }

  /** A group with these rules; each rule's `group` and `addresses` name a remote group and address group. */
  async group(name: string, rules: readonly Rule[], more: object = {}, project = 'one'): Promise<string> {
    const project_id = this.project(project);
    const { security_group: made } = await this.request<{ security_group: { id: string } }>(
      'POST',
      '/v2.0/security-groups',
      { security_group: { name, project_id, ...more } },
    );
    this.#groups.set(name, made.id);
    for (const rule of rules) await this.rule(name, rule);
    return made.id;
  }

  /** Without the rules that each new group has. */
  async bareGroup(name: string, rules: readonly Rule[], more: object = {}): Promise<void> {
    const id = await this.group(name, [], more);
    const { security_group: made } = await this.request<{
      security_group: { security_group_rules: { id: string }[] };
    }>('GET', `/v2.0/security-groups/${id}`);
    for (const rule of made.security_group_rules) await this.removeRule(rule.id);
    for (const rule of rules) await this.rule(name, rule);
  }

  removeRule(id: string): Promise<unknown> {
    return this.request('DELETE', `/v2.0/security-group-rules/${id}`);
  }

  /** Of rules that allow this in a group; those of both families. */
  async removeRules(group: string, protocol: string, port: number): Promise<void> {
    const path = `/v2.0/security-group-rules?security_group_id=${this.groupId(group)}&protocol=${protocol}`;
    type Found = { id: string; port_range_min: number | null };
    const { security_group_rules: rules } = await this.request<{ security_group_rules: Found[] }>('GET', path);
    for (const { id } of rules.filter((rule) => rule.port_range_min === port)) await this.removeRule(id);
  }

  groupId(name: string): string {
    return found(this.#groups, name, 'group');
  }

  /** Answers with its id. */
  async rule(name: string, { group, addresses, family = 4, ...rule }: Rule): Promise<string> {
    const security_group_rule = {
      security_group_id: this.groupId(name),
      ethertype: `IPv${family}`,
      ...rule,
      ...(group === undefined ? {} : { remote_group_id: this.groupId(group) }),
      ...(addresses === undefined ? {} : { remote_address_group_id: this.groupId(addresses) }),
    };
    const path = '/v2.0/security-group-rules';
    return (await this.request<{ security_group_rule: { id: string } }>('POST', path, { security_group_rule }))
      .security_group_rule.id;
  }

  async addressGroup(name: string, addresses: readonly string[], project = 'one'): Promise<void> {
    const body = { address_group: { name, addresses, project_id: this.project(project) } };
    const { address_group: made } = await this.request<{ address_group: { id: string } }>(
      'POST',
      '/v2.0/address-groups',
      body,
    );
    this.#groups.set(name, made.id);
  }

  /** On all subnets of these networks. */
  async networkAcl(name: string, networks: readonly string[], rules: readonly AclRule[]): Promise<void> {
    const network_acl = { name, project_id: this.project('one'), subnet_ids: this.#subnetIds(networks) };
    const { network_acl: made } = await this.request<{ network_acl: { id: string } }>(
      'POST',
      '/alcor/v1/network-acls',
      { network_acl },
    );
    this.#acls.set(name, made.id);
    for (const rule of rules) await this.aclRule(name, rule);
  }

  aclId(name: string): string {
    return found(this.#acls, name, 'network ACL');
  }

  aclRule(name: string, { family = 4, ...rule }: AclRule): Promise<unknown> {
    const network_acl_rule = { network_acl_id: this.aclId(name), ethertype: `IPv${family}`, ...rule };
    return this.request('POST', '/alcor/v1/network-acl-rules', { network_acl_rule });
  }

  /** An ACL is for all subnets of these networks from now on. */
  setSubnetsOf(acl: string, networks: readonly string[]): Promise<unknown> {
    const network_acl = { subnet_ids: this.#subnetIds(networks) };
    return this.request('PUT', `/alcor/v1/network-acls/${this.aclId(acl)}`, { network_acl });
  }

  #subnetIds(networks: readonly string[]): string[] {
    return networks.flatMap((each) => found(this.networks, each, 'network').subnets).map(({ id }) => id);
  }

  /** On these subnets of networks, or both subnets of each. */
  async router(name: string, networks: readonly string[], fields: object = {}, project = 'one'): Promise<string> {
    const { router } = await this.request<{ router: { id: string } }>('POST', '/v2.0/routers', {
      router: { name, project_id: this.project(project), ...fields },
    });
    for (const subnet of networks.flatMap((each) => found(this.networks, each, 'network').subnets))
      await this.request('PUT', `/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    return router.id;
  }

  /** Rules by their kind, as the API calls them; answers with the rules' ids. */
  async policy(name: string, rules: readonly QosRule[], project = 'one'): Promise<string[]> {
    const body = { policy: { name, project_id: this.project(project) } };
    const { policy } = await this.request<{ policy: { id: string } }>('POST', '/v2.0/qos/policies', body);
    this.#policies.set(name, policy.id);
    return Promise.all(rules.map((rule) => this.policyRule(name, rule)));
  }

  policyId(name: string): string {
    return found(this.#policies, name, 'policy');
  }

  /** Answers with its id. */
  async policyRule(policy: string, { kind, ...rule }: QosRule): Promise<string> {
    const path = `/v2.0/qos/policies/${this.policyId(policy)}/${kind}s`;
    const made = await this.request<{ [name: string]: { id: string } }>('POST', path, { [kind]: rule });
    return made[kind]!.id;
  }

  changePolicyRule(policy: string, id: string, { kind, ...rule }: QosRule): Promise<unknown> {
    const path = `/v2.0/qos/policies/${this.policyId(policy)}/${kind}s/${id}`;
    return this.request('PUT', path, { [kind]: rule });
  }

  updateNetwork(name: string, network: object): Promise<unknown> {
    return this.request('PUT', `/v2.0/networks/${found(this.networks, name, 'network').id}`, { network });
  }

  updatePort(vm: string, port: object): Promise<unknown> {
    return this.request('PUT', `/v2.0/ports/${this.vm(vm).port.id}`, { port });
  }

  /** Gives a trunk sub-ports that have been its own, or takes them. */
  changeTrunk(parent: string, action: 'add_subports' | 'remove_subports', names: readonly string[]): Promise<unknown> {
    const sub_ports = names.map((name) => {
      const { id, vlan } = found(this.#subPorts, name, 'sub-port');
      return { port_id: id, segmentation_type: 'vlan', segmentation_id: vlan };
    });
    return this.request('PUT', `/v2.0/trunks/${found(this.#trunks, parent, 'trunk')}/${action}`, { sub_ports });
  }

  /** A parent is one before it is bound; a sub-port is where its parent is. */
  async #joinTrunk(name: string, { id }: Port, { host, trunk }: VmPlan): Promise<void> {
    if (trunk === undefined) return;
    if (trunk === 'parent') {
      const body = { trunk: { name, port_id: id, project_id: this.project('one') } };
      const made = await this.request<{ trunk: { id: string } }>('POST', '/v2.0/trunks', body);
      this.#trunks.set(name, made.trunk.id);
      await this.request('PUT', `/v2.0/ports/${id}`, { port: { 'binding:host_id': this.hosts[host - 1]!.id } });
    } else {
      this.#subPorts.set(name, { id, vlan: trunk.vlan });
      await this.changeTrunk(trunk.parent, 'add_subports', [name]);
    }
  }

  vm(name: string): Vm {
    return found(this.vms, name, 'VM');
  }

  /** Ports by the API, then namespaces on their hosts' switches; resolves when all that are up are ACTIVE. */
  async plug(plans: { readonly [name: string]: VmPlan }): Promise<void> {
    const made = await Promise.all(Object.entries(plans).map(([name, plan]) => this.#port(name, plan)));
    for (const { name, port, plan } of made) await this.#joinTrunk(name, port, plan);
    const places = made.map((each) => {
      const { trunk } = each.plan;
      return typeof trunk === 'object' ? { ...each, within: this.vm(trunk.parent).netns } : each;
    });
    sh(places.map(commandsOf).join('\n'));
    for (const { link, netns, within, plan } of places)
      if (typeof plan.trunk === 'object') {
        const { vlan } = plan.trunk;
        this.#taggers.push(await startTagger({ name: netns, netns: within, device: 'eth0', plain: link, vlan }));
      }
    for (const host of new Set(made.map(({ host: on }) => on))) {
      const ports = made
        .filter((each) => each.host === host && typeof each.plan.trunk !== 'object')
        .map(({ link, port: { id } }) => ({ link, id }));
      const added = ports.map(
        ({ link, id }) => `-- add-port ${host.bridge} ${link} -- set interface ${link} external_ids:iface-id=${id}`,
      );
      if (added.length > 0) sh(`ovs-vsctl --db=${host.ovsdb} ${added.join(' ')}`);
    }
    await Promise.all(
      made.map(async (each) => {
        const { name, netns } = each;
        const probe = await startProbe({ name, netns, device: 'eth0', role: 'vm' }, this.#onEvent);
        this.vms.set(name, { ...each, probe });
      }),
    );
    const ids = new Set(made.flatMap(({ port, down }) => (down ? [] : [port.id])));
    await eventually(
      'all ports ACTIVE',
      async () => {
        const { ports } = await this.request<{ ports: { id: string; status: string }[] }>(
          'GET',
          '/v2.0/ports?fields=id&fields=status&limit=1000',
        );
        return ports.filter(({ id, status }) => ids.has(id) && status !== 'ACTIVE').length;
      },
      (waiting) => waiting === 0,
      60_000,
    );
  }

  /** A machine on the physical network that is no VM, in the network that lies there; `also`: addresses that are reached through it. */
  async outside(
    name: string,
    of: string,
    {
      vlan,
      number = 1,
      also = [],
      routes = [],
    }: { vlan?: number; number?: number; also?: string[]; routes?: string[] },
  ): Promise<void> {
    const network = found(this.networks, of, 'network');
    const [first] = this.hosts;
    const region = first!.netns.replace(/-h\d+$/, '');
    const netns = `${region}-out-${this.#short}${name}`;
    const cable = `${this.#short}${name}`;
    const [four, six] = network.subnets.map(({ cidr }) => cidr.replace(/\d*\/\d+$/, String(number)));
    const mac = `02:0e:00:00:00:${(16 + this.vms.size).toString(16)}`;
    // A tag is the first host's physical bridge to give and to take, since not every kernel has VLAN devices.
    const at = vlan === undefined ? `${region}-net` : first!.netns;
    const plug =
      vlan === undefined
        ? `ip -n ${at} link set ${cable} master physical`
        : `ovs-vsctl --db=${first!.ovsdb} add-port br-ex ${cable} tag=${vlan}`;
    sh(
      outsideCommands({ netns, at, cable, plug, mac, addresses: [`${four}/24`, `${six}/64`], also, routes, settings }),
    );
    const probe = await startProbe({ name, netns, device: 'eth0', role: 'outside' }, this.#onEvent);
    const port: Port = { id: '', mac_address: mac, fixed_ips: [] };
    const host = { id: 'outside', ip: '', netns, ovsdb: first!.ovsdb, bridge: '' };
    this.vms.set(name, {
      name,
      host,
      network,
      port,
      netns,
      link: vlan === undefined ? '' : cable,
      mac,
      addresses: { 4: four!, 6: six! },
      probe,
    });
  }

  /** Ends the VMs; what the API has of them stays. */
  async close(): Promise<void> {
    const vms = [...this.vms.values()];
    await Promise.all([...vms.map(({ probe }) => probe), ...this.#taggers].map((each) => each.stop()));
    for (const { netns, host, link } of vms) {
      if (link !== '') sh(`ovs-vsctl --db=${host.ovsdb} --if-exists del-port ${link}`);
      sh(`ip netns del ${netns} || true`);
    }
    this.vms.clear();
  }

  /** A VM's kernel is told where others are without asking for it: what it then sends is stopped, if at all, as a packet. */
  teach(name: string, ...others: readonly string[]): void {
    const known = others.map((other) => this.vm(other));
    this.#teach(
      name,
      known.flatMap(({ addresses, mac }) => [addresses[4], addresses[6]].map((address) => [address, mac] as const)),
    );
  }

  /** That this VM has these addresses, whatever the API says. */
  teachAddresses(name: string, other: string, ...addresses: readonly string[]): void {
    const { mac } = this.vm(other);
    this.#teach(
      name,
      addresses.map((address) => [address, mac] as const),
    );
  }

  #teach(name: string, known: readonly (readonly [address: string, mac: string])[]): void {
    const commands = known.flatMap(([address, mac]) => [
      `route replace ${address}/${address.includes(':') ? 128 : 32} dev eth0`,
      `neigh replace ${address} lladdr ${mac} dev eth0 nud permanent`,
    ]);
    sh(`ip -n ${this.vm(name).netns} -batch - <<'END'\n${commands.join('\n')}\nEND`);
  }

  /** Runs `ip` commands in a VM. */
  inVm(name: string, ...commands: readonly string[]): void {
    for (const command of commands) sh(`ip -n ${this.vm(name).netns} ${command}`);
  }

  async #port(name: string, plan: VmPlan) {
    const network = found(this.networks, plan.network, 'network');
    const host = this.hosts[plan.host - 1]!;
    const fixed_ips = network.subnets.map((subnet) => ({
      subnet_id: subnet.id,
      ...(plan.number === undefined ? {} : { ip_address: subnet.cidr.replace(/\d*\/\d+$/, String(plan.number)) }),
    }));
    const security_groups = plan.groups?.map((each) => this.groupId(each));
    const body = {
      network_id: network.id,
      project_id: network.project,
      name,
      fixed_ips,
      ...(plan.trunk === undefined ? { 'binding:host_id': host.id } : {}),
      ...(security_groups === undefined ? {} : { security_groups }),
      ...plan.port,
    };
    const { port } = await this.request<{ port: Port }>('POST', '/v2.0/ports', { port: body });
    const of = (at: 0 | 1) => port.fixed_ips.find(({ subnet_id: id }) => id === network.subnets[at]!.id)!.ip_address;
    return {
      name,
      host,
      network,
      port,
      plan,
      mac: plan.mac ?? port.mac_address,
      netns: `${host.netns}-${this.#short}${name}`,
      /** Where the other end of its cable is. */
      within: host.netns,
      link: `${this.#short}${name}`,
      addresses: { 4: of(0), 6: of(1) },
      down: (plan.port as { admin_state_up?: boolean } | undefined)?.admin_state_up === false,
    };
  }
}

function found<T>(map: ReadonlyMap<string, T>, name: string, what: string): T {
  const value = map.get(name);
  if (value === undefined) throw new Error(`no ${what} ${name}`);
  return value;
}
