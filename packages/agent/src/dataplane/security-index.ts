/**
 * Which groups are in use on this host, who their members are and which sets their rules ask for: so that a change
 * finds what it concerns without a look at anything else. Every method answers with the owners whose flows may have
 * become others.
 */
import { isOf, type Owner } from './owners.ts';
import type { AddressGroup, SecurityGroup } from './resources.ts';
import { remoteSet } from './security-groups.ts';
import type { RemoteSet } from './security-keys.ts';
import type { SecurityView } from './security.ts';
import { put } from './sets.ts';

const nobody: ReadonlySet<Owner> = new Set();

export class SecurityIndex implements SecurityView {
  readonly #groups = new Map<string, SecurityGroup>();
  readonly #addressGroups = new Map<string, AddressGroup>();
  /** Groups of each holder that has any. */
  readonly #groupsOf = new Map<Owner, readonly string[]>();
  readonly #members = new Map<string, Set<Owner>>();
  /** Ports of this host that a group judges. */
  readonly #judged = new Map<string, Set<Owner>>();
  /** The sets that the rules of each group in use ask for. */
  readonly #asks = new Map<string, ReadonlySet<RemoteSet>>();
  /** And the groups in use that ask for each set. */
  readonly #askers = new Map<RemoteSet, Set<string>>();

  /** How many groups that have been told of have rules that refer to each group. */
  readonly #namers = new Map<string, number>();

  isStateless(groupId: string): boolean {
    return this.#groups.get(groupId)?.stateful === false;
  }

  isAsked(groupId: string): boolean {
    return this.#askers.has(`group ${groupId}`);
  }

  isNamed(groupId: string): boolean {
    return this.#namers.has(groupId);
  }

  /** The group, if it judges a port of this host. */
  groupInUse(id: string): SecurityGroup | undefined {
    return this.#judged.has(id) ? this.#groups.get(id) : undefined;
  }

  /** The address group, if a group in use asks for it. */
  addressGroupInUse(id: string): AddressGroup | undefined {
    return this.#askers.has(`addresses ${id}`) ? this.#addressGroups.get(id) : undefined;
  }

  /**
   * The groups that a port of this host is in, and whether they judge it: without port security it is a member, as it is to other hosts,
   * and no more. The holder's own flows are not among those answered.
   */
  setPort(owner: Owner, groups: readonly string[], isJudged: boolean): ReadonlySet<Owner> {
    const [first] = this.#groupsOf.get(owner) ?? [];
    const wasJudged = first !== undefined && this.#judged.get(first)?.has(owner) === true;
    const left = wasJudged && !isJudged ? this.#setHolder(owner, [], true) : nobody;
    const before = !wasJudged && isJudged ? this.#setHolder(owner, [], false) : nobody;
    return new Set([...left, ...before, ...this.#setHolder(owner, groups, isJudged)]);
  }

  setNeighbor(owner: Owner, groups: readonly string[]): ReadonlySet<Owner> {
    return this.#setHolder(owner, groups, false);
  }

  setGroup(group: SecurityGroup): ReadonlySet<Owner> {
    const wasStateless = this.isStateless(group.id);
    const before = this.#groups.get(group.id);
    this.#groups.set(group.id, group);
    return new Set([...this.#onGroup(group.id, wasStateless), ...this.#onNames(before, group)]);
  }

  removeGroup(id: string): ReadonlySet<Owner> {
    const wasStateless = this.isStateless(id);
    const before = this.#groups.get(id);
    this.#groups.delete(id);
    return new Set([...this.#onGroup(id, wasStateless), ...this.#onNames(before, undefined)]);
  }

  setAddressGroup(group: AddressGroup): void {
    this.#addressGroups.set(group.id, group);
  }

  removeAddressGroup(id: string): void {
    this.#addressGroups.delete(id);
  }

  #setHolder(owner: Owner, groups: readonly string[], judged: boolean): ReadonlySet<Owner> {
    const before = this.#groupsOf.get(owner) ?? [];
    if (before.length === 0 && groups.length === 0) return nobody;
    if (groups.length > 0) this.#groupsOf.set(owner, groups);
    else this.#groupsOf.delete(owner);
    const changed = [
      ...before.filter((id) => !groups.includes(id)).map((id) => ({ id, joins: false })),
      ...groups.filter((id) => !before.includes(id)).map((id) => ({ id, joins: true })),
    ];
    const affected = new Set<Owner>();
    for (const { id, joins } of changed) {
      put(this.#members, id, owner, joins);
      if (!judged || !put(this.#judged, id, owner, joins)) continue;
      affected.add(`group ${id}`);
      this.#review(id, affected);
    }
    affected.delete(owner);
    return affected;
  }

  #onGroup(id: string, wasStateless: boolean): ReadonlySet<Owner> {
    const affected = new Set<Owner>([`group ${id}`]);
    this.#review(id, affected);
    if (this.isStateless(id) !== wasStateless) for (const port of this.#judged.get(id) ?? []) affected.add(port);
    return affected;
  }

  /** What the group's rules ask for, if it is in use, against what they asked for before. */
  #review(id: string, affected: Set<Owner>): void {
    const before = this.#asks.get(id) ?? new Set();
    const rules = this.groupInUse(id)?.rules ?? [];
    const now = new Set(rules.map(remoteSet).filter((remote) => remote !== null));
    if (now.size > 0) this.#asks.set(id, now);
    else this.#asks.delete(id);
    for (const remote of new Set([...before, ...now])) {
      if (before.has(remote) === now.has(remote)) continue;
      if (put(this.#askers, remote, id, now.has(remote))) this.#onAsked(remote, affected);
    }
  }

  /** The ports of this host whose groups have come to be named, or are not any more. */
  #onNames(before: SecurityGroup | undefined, after: SecurityGroup | undefined): Owner[] {
    const [was, is] = [namesOf(before), namesOf(after)];
    const changed: string[] = [];
    for (const id of new Set([...was, ...is])) {
      const count = this.#namers.get(id) ?? 0;
      const now = count + (is.has(id) ? 1 : 0) - (was.has(id) ? 1 : 0);
      if (now === 0) this.#namers.delete(id);
      else this.#namers.set(id, now);
      if ((count === 0) !== (now === 0)) changed.push(id);
    }
    return changed.flatMap((id) => [...(this.#members.get(id) ?? [])].filter((owner) => isOf('port', owner)));
  }

  #onAsked(remote: RemoteSet, affected: Set<Owner>): void {
    if (remote.startsWith('addresses ')) affected.add(remote);
    else for (const member of this.#members.get(remote.slice('group '.length)) ?? []) affected.add(member);
  }
}

/** The groups that its rules refer to. */
function namesOf(group: SecurityGroup | undefined): ReadonlySet<string> {
  return new Set((group?.rules ?? []).flatMap(({ remoteGroupId }) => remoteGroupId ?? []));
}
