/** Addresses of external networks that this host answers for: which there are, and which are new, so that the wire is told of them. */
import type { FloatingIp, Router, RouterGateway } from './resources.ts';

export interface ServedAddress {
  readonly vni: number;
  readonly ip: string;
  readonly mac: string;
}

export class ServedAddresses {
  readonly #byOwner = new Map<string, readonly ServedAddress[]>();
  /** By network, then by MAC. */
  readonly #onNetwork = new Map<number, Map<string, Set<ServedAddress>>>();

  /** Answers with those that the owner did not have before. */
  set(owner: string, addresses: readonly ServedAddress[]): readonly ServedAddress[] {
    const before = this.#byOwner.get(owner) ?? [];
    for (const each of before) this.#remove(each);
    if (addresses.length === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, addresses);
    for (const each of addresses) this.#add(each);
    return addresses.filter((each) => !before.some((old) => isSame(old, each)));
  }

  /** Those that have this MAC on the network. */
  at(vni: number, mac: string): readonly ServedAddress[] {
    return [...(this.#onNetwork.get(vni)?.get(mac) ?? [])];
  }

  /** All on the network. */
  *on(vni: number): Iterable<ServedAddress> {
    for (const those of this.#onNetwork.get(vni)?.values() ?? []) yield* those;
  }

  #add(address: ServedAddress): void {
    const { vni, mac } = address;
    const byMac = this.#onNetwork.get(vni) ?? new Map<string, Set<ServedAddress>>();
    this.#onNetwork.set(vni, byMac.set(mac, (byMac.get(mac) ?? new Set()).add(address)));
  }

  #remove(address: ServedAddress): void {
    const { vni, mac } = address;
    const byMac = this.#onNetwork.get(vni);
    const those = byMac?.get(mac);
    those?.delete(address);
    if (those?.size === 0) byMac?.delete(mac);
    if (byMac?.size === 0) this.#onNetwork.delete(vni);
  }
}

function isSame(one: ServedAddress, other: ServedAddress): boolean {
  return one.vni === other.vni && one.mac === other.mac && one.ip === other.ip;
}

/** A router's own, on its gateway host. */
export function servedByRouter(router: Router, hostIp: string): readonly ServedAddress[] {
  const gateway = gatewayHere(router, hostIp);
  return (gateway?.addresses ?? []).map(({ ip }) => ({ vni: gateway!.vni, ip, mac: gateway!.mac }));
}

/** The router's gateway, where this host has it. */
export function gatewayHere({ adminStateUp, gateway }: Router, hostIp: string): RouterGateway | undefined {
  return adminStateUp && gateway?.hostIp === hostIp ? gateway : undefined;
}

export function servedByFloatingIp({ ip, mac }: FloatingIp, { vni }: RouterGateway): readonly ServedAddress[] {
  return [{ vni, ip, mac }];
}
