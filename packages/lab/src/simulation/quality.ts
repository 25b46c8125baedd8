import {
  dscpMarks,
  type MemoryFeed,
  type Network,
  type Port,
  type QosPolicyId,
  type QosRule,
  type QosRuleId,
} from '@alcor/network';
import { between, pick, type Random } from '@alcor/runtime';

const at = new Date(0);
const tenant = { projectId: 'project', name: '', description: '', createdAt: at, updatedAt: at };
const MOST_POLICIES = 3;

/** The part of a tenant's work that limits and marks what ports send and get: QoS policies of ports and of networks. */
export class Quality {
  readonly #random: Random;
  readonly #feed: MemoryFeed;
  readonly #policies: QosPolicyId[] = [];
  #made = 0;

  constructor(random: Random, feed: MemoryFeed) {
    this.#random = random;
    this.#feed = feed;
  }

  /** The mark on what the port sends; 0: none. Its own policy counts, or else its network's. */
  markOf({ qosPolicyId, networkId }: Port): number {
    const id = qosPolicyId ?? this.#feed.get('network', networkId)?.qosPolicyId ?? null;
    const rules = id === null ? [] : (this.#feed.get('qos-policy', id)?.rules ?? []);
    return rules.flatMap((rule) => (rule.type === 'dscp_marking' ? [rule.dscpMark] : []))[0] ?? 0;
  }

  step(ports: readonly Port[], networks: readonly Network[]): string {
    const dice = this.#random.next();
    if (this.#policies.length === 0 || (dice < 0.15 && this.#policies.length < MOST_POLICIES)) return this.#make();
    if (dice < 0.35) return this.#change();
    if (dice < 0.42) return this.#delete(ports, networks);
    const policy = this.#random.next() < 0.75 ? pick(this.#random, this.#policies) : null;
    if (dice < 0.6 && networks.length > 0) return this.#setNetwork(pick(this.#random, networks), policy);
    return ports.length === 0 ? 'nothing' : this.#setPort(pick(this.#random, ports), policy);
  }

  #make(): string {
    const id = `policy-${++this.#made}` as QosPolicyId;
    this.#policies.push(id);
    this.#feed.put('qos-policy', {
      ...tenant,
      id,
      revision: 1,
      shared: false,
      isDefault: false,
      rules: this.#rules(id),
    });
    return `make ${id}`;
  }

  #rules(policyId: QosPolicyId): QosRule[] {
    const rule = (name: string) => ({ id: `${policyId} ${name}` as QosRuleId, policyId });
    const rates = { maxKbps: between(this.#random, 1, 9) * 1_000, maxBurstKbps: 0 };
    const packets = { maxKpps: between(this.#random, 1, 9), maxBurstKpps: 0 };
    const all: QosRule[] = [
      { ...rule('sent'), type: 'bandwidth_limit', direction: 'egress', ...rates },
      { ...rule('got'), type: 'bandwidth_limit', direction: 'ingress', ...rates },
      { ...rule('packets'), type: 'packet_rate_limit', direction: 'egress', ...packets },
      { ...rule('mark'), type: 'dscp_marking', dscpMark: pick(this.#random, dscpMarks) },
    ];
    return all.filter(() => this.#random.next() < 0.5);
  }

  #change(): string {
    const policy = this.#feed.get('qos-policy', pick(this.#random, this.#policies))!;
    this.#feed.put('qos-policy', { ...policy, revision: policy.revision + 1, rules: this.#rules(policy.id) });
    return `change the rules of ${policy.id}`;
  }

  #delete(ports: readonly Port[], networks: readonly Network[]): string {
    const used = new Set([...ports, ...networks].map(({ qosPolicyId }) => qosPolicyId));
    const free = this.#policies.filter((id) => !used.has(id));
    if (free.length === 0) return 'nothing';
    const id = pick(this.#random, free);
    this.#policies.splice(this.#policies.indexOf(id), 1);
    this.#feed.remove('qos-policy', id);
    return `delete ${id}`;
  }

  #setPort(port: Port, qosPolicyId: QosPolicyId | null): string {
    this.#feed.put('port', { ...port, revision: port.revision + 1, qosPolicyId });
    return `give ${port.id} ${qosPolicyId ?? 'no policy'}`;
  }

  #setNetwork(network: Network, qosPolicyId: QosPolicyId | null): string {
    this.#feed.put('network', { ...network, revision: network.revision + 1, qosPolicyId });
    return `give ${network.id} ${qosPolicyId ?? 'no policy'}`;
  }
}
