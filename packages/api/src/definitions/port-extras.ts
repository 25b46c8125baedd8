import {
  type ExtraDhcpOpt,
  type ExtraDhcpOptRequest,
  type PortView,
  type VnicType,
  dnsAssignment,
} from '@alcor/network';
import {
  type Kind,
  Refusal,
  dictionary,
  listOf,
  nullable,
  nullMeans,
  oneOf,
  record,
  refined,
  shown,
  text,
} from '../kinds.ts';

/** Options that may be told without a value. */
const blankable: readonly string[] = ['router', 'classless-static-route'];
const maxOptions = 100;

/** On one line, for it ends up in a DHCP server's file. */
const optionName = refined(text(64), (name) =>
  name.trim() === '' || /[\r\n]/.test(name) ? new Refusal(`${shown(name)} is blank or of several lines`) : name,
);

const extraDhcpOpt: Kind<ExtraDhcpOptRequest> = refined(
  record({ opt_name: optionName, opt_value: nullable(text(255)) }, { ip_version: oneOf(4, 6) }),
  ({ opt_name: name, opt_value: value, ip_version: ipVersion = 4 }) =>
    value !== null && (/[\r\n]/.test(value) || (value.trim() === '' && !blankable.includes(name)))
      ? new Refusal(`${shown(value)} is blank or of several lines`)
      : { name, value, ipVersion },
);

/** Each option once. */
export const extraDhcpOpts: Kind<readonly ExtraDhcpOptRequest[]> = nullMeans(
  listOf(extraDhcpOpt, maxOptions, ({ name, ipVersion }) => `${name} (IPv${ipVersion})`),
  [],
);

/** Options as Neutron writes them. */
export function wireDhcpOpts(opts: readonly ExtraDhcpOpt[]): readonly object[] {
  return opts.map(({ name, value, ipVersion }) => ({ opt_name: name, opt_value: value, ip_version: ipVersion }));
}

const label = /^(?!-)[a-zA-Z0-9-]{1,63}(?<!-)$/;
const maxName = 255;

/** Labels of RFC 1123, section 2.1, joined by dots. */
function isDomainName(value: string): boolean {
  const labels = value.replace(/\.$/, '').split('.');
  return labels.every((each) => label.test(each)) && (labels.length === 1 || !/^\d+$/.test(labels.at(-1) ?? ''));
}

/** A host's name, with or without its domain; empty: none. */
export const dnsName = refined(text(maxName), (value) =>
  value === '' || isDomainName(value) ? value : new Refusal(`${shown(value)} not a valid PQDN or FQDN`),
);

/** A domain, with the dot at its end; empty: none. */
export const dnsDomain = refined(text(maxName), (value) =>
  value === '' || (value.endsWith('.') && isDomainName(value)) ? value : new Refusal(`${shown(value)} is not a FQDN`),
);

/** The names of a port's addresses as Neutron writes them. */
export function wireNames(view: PortView): readonly object[] {
  return dnsAssignment(view).map(({ hostname, ip, fqdn }) => ({ hostname, ip_address: ip, fqdn }));
}

/** Ways of attachment that clients know. */
export const vnicType: Kind<VnicType> = oneOf(
  'normal',
  'direct',
  'macvtap',
  'baremetal',
  'direct-physical',
  'virtio-forwarder',
  'smart-nic',
  'vdpa',
  'accelerator-direct',
  'accelerator-direct-physical',
  'remote-managed',
);

/** Characters of a profile's JSON. */
const maxProfile = 4_095;

/** Any dictionary that is not too long. */
export const bindingProfile = refined(nullMeans(dictionary, {}), (value) => {
  const { length } = JSON.stringify(value);
  return length <= maxProfile ? value : new Refusal(`a profile has at most ${maxProfile} characters, not ${length}`);
});

/** What the attachment can do. */
export function vifDetails(view: Parameters<typeof vifType>[0]): object {
  return vifType(view) === 'ovs' ? { port_filter: false, connectivity: 'l2' } : {};
}

/** What `vifType` says. */
export const vifTypes = oneOf('ovs', 'unbound', 'binding_failed');

/** How the port is attached: only what the virtual switch drives can be. */
export function vifType({
  hostId,
  vnicType: kind,
}: Pick<PortView, 'hostId' | 'vnicType'>): 'ovs' | 'unbound' | 'binding_failed' {
  if (hostId === null) return 'unbound';
  return kind === 'normal' ? 'ovs' : 'binding_failed';
}
