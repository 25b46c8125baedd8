/** Addresses of external networks that this host answers for: which there are, and which are new, so that the wire is told of them. */
import type { FloatingIp, Router, RouterGateway } from './resources.ts';

export interface ServedAddress {
  readonly vni: number;
  readonly ip: string;
  readonly mac: string;
}

export class ServedAddresses {
  readonly #byOwner = new Map<string, readonly ServedAddress[]>();
  /** By network and MAC. */
  readonly #byMac = new Map<string, Set<ServedAddress>>();

  /** Answers with those that the owner did not have before. */
  set(owner: string, addresses: readonly ServedAddress[]): readonly ServedAddress[] {
    const before = this.#byOwner.get(owner) ?? [];
    for (const each of before) this.#byMac.get(keyOf(each))?.delete(each);
    if (addresses.length === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, addresses);
    for (const each of addresses) this.#byMac.set(keyOf(each), (this.#byMac.get(keyOf(each)) ?? new Set()).add(each));
    for (const each of before) if (this.#byMac.get(keyOf(each))?.size === 0) this.#byMac.delete(keyOf(each));
    return addresses.filter((each) => !before.some((old) => keyOf(old) === keyOf(each) && old.ip === each.ip));
  }

  /** Those that have this MAC on the network. */
  at(vni: number, mac: string): readonly ServedAddress[] {
    return [...(this.#byMac.get(keyOf({ vni, mac })) ?? [])];
  }
}

function keyOf({ vni, mac }: Pick<ServedAddress, 'vni' | 'mac'>): string {
  return `${vni} ${mac}`;
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
