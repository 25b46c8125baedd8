/**
 * Which subnets have an ACL and ports on this host: so that a change finds what it concerns. Every method answers with the owners whose
 * flows may have become others.
 */
import type { AclView } from './network-acl.ts';
import type { Owner } from './owners.ts';
import type { NetworkAcl } from './resources.ts';
import { put } from './sets.ts';

const none: readonly string[] = [];

export class AclIndex implements AclView {
  readonly #acls = new Map<string, NetworkAcl>();
  /** By subnet: one, but while it changes. */
  readonly #aclsOf = new Map<string, Set<string>>();
  readonly #portsIn = new Map<string, Set<Owner>>();
  readonly #subnetsOf = new Map<Owner, readonly string[]>();

  isJudged(subnetId: string): boolean {
    return this.#aclsOf.has(subnetId);
  }

  /** The ACL with those of its subnets that ports are in; undefined where there is none. */
  inUse(id: string): NetworkAcl | undefined {
    const acl = this.#acls.get(id);
    const subnets = acl?.subnets.filter((subnet) => this.#portsIn.has(subnet.id)) ?? [];
    return acl === undefined || subnets.length === 0 ? undefined : { ...acl, subnets };
  }

  /** Those that judge what crosses the borders of these subnets. */
  judgesOf(subnetIds: readonly string[]): readonly NetworkAcl[] {
    const ids = new Set(subnetIds.flatMap((subnetId) => [...(this.#aclsOf.get(subnetId) ?? none)]));
    return [...ids].flatMap((id) => this.#acls.get(id) ?? []);
  }

  /** The port's own flows are not among those answered. */
  setPort(owner: Owner, subnetIds: readonly string[]): ReadonlySet<Owner> {
    const before = this.#subnetsOf.get(owner) ?? none;
    if (subnetIds.length > 0) this.#subnetsOf.set(owner, subnetIds);
    else this.#subnetsOf.delete(owner);
    const affected = new Set<Owner>();
    const move = (subnetId: string, isIn: boolean): void => {
      if (!put(this.#portsIn, subnetId, owner, isIn)) return;
      for (const id of this.#aclsOf.get(subnetId) ?? none) affected.add(`acl ${id}`);
    };
    for (const id of subnetIds) move(id, true);
    for (const id of before) if (!subnetIds.includes(id)) move(id, false);
    return affected;
  }

  setAcl(acl: NetworkAcl): ReadonlySet<Owner> {
    return this.#replace(acl.id, acl);
  }

  removeAcl(id: string): ReadonlySet<Owner> {
    return this.#replace(id, undefined);
  }

  #replace(id: string, acl: NetworkAcl | undefined): ReadonlySet<Owner> {
    const was = new Set(this.#acls.get(id)?.subnets.map((subnet) => subnet.id));
    const is = new Set(acl?.subnets.map((subnet) => subnet.id));
    if (acl === undefined) this.#acls.delete(id);
    else this.#acls.set(id, acl);
    const affected = new Set<Owner>([`acl ${id}`]);
    for (const subnetId of new Set([...was, ...is])) {
      if (was.has(subnetId) === is.has(subnetId) || !put(this.#aclsOf, subnetId, id, is.has(subnetId))) continue;
      for (const port of this.#portsIn.get(subnetId) ?? []) affected.add(port);
    }
    return affected;
  }
}
