/** What a VM is to be, and the shell commands that make it: a namespace and its cable. */
import type { Network, Vm } from './site.ts';

interface SubPortPlan {
  readonly parent: string;
  readonly vlan: number;
}

export interface VmPlan {
  /** 1 is the first host. */
  readonly host: number;
  readonly network: string;
  /** By name; otherwise the project's default group. */
  readonly groups?: readonly string[];
  /** Last parts of its addresses; the API's choice otherwise. */
  readonly number?: number;
  /** A trunk's parent, or a sub-port: of that parent, which has been plugged before, under this tag. */
  readonly trunk?: 'parent' | SubPortPlan;
  /** More fields of the port. */
  readonly port?: object;
  /** The MAC that it uses instead of its port's. */
  readonly mac?: string;
  /** Further addresses, with prefix lengths. */
  readonly also?: readonly string[];
}

/** A VM that is to be. */
export interface Plugged {
  readonly network: Network;
  readonly netns: string;
  readonly link: string;
  readonly mac: string;
  readonly addresses: Vm['addresses'];
  readonly within: string;
  readonly plan: VmPlan;
}

export const settings = [
  'net.ipv6.conf.all.disable_ipv6=0',
  'net.ipv6.conf.eth0.disable_ipv6=0',
  'net.ipv6.conf.eth0.accept_ra=0',
  'net.ipv4.icmp_echo_ignore_broadcasts=0',
].join(' ');

/** The far end of a cable answers nothing: in the namespace of a trunk's parent it would be the parent that does. */
export function commandsOf({ within, network, netns, link, mac, addresses, plan }: Plugged): string {
  const gateways = network.subnets.flatMap(({ ip_version: family, gateway_ip: gateway }) =>
    gateway === null ? [] : [`${family === 6 ? '-6 ' : ''}route replace default via ${gateway} dev eth0`],
  );
  return `
    ip netns add ${netns}
    ip -n ${within} link add ${link} type veth peer name eth0 netns ${netns}
    ip -n ${within} link set ${link} up arp off
    ip netns exec ${netns} sh -c 'ethtool -K eth0 tx off >/dev/null; sysctl -qw ${settings}'
    ip -n ${netns} -force -batch - <<'END'
link set lo up
link set eth0 address ${mac} mtu 1400 up
addr add ${addresses[4]}/24 brd + dev eth0
addr add ${addresses[6]}/64 dev eth0 nodad
${(plan.also ?? []).map((each) => `addr add ${each} dev eth0${each.includes(':') ? ' nodad' : ''}`).join('\n')}
${gateways.map((each) => each.replace(/^-6 /, '')).join('\n')}
END`;
}
