/**
 * Who gets copies of what a VM says to all of its network: the ports here, and the other hosts that have ports of it. A host counts for
 * as long as one neighbour says to be on it, so a neighbour more or less concerns nobody unless it is a host's first or last.
 */

/** Of one network, as this host sees it. */
export interface Audience {
  readonly vni: number;
  /** OpenFlow numbers of the ports here that are plugged and up, in order. */
  readonly ofports: readonly number[];
  /** Underlay addresses of the other hosts, in order. */
  readonly hosts: readonly string[];
}

/**
 * The copies are the actions of one flow, which is written anew when somebody joins or leaves, and each is a packet more that the sender's host
 * sends, so both are bounded: a network on more other hosts, or with more ports on one, has no broadcast.
 */
export const MOST_HOSTS = 64;
export const MOST_PORTS = 256;

/** A port that is here, plugged and up. */
interface Here {
  readonly vni: number;
  readonly ofport: number;
}

/** A port that is on another host. */
interface Away {
  readonly vni: number;
  readonly hostIp: string;
}

export class BroadcastIndex {
  readonly #networks = new Map<number, Network>();
  readonly #ports = new Map<string, Here>();
  /** Networks of which this host is not told all neighbours, by the VPC that says so, and how many say it. */
  readonly #closedBy = new Map<string, number>();
  readonly #closed = new Map<number, number>();

  /** Undefined: it is not here any more, not plugged or down. Answers with the networks whose audience has become another. */
  setPort(id: string, after: Here | undefined): readonly number[] {
    const before = this.#ports.get(id);
    if (before?.vni === after?.vni && before?.ofport === after?.ofport) return nobody;
    const changed: number[] = [];
    if (after !== undefined) changed.push(...this.#count(after.vni, 'ofports', after.ofport, 1));
    if (before !== undefined) changed.push(...this.#count(before.vni, 'ofports', before.ofport, -1));
    if (after === undefined) this.#ports.delete(id);
    else this.#ports.set(id, after);
    return changed;
  }

  /** From where it was to where it is; undefined: nowhere, or on this host. Answers with the networks whose audience has become another. */
  moveNeighbor(before: Away | undefined, after: Away | undefined): readonly number[] {
    if (before?.vni === after?.vni && before?.hostIp === after?.hostIp) return nobody;
    return [
      ...(after === undefined ? nobody : this.#count(after.vni, 'hosts', after.hostIp, 1)),
      ...(before === undefined ? nobody : this.#count(before.vni, 'hosts', before.hostIp, -1)),
    ];
  }

  /** Of this network not all neighbours are told, so that nobody knows who is to get copies; null: of none any more. */
  close(vpcId: string, vni: number | null): readonly number[] {
    const before = this.#closedBy.get(vpcId) ?? null;
    if (before === vni) return nobody;
    if (vni === null) this.#closedBy.delete(vpcId);
    else {
      this.#closedBy.set(vpcId, vni);
      add(this.#closed, vni, 1);
    }
    if (before !== null) add(this.#closed, before, -1);
    return [before, vni].filter((each) => each !== null);
  }

  /** Undefined where nobody here has to know. */
  audience(vni: number): Audience | undefined {
    const network = this.#networks.get(vni);
    if (network === undefined || network.ofports.size === 0 || this.#closed.has(vni)) return undefined;
    if (network.ofports.size > MOST_PORTS || network.hosts.size > MOST_HOSTS) return undefined;
    const ofports = [...network.ofports.keys()].sort((a, b) => a - b);
    return { vni, ofports, hosts: [...network.hosts.keys()].sort() };
  }

  /** Those that anybody is known of. */
  networks(): readonly number[] {
    return [...this.#networks.keys()];
  }

  /** The network, if it has become another one. */
  #count<Side extends keyof Network>(vni: number, side: Side, at: Parameters<Network[Side]['get']>[0], more: 1 | -1) {
    let network = this.#networks.get(vni);
    if (network === undefined) this.#networks.set(vni, (network = { ofports: new Map(), hosts: new Map() }));
    const now = add(network[side] as Map<typeof at, number>, at, more);
    if (network.ofports.size + network.hosts.size === 0) this.#networks.delete(vni);
    return now === (more === 1 ? 1 : 0) ? [vni] : nobody;
  }
}

const nobody: readonly number[] = [];

/** What the count at `key` is then; none is no entry. */
function add<K>(counts: Map<K, number>, key: K, more: 1 | -1): number {
  const now = (counts.get(key) ?? 0) + more;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
  return now;
}

interface Network {
  /** How many are there. */
  readonly ofports: Map<number, number>;
  readonly hosts: Map<string, number>;
}
