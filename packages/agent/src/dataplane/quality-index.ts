/** Which policies are known and which ports name each: so that a change finds the ports that it concerns. */
import type { QosPolicy } from './resources.ts';

const nobody: ReadonlySet<string> = new Set();

export class QualityIndex {
  readonly #policies = new Map<string, QosPolicy>();
  /** Policies of ports that name one. */
  readonly #named = new Map<string, string>();
  readonly #portsOf = new Map<string, Set<string>>();

  setPort(id: string, policyId: string | undefined): void {
    const before = this.#named.get(id);
    if (before === policyId) return;
    if (before !== undefined) this.#leave(id, before);
    if (policyId === undefined) return;
    this.#named.set(id, policyId);
    const ports = this.#portsOf.get(policyId) ?? new Set();
    this.#portsOf.set(policyId, ports.add(id));
  }

  /** Answers with the ports that name it. */
  setPolicy(policy: QosPolicy): ReadonlySet<string> {
    this.#policies.set(policy.id, policy);
    return this.#portsOf.get(policy.id) ?? nobody;
  }

  removePolicy(id: string): ReadonlySet<string> {
    this.#policies.delete(id);
    return this.#portsOf.get(id) ?? nobody;
  }

  /** That of a port, where it names one that is known. */
  policyOf(portId: string): QosPolicy | undefined {
    return this.#policies.get(this.#named.get(portId) ?? '');
  }

  #leave(id: string, policyId: string): void {
    this.#named.delete(id);
    const ports = this.#portsOf.get(policyId);
    ports?.delete(id);
    if (ports?.size === 0) this.#portsOf.delete(policyId);
  }
}
