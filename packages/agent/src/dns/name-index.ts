/** What a network's guests can be asked for by name: its ports' names, and its subnets, whose addresses all have one. */
import type { Goal, NeighborConfiguration, PortConfiguration } from '@alcor/contract';
import { canonicalAddress } from './addresses.ts';

type Port = PortConfiguration | NeighborConfiguration;

/**
 * Ports with names, local and on other hosts, by name and by address; those without cost nothing here. A name that says its domain (with a
 * dot at its end, or beside it) is kept with a dot at the end; one that is in the network's domains without.
 */
export class NameIndex {
  readonly #ports = new Map<string, Map<string, Port>>();
  readonly #cidrs = new Map<string, string>();

  /** Blocks of the network's subnets. */
  get cidrs(): Iterable<string> {
    return this.#cidrs.values();
  }

  /** The goal stands in the place of the one before; undefined: nothing does. */
  replace(before: Goal | undefined, after: Goal | undefined): void {
    if (before?.kind === 'subnet') this.#cidrs.delete(before.state.id);
    if (after?.kind === 'subnet') this.#cidrs.set(after.state.id, after.state.cidr);
    for (const { key, id } of entriesOf(before)) {
      const ports = this.#ports.get(key);
      ports?.delete(id);
      if (ports?.size === 0) this.#ports.delete(key);
    }
    for (const { key, id, port } of entriesOf(after)) {
      const ports = this.#ports.get(key) ?? new Map<string, Port>();
      this.#ports.set(key, ports.set(id, port));
    }
  }

  /** Addresses of the ports that have the name, which is in lower case. */
  addressesOf(name: string): string[] {
    const all = this.#portsAt(name).flatMap(({ fixedIps }) => fixedIps.map(({ ipAddress }) => ipAddress));
    return [...new Set(all)];
  }

  /** Ports with names that have the address. */
  portsWith(ip: string): readonly Port[] {
    return this.#portsAt(addressKey(ip));
  }

  #portsAt(key: string): Port[] {
    return [...(this.#ports.get(key)?.values() ?? [])];
  }
}

interface Entry {
  readonly key: string;
  /** A port of this host and the neighbour that it is to others are two. */
  readonly id: string;
  readonly port: Port;
}

function entriesOf(goal: Goal | undefined): Entry[] {
  if ((goal?.kind !== 'port' && goal?.kind !== 'neighbor') || goal.state.dnsName === '') return [];
  const { kind, state: port } = goal;
  const name = port.dnsName.toLowerCase();
  const whole = port.dnsDomain === '' || name.endsWith('.') ? [] : [`${name}.${port.dnsDomain.toLowerCase()}`];
  const keys = [name, ...whole, ...port.fixedIps.map(({ ipAddress }) => addressKey(ipAddress))];
  return keys.map((key) => ({ key, id: `${kind}/${port.id}`, port }));
}

/** No name has a colon. */
function addressKey(ip: string): string {
  return `:${canonicalAddress(ip) ?? ip}`;
}
