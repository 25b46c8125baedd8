/** Provider networks, the ports that lead to physical networks, and which of the ones the others reach. */
import type { ProviderNetwork } from './resources.ts';

export class ProviderIndex {
  readonly #networks = new Map<string, ProviderNetwork>();
  readonly #byVni = new Map<number, ProviderNetwork>();
  /** Ports to the bridges of physical networks, by their names. */
  readonly #wires = new Map<string, number>();

  get networks(): Iterable<ProviderNetwork> {
    return this.#networks.values();
  }

  get(id: string): ProviderNetwork | undefined {
    return this.#networks.get(id);
  }

  /** Answers with the VNIs that are concerned. */
  set(network: ProviderNetwork): ReadonlySet<number> {
    const before = this.remove(network.id);
    this.#networks.set(network.id, network);
    this.#byVni.set(network.vni, network);
    return new Set([...before, network.vni]);
  }

  remove(id: string): ReadonlySet<number> {
    const before = this.#networks.get(id);
    if (before === undefined) return new Set();
    this.#networks.delete(id);
    this.#byVni.delete(before.vni);
    return new Set([before.vni]);
  }

  /** Answers with the networks on it; undefined if the port is what it was. */
  setWire(physicalNetwork: string, ofport: number | null): readonly ProviderNetwork[] | undefined {
    if ((this.#wires.get(physicalNetwork) ?? null) === ofport) return undefined;
    if (ofport === null) this.#wires.delete(physicalNetwork);
    else this.#wires.set(physicalNetwork, ofport);
    return [...this.#networks.values()].filter((each) => each.physicalNetwork === physicalNetwork);
  }

  isOnWire(vni: number): boolean {
    return this.#byVni.has(vni);
  }

  /** The port that leads to the network's physical network; null: there is none. */
  wireOf(vni: number): number | null {
    return this.#wires.get(this.#byVni.get(vni)?.physicalNetwork ?? '') ?? null;
  }

  /** Why the network does not lead off this host; null where it does. */
  whyCutOff(vni: number): string | null {
    const network = this.#byVni.get(vni);
    if (network === undefined || this.#wires.has(network.physicalNetwork)) return null;
    return `this host has no bridge for the physical network ${network.physicalNetwork}`;
  }
}
