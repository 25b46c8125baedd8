/** How a guest is called: by its port's name, or after its address; in the port's domain, or the network's. */
/** Of a port on this host or another. */
export interface Named {
  readonly dnsName: string;
  /** Empty: the network's. */
  readonly dnsDomain: string;
}

/** What the guest at `ip` is called in a network with these domains; its own without a dot at its end. */
export function guestName(
  port: Named,
  domains: readonly string[],
  ip: string,
): { readonly hostName: string; readonly domain: string } {
  const [hostName = '', ...rest] = undotted(port.dnsName || nameOfAddress(ip)).split('.');
  // A name with its domain (and a dot at its end) needs no other.
  const own = port.dnsName.endsWith('.') ? rest.join('.') : port.dnsDomain || domains[0] || '';
  return { hostName, domain: undotted(own) };
}

/** The name of an address that has no other. */
export function nameOfAddress(ip: string): string {
  return `host-${ip.replaceAll(/[.:]+/g, '-')}`;
}

function undotted(name: string): string {
  return name.replace(/\.$/, '');
}
