/** Which interfaces are on the bridge, and by which of them ports are reached: their own, or as sub-ports of a trunk that of another port. */
import type { LocalPort } from './resources.ts';
import { put } from './sets.ts';
import type { PluggedInterface } from './switch.ts';
import { portKey } from './trunk.ts';

export class Plugs {
  readonly #interfaces = new Map<string, PluggedInterface>();
  /** Interfaces that are there but unusable, and the switch's words for it. */
  readonly #broken = new Map<string, string>();
  /** By the id of the interface. */
  readonly #portsBy = new Map<string, Set<string>>();
  readonly #interfaceOf = new Map<string, string>();
  readonly #portAt = new Map<number, string>();
  readonly #keyOf = new Map<string, number>();

  /** A port is here, or (undefined) not any more. */
  setPort(id: string, port: LocalPort | undefined): void {
    const before = this.#interfaceOf.get(id);
    const now = port === undefined ? undefined : interfaceOf(port);
    if (before !== undefined && before !== now) put(this.#portsBy, before, id, false);
    if (now === undefined) this.#interfaceOf.delete(id);
    else {
      this.#interfaceOf.set(id, now);
      put(this.#portsBy, now, id, true);
    }
    this.#setKey(id, port);
  }

  /** Answers with the ports that are reached by the interface, where it is at another place than before. */
  plug(iface: PluggedInterface): readonly string[] {
    const before = this.#interfaces.get(iface.ifaceId);
    this.#interfaces.set(iface.ifaceId, iface);
    this.#broken.delete(iface.ifaceId);
    return before?.ofport === iface.ofport ? [] : this.#reachedBy(iface.ifaceId);
  }

  /** Answers with the ports that were reached by it. */
  unplug(ifaceId: string, reason: string): readonly string[] {
    this.#interfaces.delete(ifaceId);
    if (reason === '') this.#broken.delete(ifaceId);
    else this.#broken.set(ifaceId, reason);
    return this.#reachedBy(ifaceId);
  }

  /** The interface by which the port is reached, if it is plugged. */
  interfaceFor(port: LocalPort): PluggedInterface | undefined {
    return this.#interfaces.get(interfaceOf(port));
  }

  /** What flows know the port by, while it is plugged. Its interface may have come or gone since it was asked last. */
  keyFor(port: LocalPort): number | undefined {
    this.#setKey(port.id, port);
    return this.#keyOf.get(port.id);
  }

  /** The port that flows know by this key. */
  portAt(key: number): string | undefined {
    return this.#portAt.get(key);
  }

  whyUnplugged(port: LocalPort): string {
    const id = interfaceOf(port);
    return this.#broken.get(id) ?? `no interface with external_ids:iface-id=${id} on the bridge`;
  }

  #reachedBy(ifaceId: string): readonly string[] {
    return [...(this.#portsBy.get(ifaceId) ?? [])];
  }

  #setKey(id: string, port: LocalPort | undefined): void {
    const iface = port === undefined ? undefined : this.interfaceFor(port);
    const before = this.#keyOf.get(id);
    const now = port === undefined || iface === undefined ? undefined : portKey(port, iface.ofport);
    // Another port may have the number already.
    if (before !== undefined && this.#portAt.get(before) === id) this.#portAt.delete(before);
    if (now === undefined) this.#keyOf.delete(id);
    else {
      this.#keyOf.set(id, now);
      this.#portAt.set(now, id);
    }
  }
}

function interfaceOf({ id, trunk }: LocalPort): string {
  return trunk?.parentId ?? id;
}
