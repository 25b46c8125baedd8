import { type CollectionTypes, type Traffic, canonicalPrefix, canonicalProtocol } from '@alcor/network';
import { type SecurityGroupRuleTypes, protocolNames } from '@alcor/network';
import { Type } from 'typebox';
import { type Attribute, attributesOf, initially, listed, required } from '../attribute.ts';
import { type Kind, Refusal, nullable, oneOf, refined, shown, text } from '../kinds.ts';

/** What speaks of traffic: rules of groups and of network ACLs. */
interface TrafficTypes extends CollectionTypes {
  readonly view: Traffic;
}

/** A name or a number; a JSON number is as good as its digits. */
const protocol: Kind<string> = {
  schema: Type.String({ maxLength: 32, description: `0 to 255, or one of ${protocolNames.join(', ')}` }),
  parse: (value) => {
    const canonical = typeof value === 'string' || typeof value === 'number' ? canonicalProtocol(String(value)) : null;
    return (
      canonical ??
      new Refusal(
        `protocol ${shown(value)} is not supported, only ${protocolNames.join(', ')} and numbers from 0 to 255 are`,
      )
    );
  },
};

/** A port, an ICMP type or an ICMP code: which of them, and so how large, the protocol says. */
const portValue: Kind<number> = {
  schema: Type.Integer({ minimum: 0, maximum: 65_535 }),
  parse: (value) => {
    const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
    const isPort = typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 65_535;
    return isPort ? number : new Refusal(`Invalid value for port ${shown(value).slice(1, -1)}`);
  },
};

const ethertypes = oneOf('IPv4', 'IPv6');
const ethertype: Kind<'IPv4' | 'IPv6'> = {
  schema: ethertypes.schema,
  parse: (value) =>
    ethertypes.parse(typeof value === 'string' && /^ipv[46]$/i.test(value) ? `IPv${value.slice(-1)}` : value),
};

/** An address, or a block of them written with any of its addresses. */
const prefix: Kind<string> = refined(
  text(64),
  (value) => canonicalPrefix(value) ?? new Refusal(`${shown(value)} is not a valid IP subnet`),
);

/** The same; empty, like null, for none. */
const remotePrefix: Kind<string | null> = {
  schema: nullable(prefix).schema,
  parse: (value) => (value === null || value === '' ? null : prefix.parse(value)),
};

/** An address or a block of addresses, as a rule and an address pair name them. */
export { prefix };

const { field } = attributesOf<SecurityGroupRuleTypes>();

const attributes = {
  direction: field('direction', oneOf('ingress', 'egress'), 'Seen from the guest: ingress comes to it', {
    post: required,
    ...listed,
  }),
  ethertype: field('ethertype', ethertype, 'The version of the packets', { post: initially('IPv4'), ...listed }),
  protocol: field('protocol', nullable(protocol), 'A name or a number; null: any', {
    post: initially(null),
    ...listed,
  }),
  port_range_min: field('portRangeMin', nullable(portValue), 'The lowest port, or the ICMP type; null: any', {
    post: initially(null),
    ...listed,
  }),
  port_range_max: field('portRangeMax', nullable(portValue), 'The highest port, or the ICMP code; null: any', {
    post: initially(null),
    ...listed,
  }),
  remote_ip_prefix: field('remoteIpPrefix', remotePrefix, 'The addresses at the other end; null: any', {
    post: initially(null),
    ...listed,
  }),
} as const;

/** What says which packets are meant. They are stated once, on rules of security groups: the store has them alike for all. */
export function traffic<T extends TrafficTypes>(): Readonly<Record<keyof typeof attributes, Attribute<T['view']>>> {
  return attributes as unknown as Readonly<Record<keyof typeof attributes, Attribute<T['view']>>>;
}
