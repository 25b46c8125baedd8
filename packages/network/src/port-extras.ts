import type { FixedIp, Port } from './nouns.ts';
import type { QosPolicyId } from './qos.ts';
import type { AddressPair, SecurityGroupId } from './security-group.ts';

/** What DHCP tells a port's guest beside what it tells all. */
export interface ExtraDhcpOpt {
  readonly name: string;
  readonly value: string;
  readonly ipVersion: 4 | 6;
}

/** An option to be; null: not told any more. */
export interface ExtraDhcpOptRequest {
  readonly name: string;
  readonly value: string | null;
  readonly ipVersion: 4 | 6;
}

/** How a guest is attached to its port. Only `normal` interfaces are driven; others stay without a binding. */
export type VnicType =
  | 'normal'
  | 'direct'
  | 'macvtap'
  | 'baremetal'
  | 'direct-physical'
  | 'virtio-forwarder'
  | 'smart-nic'
  | 'vdpa'
  | 'accelerator-direct'
  | 'accelerator-direct-physical'
  | 'remote-managed';

/** What a port is told beside its addresses. */
export interface PortExtras {
  readonly extraDhcpOpts: readonly ExtraDhcpOpt[];
  /** The guest's host name; empty: named after its addresses. */
  readonly dnsName: string;
  /** With a dot at its end; empty: the network's. */
  readonly dnsDomain: string;
  readonly vnicType: VnicType;
  /** For the machinery of the guest's host; nobody here reads it. */
  readonly bindingProfile: Readonly<Record<string, unknown>>;
  /** Its own; null: its network’s. */
  readonly qosPolicyId: QosPolicyId | null;
}

/** What protects a port beside port security. */
export interface PortProtection {
  /** By id. */
  readonly securityGroupIds: readonly SecurityGroupId[];
  readonly allowedAddressPairs: readonly AddressPair[];
}

/** A port of which nothing special was said. */
export const plainPort: PortExtras & PortProtection & Pick<Port, 'trunk' | 'ndpProxies' | 'localIps'> = {
  trunk: null,
  ndpProxies: [],
  localIps: [],
  extraDhcpOpts: [],
  dnsName: '',
  dnsDomain: '',
  vnicType: 'normal',
  bindingProfile: {},
  qosPolicyId: null,
  securityGroupIds: [],
  allowedAddressPairs: [],
};

/** These may be told without a value. */
const blankable: readonly string[] = ['router', 'classless-static-route'];

/** What `present` becomes by `wanted`: options that are not named stay, those named without a value go. */
export function mergeDhcpOpts(
  present: readonly ExtraDhcpOpt[],
  wanted: readonly ExtraDhcpOptRequest[],
): readonly ExtraDhcpOpt[] {
  const merged = new Map(present.map((opt) => [keyOf(opt), opt]));
  for (const { name, value, ipVersion } of wanted) {
    const key = keyOf({ name, ipVersion });
    if (value === null) merged.delete(key);
    else if (value !== '' || blankable.includes(name)) merged.set(key, { name, value, ipVersion });
  }
  return [...merged.values()];
}

function keyOf({ name, ipVersion }: Pick<ExtraDhcpOpt, 'name' | 'ipVersion'>): string {
  return `${ipVersion} ${name}`;
}

/** The domain of the region's names. */
export const regionDomain = 'openstacklocal.';

/** The names that a port's addresses have. */
export function dnsAssignment(port: {
  readonly dnsName: string;
  readonly fixedIps: readonly FixedIp[];
}): readonly { readonly hostname: string; readonly ip: string; readonly fqdn: string }[] {
  return port.fixedIps.map(({ ip }) => {
    const hostname = port.dnsName === '' ? `host-${ip.replaceAll(/[.:]+/g, '-')}` : port.dnsName;
    return { hostname, ip, fqdn: hostname.endsWith('.') ? hostname : `${hostname}.${regionDomain}` };
  });
}
