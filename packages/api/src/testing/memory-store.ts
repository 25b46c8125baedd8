import {
  type Collection,
  type CollectionTypes,
  type CreatePort,
  type FixedIp,
  type IntentStore,
  type NetworkId,
  type NetworkTypes,
  type NodeTypes,
  type PortTypes,
  type Subnet,
  type SubnetTypes,
  changeAddressing,
  checkNoOverlap,
  contains,
  formatIp,
  parseCidr,
  parseIp,
  rangeOf,
  refusal,
  resolveAddressing,
} from '@alcor/network';
import type { AlcorError } from '@alcor/network';

/**
 * The smallest store that keeps the promises that the API relies on, for tests of what HTTP does. What the real one promises beyond
 * (durability, concurrency, uniqueness under load) is tested there.
 */
export interface MemoryStore extends IntentStore {
  /** While true, everything rejects as if the database could not be reached. */
  away: boolean;
}

interface Rules<T extends CollectionTypes> {
  readonly missing: (id: string) => AlcorError;
  readonly make: (input: T['create'], base: Base) => T['view'];
  readonly change: (row: T['view'], patch: T['update']) => T['view'];
  readonly check: (row: T['view']) => void;
  readonly drop: (row: T['view']) => void;
}

interface Base {
  readonly id: string;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export function memoryStore(): MemoryStore {
  const state = { away: false, made: 0 };
  const rows = {
    networks: new Map<string, Omit<NetworkTypes['view'], 'subnetIds'>>(),
    subnets: new Map<string, Subnet>(),
    ports: new Map<string, PortTypes['view']>(),
    nodes: new Map<string, NodeTypes['view']>(),
  };
  const subnetsOf = (networkId: string): readonly Subnet[] =>
    [...rows.subnets.values()].filter((one) => one.networkId === networkId);
  const portsOf = (networkId: string): readonly PortTypes['view'][] =>
    [...rows.ports.values()].filter((one) => one.networkId === networkId);
  const needNetwork = (networkId: NetworkId): void => {
    if (!rows.networks.has(networkId)) throw refusal('NetworkNotFound', { networkId });
  };

  const networks: Rules<NetworkTypes> = {
    missing: (networkId) => refusal('NetworkNotFound', { networkId }),
    make: (input, base) =>
      withDefaults(
        {
          name: '',
          description: '',
          adminStateUp: true,
          shared: false,
          mtu: 1450,
          vni: 1000 + state.made,
          portSecurityEnabled: true,
        },
        input,
        base,
      ),
    change: merged,
    check: (row) => {
      const twin = [...rows.networks.values()].some((one) => one.vni === row.vni && one.id !== row.id);
      if (twin) throw refusal('TunnelIdInUse', { vni: row.vni });
    },
    drop: ({ id: networkId }) => {
      if (portsOf(networkId).length > 0) throw refusal('NetworkInUse', { networkId });
      for (const one of subnetsOf(networkId)) rows.subnets.delete(one.id);
    },
  };
  const subnets: Rules<SubnetTypes> = {
    missing: (subnetId) => refusal('SubnetNotFound', { subnetId }),
    make: (input, base) => withDefaults({ name: '', description: '' }, { ...input, ...resolveAddressing(input) }, base),
    change: (row, patch) => ({ ...merged(row, patch), ...changeAddressing(row, patch) }),
    check: (row) => {
      needNetwork(row.networkId);
      checkNoOverlap(
        row.cidr,
        subnetsOf(row.networkId)
          .filter(({ id }) => id !== row.id)
          .map(({ cidr }) => cidr),
      );
    },
    drop: ({ id: subnetId }) => {
      const used = [...rows.ports.values()].some((one) => one.fixedIps.some((held) => held.subnetId === subnetId));
      if (used) throw refusal('SubnetInUse', { subnetId });
    },
  };
  const ports: Rules<PortTypes> = {
    missing: (portId) => refusal('PortNotFound', { portId }),
    make: (input, base) => {
      needNetwork(input.networkId);
      const defaults = {
        name: '',
        description: '',
        adminStateUp: true,
        hostId: null,
        deviceId: '',
        deviceOwner: '',
        portSecurityEnabled: true,
        status: 'DOWN',
        statusReason: '',
        mac: macOf(state.made),
      };
      return withDefaults(defaults, { ...input, fixedIps: allocate(input) }, base);
    },
    change: (row, patch) =>
      merged(
        row,
        patch.fixedIps === undefined
          ? patch
          : { ...patch, fixedIps: allocate({ ...row, fixedIps: patch.fixedIps }, row) },
      ),
    check: (row) => {
      const twin = portsOf(row.networkId).find((one) => one.mac === row.mac && one.id !== row.id);
      if (twin !== undefined) throw refusal('MacAddressInUse', { networkId: row.networkId, mac: row.mac });
    },
    drop: () => undefined,
  };
  const nodes: Rules<NodeTypes> = {
    missing: (nodeId) => refusal('NodeNotFound', { nodeId }),
    make: (input, base) => {
      if (rows.nodes.has(input.id)) throw refusal('NodeExists', { field: 'id', value: input.id });
      return withDefaults({ name: input.id }, input, { ...base, id: input.id });
    },
    change: merged,
    check: () => undefined,
    drop: ({ id: nodeId }) => {
      if ([...rows.ports.values()].some((one) => one.hostId === nodeId)) throw refusal('NodeInUse', { nodeId });
    },
  };

  function allocate(port: Pick<CreatePort, 'networkId' | 'fixedIps'>, before?: PortTypes['view']): readonly FixedIp[] {
    const around = subnetsOf(port.networkId);
    const others = portsOf(port.networkId).filter(({ id }) => id !== before?.id);
    const used = new Set(others.flatMap(({ fixedIps }) => fixedIps.map(({ ip }) => ip)));
    const asked = port.fixedIps ?? around.slice(0, 1).map(({ id }) => ({ subnetId: id, ip: undefined }));
    return asked.map(({ subnetId, ip }) => {
      const home = around.find((one) => (subnetId === undefined ? holds(one, ip ?? '') : one.id === subnetId));
      if (home === undefined)
        throw subnetId === undefined
          ? refusal('InvalidIpForNetwork', { ip: ip ?? '' })
          : refusal('SubnetNotFound', { subnetId });
      if (ip !== undefined && !holds(home, ip)) throw refusal('InvalidIpForSubnet', { ip });
      const chosen = ip ?? freeIn(home, used);
      if (used.has(chosen)) throw refusal('IpAddressAlreadyAllocated', { ip: chosen, subnetId: home.id });
      used.add(chosen);
      return { subnetId: home.id, ip: chosen };
    });
  }

  function collection<T extends CollectionTypes>(
    table: Map<string, T['view']>,
    rules: Rules<T>,
    view: (row: T['view']) => T['view'] = (row) => row,
  ): Collection<T> {
    const find = (id: string): T['view'] => {
      if (state.away) throw refusal('ServiceUnavailable', { reason: 'the database cannot be reached' });
      const row = table.get(id);
      if (row === undefined) throw rules.missing(id);
      return row;
    };
    const save = (row: T['view']): T['view'] => {
      rules.check(row);
      table.set((row as Base).id, row);
      return view(row);
    };
    return {
      create: async (inputs) => {
        if (state.away) find('');
        const before = [...table];
        return inputs.map((input, item) => {
          try {
            state.made += 1;
            const at = new Date(Date.UTC(2026, 0, 1) + state.made);
            return save(rules.make(input, { id: idOf(state.made), revision: 1, createdAt: at, updatedAt: at }));
          } catch (error) {
            table.clear();
            for (const [id, row] of before) table.set(id, row);
            throw (error as AlcorError).forItem(item);
          }
        });
      },
      get: async (id) => view(find(id)),
      list: async ({ filter = {}, sort = [], limit, marker, direction }) => {
        if (state.away) find('');
        const wanted = Object.entries(filter) as [string, readonly unknown[]][];
        const order = [...sort, { key: 'id', direction: 'asc' }];
        const all = [...table.values()]
          .filter((row) => wanted.every(([key, values]) => matches(row, key, values)))
          .toSorted((a, b) => compare(a, b, order));
        const facing = direction === 'backward' ? all.toReversed() : all;
        if (marker !== undefined) find(marker);
        const rest =
          marker === undefined ? facing : facing.slice(facing.findIndex((row) => (row as Base).id === marker) + 1);
        const page = rest.slice(0, limit).map((row) => view(row));
        return { rows: direction === 'backward' ? page.toReversed() : page, more: rest.length > page.length };
      },
      update: async (id, patch, options) => {
        const row = find(id);
        checkRevision(row as Base, options?.ifRevision);
        return save({ ...rules.change(row, patch), revision: (row as Base).revision + 1 });
      },
      delete: async (id, options) => {
        const row = find(id);
        checkRevision(row as Base, options?.ifRevision);
        rules.drop(row);
        table.delete(id);
      },
    };
  }

  return Object.assign(state, {
    networks: collection<NetworkTypes>(rows.networks as Map<string, NetworkTypes['view']>, networks, (row) => ({
      ...row,
      subnetIds: subnetsOf(row.id).map(({ id }) => id),
    })),
    subnets: collection<SubnetTypes>(rows.subnets, subnets),
    ports: collection<PortTypes>(rows.ports, ports),
    nodes: collection<NodeTypes>(rows.nodes, nodes),
    setPortStatuses: async () => undefined,
    ping: async () => undefined,
  });
}

function idOf(count: number): string {
  return `00000000-0000-7000-8000-${count.toString(16).padStart(12, '0')}`;
}

function macOf(count: number): string {
  const digits = count.toString(16).padStart(6, '0');
  return `fa:16:3e:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4)}`;
}

function withDefaults<V>(defaults: object, input: object, base: Base): V {
  return { ...defaults, ...base, ...present(input) } as V;
}

function merged<V extends object>(row: V, patch: object): V {
  return { ...row, ...present(patch) };
}

function present(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function checkRevision({ revision }: Base, expected: number | undefined): void {
  if (expected !== undefined && expected !== revision)
    throw refusal('RevisionNumberConstraintFailed', { expected, current: revision });
}

function holds(subnet: Subnet, ip: string): boolean {
  const block = parseCidr(subnet.cidr);
  const address = parseIp(ip);
  return block !== null && address !== null && contains(block, address);
}

function freeIn(subnet: Subnet, used: ReadonlySet<string>): string {
  for (const pool of subnet.allocationPools) {
    const { first, last } = rangeOf(pool);
    for (let value = first; value <= last; value += 1n) {
      const ip = formatIp({ version: subnet.ipVersion, value });
      if (!used.has(ip)) return ip;
    }
  }
  throw refusal('IpAddressGenerationFailure', { networkId: subnet.networkId });
}

function matches(row: object, key: string, values: readonly unknown[]): boolean {
  if (key === 'fixedIpAddress')
    return (row as { fixedIps: readonly FixedIp[] }).fixedIps.some(({ ip }) => values.includes(ip));
  if (key === 'fixedIpSubnetId')
    return (row as { fixedIps: readonly FixedIp[] }).fixedIps.some(({ subnetId }) => values.includes(subnetId));
  return values.includes((row as Record<string, unknown>)[key]);
}

function compare(
  left: object,
  right: object,
  order: readonly { readonly key: string; readonly direction: string }[],
): number {
  for (const { key, direction } of order) {
    const [a, b] = [left, right].map((row) => (row as Record<string, string | number>)[key] ?? '');
    if (a !== b) return (a ?? '') < (b ?? '') === (direction === 'asc') ? -1 : 1;
  }
  return 0;
}
