/** How a guest is called: by its port's name, or after its address; in the port's domain, or the network's. */
import type { VpcConfiguration } from '@alcor/contract';

/** Of a port on this host or another. */
export interface Named {
  readonly dnsName: string;
  /** Empty: the network's. */
  readonly dnsDomain: string;
}

/** What the guest at `ip` is told of its own name; the domain without a dot at its end. */
export function guestName(
  port: Named,
  vpc: VpcConfiguration | undefined,
  ip: string,
): { readonly hostName: string; readonly domain: string } {
  const [hostName = '', ...rest] = undotted(port.dnsName || nameOfAddress(ip)).split('.');
  // A name with its domain (and a dot at its end) needs no other.
  const own = port.dnsName.endsWith('.') ? rest.join('.') : port.dnsDomain || vpc?.dnsDomains[0] || '';
  return { hostName, domain: undotted(own) };
}

/** The name of an address that has no other. */
export function nameOfAddress(ip: string): string {
  return `host-${ip.replaceAll(/[.:]+/g, '-')}`;
}

function undotted(name: string): string {
  return name.replace(/\.$/, '');
}
