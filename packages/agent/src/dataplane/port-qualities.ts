/** The QoS policies that ports have: keeps their flows and meters equal to them. */
import type { MeterTracker } from './meter-tracker.ts';
import type { OwnedFlows } from './owned-flows.ts';
import { qualityOwner, RANK } from './owners.ts';
import { qualityOf } from './quality.ts';
import { QualityIndex } from './quality-index.ts';
import type { LocalPort, QosPolicy } from './resources.ts';

export interface PortQualitiesOptions {
  readonly flows: OwnedFlows;
  readonly meters: MeterTracker;
  /** The port, and where it is plugged, as far as either is known. */
  readonly place: (portId: string) => { readonly port: LocalPort | undefined; readonly ofport: number | undefined };
  /** Told of every port whose policy has become another. */
  readonly onAffected: (portId: string) => void;
}

export class PortQualities {
  readonly #options: PortQualitiesOptions;
  readonly #index = new QualityIndex();

  constructor(options: PortQualitiesOptions) {
    this.#options = options;
  }

  /** Which policy the port names; it is to be programmed afterwards. */
  setPort(id: string, policyId: string | undefined): void {
    this.#index.setPort(id, policyId);
  }

  setPolicy(policy: QosPolicy): void {
    this.#programAll(this.#index.setPolicy(policy));
  }

  removePolicy(id: string): void {
    this.#programAll(this.#index.removePolicy(id));
  }

  /** While the policy is not known, what an earlier process made of it stays. */
  program(portId: string): void {
    const { flows, meters, place } = this.#options;
    const { port, ofport } = place(portId);
    const policy = this.#index.policyOf(portId);
    const owner = qualityOwner(portId);
    if (port?.adminStateUp !== true || ofport === undefined || policy === undefined) {
      meters.set(owner, []);
      return flows.withdraw(owner);
    }
    const quality = qualityOf(port, ofport, policy);
    meters.set(owner, quality.meters);
    return flows.program(owner, RANK.port, () => quality.flows);
  }

  #programAll(portIds: Iterable<string>): void {
    for (const id of portIds) {
      this.program(id);
      this.#options.onAffected(id);
    }
  }
}
