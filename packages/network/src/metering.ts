import { overlaps, parseCidr } from './cidr.ts';
import { refusal } from './errors.ts';
import type { OneOf, TenantFilter, TenantInput, TenantSortKey } from './collection.ts';
import type { Branded, Resource } from './nouns.ts';

export type MeteringLabelId = Branded<'MeteringLabelId'>;
export type MeteringLabelRuleId = Branded<'MeteringLabelRuleId'>;

/** A name under which the traffic of a project's routers is counted. */
export interface MeteringLabel extends Resource<MeteringLabelId> {
  /** It counts the routers of every project. */
  readonly shared: boolean;
}

/** What traffic a label counts, or leaves out. */
export interface MeteringLabelRule {
  readonly id: MeteringLabelRuleId;
  readonly labelId: MeteringLabelId;
  readonly direction: 'ingress' | 'egress';
  readonly excluded: boolean;
  /** Either this one or one or both of the others. */
  readonly remoteIpPrefix: string | null;
  readonly sourceIpPrefix: string | null;
  readonly destinationIpPrefix: string | null;
}

export interface MeteringLabelTypes {
  readonly id: MeteringLabelId;
  readonly view: MeteringLabel;
  readonly create: TenantInput & { readonly shared?: boolean | undefined };
  readonly update: object;
  readonly filter: TenantFilter<MeteringLabelId> & { readonly shared?: OneOf<boolean> };
  readonly sortKey: TenantSortKey | 'shared';
}

export interface MeteringLabelRuleTypes {
  readonly id: MeteringLabelRuleId;
  readonly view: MeteringLabelRule;
  readonly create: CreateMeteringLabelRule;
  readonly update: object;
  readonly filter: MeteringLabelRuleFilter;
  readonly sortKey: keyof MeteringLabelRule;
}

export interface CreateMeteringLabelRule {
  readonly labelId: MeteringLabelId;
  readonly direction: MeteringLabelRule['direction'];
  /** Default: false. */
  readonly excluded?: boolean | undefined;
  readonly remoteIpPrefix?: string | null | undefined;
  readonly sourceIpPrefix?: string | null | undefined;
  readonly destinationIpPrefix?: string | null | undefined;
}

export interface MeteringLabelRuleFilter {
  readonly id?: OneOf<MeteringLabelRuleId>;
  readonly labelId?: OneOf<MeteringLabelId>;
  readonly direction?: OneOf<MeteringLabelRule['direction']>;
  readonly excluded?: OneOf<boolean>;
  readonly remoteIpPrefix?: OneOf<string>;
  readonly sourceIpPrefix?: OneOf<string>;
  readonly destinationIpPrefix?: OneOf<string>;
  /** Only rules of labels that this project may see. */
  readonly visibleTo?: string | undefined;
}

type Prefixes = Pick<MeteringLabelRule, 'remoteIpPrefix' | 'sourceIpPrefix' | 'destinationIpPrefix'>;

/** A rule says either the remote side, or source or destination or both. */
export function checkMeteringPrefixes({ remoteIpPrefix, sourceIpPrefix, destinationIpPrefix }: Prefixes): void {
  const ends = [sourceIpPrefix, destinationIpPrefix].filter((prefix) => prefix !== null);
  if (remoteIpPrefix === null && ends.length === 0) {
    throw refusal('HTTPBadRequest', {
      reason:
        "Bad metering_label_rule request: one of 'remote_ip_prefix', 'source_ip_prefix' and 'destination_ip_prefix' must be given.",
    });
  }
  if (remoteIpPrefix !== null && ends.length > 0) {
    throw refusal('HTTPBadRequest', {
      reason:
        "Bad metering_label_rule request: 'remote_ip_prefix' cannot be given together with 'source_ip_prefix' or 'destination_ip_prefix'.",
    });
  }
}

/** Of one label and direction, no two rules that count (and no two that leave out) may speak of the same remote address. */
export function checkMeteringOverlap(rule: MeteringLabelRule, others: readonly MeteringLabelRule[]): void {
  const own = rule.remoteIpPrefix === null ? null : parseCidr(rule.remoteIpPrefix);
  if (own === null || rule.remoteIpPrefix === null) return;
  const hit = others.some((other) => {
    const block = other.remoteIpPrefix === null ? null : parseCidr(other.remoteIpPrefix);
    const alike = other.direction === rule.direction && other.excluded === rule.excluded;
    return alike && block !== null && overlaps(own, block);
  });
  if (hit) throw refusal('MeteringLabelRuleOverlaps', { prefix: rule.remoteIpPrefix });
}
